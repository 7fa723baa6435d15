package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
)

// A meter shows how far a sweep is: a bar on a terminal, else a line now and
// then. It writes only when told of a sample, so never while one is measured.
type meter struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil if out is no terminal
	first int                      // samples that were there at the start
	start time.Time
	every time.Duration // between two updates
	next  time.Time     // of the next update
}

// newMeter returns a meter for a sweep of total samples, of which first are
// there already.
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

// show shows that a sample has been measured.
func (m *meter) show(p harness.Progress) {
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

// end takes the bar off the terminal.
func (m *meter) end() {
	if m.bar != nil {
		m.bar.Clear()
	}
}
