package main

import (
	"fmt"
	"io"
	"runtime"
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

	out   io.Writer
	bar   *progressbar.ProgressBar // nil if out is no terminal
	first int                      // samples that were there at the start
	start time.Time
	every time.Duration // between two updates
	next  time.Time     // of the next update
}

// newMeter returns a meter for a sweep of total samples, of which first exist already.
func newMeter(out io.Writer, first, total int) *meter {
	m := &meter{out: out, first: first, start: time.Now(), every: 5 * time.Second}
	if width, ok := commandline.Terminal(out); ok {
		m.every = 200 * time.Millisecond
		m.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(max(10, min(40, width-40))),
			progressbar.OptionShowCount(),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionSetPredictTime(false))
	}
	m.next = m.start.Add(m.every)
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
		if m.bar != nil {
			m.bar.Clear()
		}
		fmt.Fprintf(m.out, "lockbench: a sample of %v has taken %v so far%s\n", s.Cell(), time.Since(began).Round(time.Second), why(s))
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
	now := time.Now()
	if now.Before(m.next) {
		return
	}
	m.next = now.Add(m.every)
	each := now.Sub(m.start) / time.Duration(p.Done-m.first)
	left := (each * time.Duration(p.Total-p.Done)).Round(time.Second)
	if m.bar == nil {
		fmt.Fprintf(m.out, "lockbench: %d of %d samples, %v left\n", p.Done, p.Total, left)
		return
	}
	m.bar.Describe(fmt.Sprintf("%6v left", left))
	m.bar.Set(p.Done)
}

// end removes the bar from the terminal.
func (m *meter) end() {
	m.done()
	if m.bar != nil {
		m.bar.Clear()
	}
}
