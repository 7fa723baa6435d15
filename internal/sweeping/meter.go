package sweeping

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// A Meter shows how far a sweep has come: a bar on a terminal, otherwise a line now and
// then. It writes between samples, so as not to disturb one, unless a sample takes very
// long.
type Meter struct {
	mu      sync.Mutex
	slow    *time.Timer // prints that the current sample takes long
	samples int         // begun and ended; guarded by mu, like the output of slow

	line  *commandline.Meter
	bar   *progressbar.ProgressBar // what a terminal shows, otherwise nil
	total int
	start time.Time
}

// NewMeter returns a meter for a sweep of total samples.
func NewMeter(con commandline.Console, total int) *Meter {
	pace := commandline.Pace{First: 5 * time.Second, Every: 5 * time.Second}
	m := &Meter{line: commandline.NewMeter(con.Err, con.Name, pace), total: total, start: time.Now()}
	if width, _ := commandline.Terminal(con.Err); m.line.InPlace() {
		m.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(io.Discard), // line writes it
			progressbar.OptionSetWidth(max(10, min(40, width-40))),
			progressbar.OptionShowCount(),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false))
	}
	return m
}

// tooLong is how long a sample may take without a message.
const tooLong = 2 * time.Second

// Begin is called before each sample; why, which may be "", continues the message that it
// takes long.
func (m *Meter) Begin(of results.Cell, why string) {
	began, wait := time.Now(), tooLong
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples++
	sample := m.samples
	m.slow = time.AfterFunc(wait, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.samples != sample {
			return // it has just ended
		}
		m.line.Say(fmt.Sprintf("a sample of %v has taken %v so far%s", of, time.Since(began).Round(time.Second), why))
		wait *= 2
		m.slow.Reset(wait)
	})
}

// done is called when the sample has been measured, or given up.
func (m *Meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples++
	if m.slow != nil {
		m.slow.Stop()
	}
}

// Show shows that a sample has been measured: the done'th, and which share of the work
// since the start is done with it.
func (m *Meter) Show(done int, share float64) {
	m.done()
	m.line.Show(func() string {
		left := time.Duration(float64(time.Since(m.start)) * (1 - share) / share).Round(time.Second)
		if m.bar == nil {
			return fmt.Sprintf("%d of %d samples, %v left", done, m.total, left)
		}
		m.bar.Describe(fmt.Sprintf("%6v left", left))
		m.bar.Set(done)
		return strings.TrimPrefix(m.bar.String(), "\r")
	})
}

// Say writes a line that stays.
func (m *Meter) Say(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.line.Say(line)
}

// End removes the bar from the terminal.
func (m *Meter) End() {
	m.done()
	m.line.Clear()
}
