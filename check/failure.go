package check

import (
	"io"

	"github.com/lockbench/lockbench/check/internal/machine"
	"github.com/lockbench/lockbench/check/internal/show"
)

// A Kind is a kind of failure.
type Kind string

// The kinds of failure.
const (
	Assertion Kind = Kind(machine.Assertion)
	Panic     Kind = Kind(machine.Panic)
	DataRace  Kind = Kind(machine.DataRace)
	Deadlock  Kind = Kind(machine.Deadlock)
	Livelock  Kind = Kind(machine.Livelock)
	Misuse    Kind = Kind(machine.Misuse)
)

// A Failure is a schedule that failed, step by step.
type Failure struct {
	Kind    Kind     `json:"kind"`
	Message string   `json:"message"` // what went wrong, on one line or more
	Workers []string `json:"workers"` // their names; the body is the first
	Steps   []Step   `json:"steps"`
	Waits   []Wait   `json:"waits,omitempty"` // of a deadlock: what each worker waits for
	Token   string   `json:"token"`           // replays it: see [Config].Replay

	// Stack has, for a panic and for most misuse, the calls that led there, the
	// innermost first.
	Stack []Call `json:"stack,omitempty"`

	// Replay is the command that shows this schedule again, or "".
	Replay string `json:"replay,omitempty"`
}

// A Step is one line of a schedule: a step, an access to a Cell, or a choice that a
// worker made.
type Step struct {
	Worker int    `json:"worker"`         // number in Failure.Workers
	By     string `json:"by,omitempty"`   // "", StoreBuffer or Alarm
	Op     string `json:"op"`             // what was called: "Load", "CompareAndSwap", "Unpark"
	Name   string `json:"name,omitempty"` // the receiver, as the source calls it: "l.owner"

	// Old and New are the values before and after. New is "" if the step did not
	// write. Want is the value that a failed CompareAndSwap wanted.
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
	Want string `json:"want,omitempty"`

	File   string `json:"file,omitempty"` // where the source is
	Line   int    `json:"line,omitempty"`
	Func   string `json:"func,omitempty"`   // the function that it is in
	Failed bool   `json:"failed,omitempty"` // whether it is part of the failure

	marks show.Marks
}

// What takes a step for a worker.
const (
	StoreBuffer = show.StoreBuffer // writes a store to memory
	Alarm       = show.Alarm       // ends a Park
)

// A Wait says why a worker cannot continue.
type Wait struct {
	Worker int     `json:"worker"`
	Op     string  `json:"op"`            // the call that it waits in
	For    []Value `json:"for,omitempty"` // a change of any of these
	File   string  `json:"file,omitempty"`
	Line   int     `json:"line,omitempty"`
	Func   string  `json:"func,omitempty"`
}

// A Call is a place in the source, by file and line from 1, and the function that it is in.
type Call struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Func string `json:"func"`
}

// A Value is the value of a word.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"` // "" if it has none that can be shown
}

// WriteTable writes the schedule as a table with a column for each worker and a
// line for each step, at most 160 columns wide for a few workers.
//
// A failed CompareAndSwap shows what the word held and what it should have
// held. x ⇐ 1 is a store into the worker's store buffer, which the others see
// once the buffer is written to memory. Numbers from 256 are hexadecimal.
func (f *Failure) WriteTable(w io.Writer) error { return f.schedule().WriteTable(w) }

// WriteSVG writes the schedule as a figure: a lane for each worker, time downward, and
// next to them the values of the words. A full dot is a write, an empty one a read, a
// square an access to a Cell, and a diamond a store that goes from the store buffer to
// memory. An arrow goes from a write to the read that saw it.
func (f *Failure) WriteSVG(w io.Writer) error { return f.schedule().WriteSVG(w) }

// String shows the schedule and says what failed.
func (f *Failure) String() string { return f.schedule().String() }

// String says what the step did, in one line.
func (s Step) String() string { return s.shown().String() }

// schedule returns f in the form that package show knows.
func (f *Failure) schedule() *show.Schedule {
	s := &show.Schedule{Kind: machine.Kind(f.Kind), Message: f.Message, Workers: f.Workers, Again: f.Replay}
	if s.Again == "" {
		s.Again = "LOCKBENCH_REPLAY=" + f.Token
	}
	for _, step := range f.Steps {
		s.Steps = append(s.Steps, step.shown())
	}
	for _, w := range f.Waits {
		wait := show.Wait{Worker: w.Worker, Op: w.Op, At: machine.Place{File: w.File, Line: w.Line, Func: w.Func}}
		for _, v := range w.For {
			wait.For = append(wait.For, show.Value(v))
		}
		s.Waits = append(s.Waits, wait)
	}
	for _, c := range f.Stack {
		s.Stack = append(s.Stack, machine.Place{File: c.File, Line: c.Line, Func: c.Func})
	}
	return s
}

func (s Step) shown() show.Step {
	return show.Step{
		Worker: s.Worker, By: s.By, Op: s.Op, Name: s.Name, Old: s.Old, New: s.New, Want: s.Want, Failed: s.Failed,
		At: machine.Place{File: s.File, Line: s.Line, Func: s.Func}, Marks: s.marks,
	}
}
