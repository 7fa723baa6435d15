package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
)

// A meter shows how far a sweep has come: a bar on a terminal, otherwise a line now and
// then. It writes between samples, so as not to disturb one, unless a sample takes very
// long.
type meter struct {
	mu      sync.Mutex
	slow    *time.Timer // prints that the current sample takes long
	samples int         // begun and ended; guarded by mu, like the output of slow

	line  *commandline.Meter
	bar   *progressbar.ProgressBar // what a terminal shows, otherwise nil
	first int                      // samples that were there at the start
	start time.Time
}

// newMeter returns a meter for a sweep of total samples, of which first exist already.
func newMeter(out io.Writer, first, total int) *meter {
	pace := commandline.Pace{First: 5 * time.Second, Every: 5 * time.Second}
	m := &meter{line: commandline.NewMeter(out, "lockbench", pace), first: first, start: time.Now()}
	if width, _ := commandline.Terminal(out); m.line.InPlace() {
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

// begin is called before each sample.
func (m *meter) begin(s harness.Scenario) {
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
		m.line.Say(fmt.Sprintf("a sample of %v has taken %v so far%s", s.Cell(), time.Since(began).Round(time.Second), why(s)))
		wait *= 2
		m.slow.Reset(wait)
	})
}

// done is called when the sample has been measured, or given up.
func (m *meter) done() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples++
	if m.slow != nil {
		m.slow.Stop()
	}
}

// why says why a sample may take long.
func why(s harness.Scenario) string {
	if cpus := min(s.CPUs, runtime.NumCPU()); s.Workers > cpus {
		return fmt.Sprintf(": each of %d workers must have its turn on %s", s.Workers, wording.Count(cpus, "CPU"))
	}
	return ""
}

// show shows that a sample has been measured.
func (m *meter) show(p harness.Progress) {
	m.done()
	m.line.Show(func() string {
		each := time.Since(m.start) / time.Duration(p.Done-m.first)
		left := (each * time.Duration(p.Total-p.Done)).Round(time.Second)
		if m.bar == nil {
			return fmt.Sprintf("%d of %d samples, %v left", p.Done, p.Total, left)
		}
		m.bar.Describe(fmt.Sprintf("%6v left", left))
		m.bar.Set(p.Done)
		return strings.TrimPrefix(m.bar.String(), "\r")
	})
}

// end removes the bar from the terminal.
func (m *meter) end() {
	m.done()
	m.line.Clear()
}
