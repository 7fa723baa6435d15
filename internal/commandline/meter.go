package commandline

import (
	"fmt"
	"io"
	"time"
)

// A Meter says how far a command has come: in a line now and then or, on a terminal, in
// one line that it writes over. It may be used by one goroutine at a time.
type Meter struct {
	out  io.Writer
	name string // of the program, in front of lines that stay
	pace Pace
	next time.Time // of the next line

	inPlace, shown bool
}

// A Pace says when a [Meter] writes lines that stay.
type Pace struct {
	First, Every time.Duration // until the first line, and from each to the next
	Doubles      bool          // Every doubles with each line
	Lines        bool          // lines stay on a terminal, too
}

// inPlace is the pace of a line on a terminal.
var inPlace = Pace{First: 200 * time.Millisecond, Every: 200 * time.Millisecond}

// NewMeter returns a meter of the program called name.
func NewMeter(out io.Writer, name string, pace Pace) *Meter {
	m := &Meter{out: out, name: name, pace: pace}
	if _, ok := Terminal(out); ok && !pace.Lines {
		m.inPlace, m.pace = true, inPlace
	}
	m.next = time.Now().Add(m.pace.First)
	return m
}

// InPlace reports whether m writes one line over and over.
func (m *Meter) InPlace() bool { return m.inPlace }

// Show writes what line returns, if it is time for a line.
func (m *Meter) Show(line func() string) {
	now := time.Now()
	if now.Before(m.next) {
		return
	}
	m.next = now.Add(m.pace.Every)
	if m.pace.Doubles {
		m.pace.Every *= 2
	}
	if !m.inPlace {
		m.Say(line())
		return
	}
	m.shown = true
	fmt.Fprintf(m.out, "\r\x1b[K%s", line())
}

// Say writes a line that stays.
func (m *Meter) Say(line string) {
	m.Clear()
	fmt.Fprintf(m.out, "%s: %s\n", m.name, line)
}

// Clear removes the line from the terminal, if there is one.
func (m *Meter) Clear() {
	if m.shown {
		m.shown = false
		fmt.Fprint(m.out, "\r\x1b[K")
	}
}
