package show

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// A Schedule is a failed one, as it is shown.
type Schedule struct {
	Kind    machine.Kind
	Message string
	Workers []string // their names; the body is the first
	Steps   []Step
	Waits   []Wait          // of a deadlock: what each worker waits for
	Stack   []machine.Place // the calls that led to a panic
	Again   string          // the command that shows it again
}

// A Step is a step, an access to a Cell, or a choice that a worker made.
type Step struct {
	Worker int    // number in Schedule.Workers
	By     string // "", StoreBuffer or Alarm
	Op     string // what was called
	Name   string // the receiver, as the source calls it

	// Old and New are the values before and after. New is "" if the step did not
	// write. Want is the value that a failed CompareAndSwap wanted.
	Old, New, Want string

	At     machine.Place
	Failed bool // whether it is part of the failure
	Marks
}

// Marks are what a figure shows of a step, besides its text.
type Marks struct {
	Object int
	From   int  // the step that wrote what this one read, or -1
	Cell   bool // whether the object is a Cell
	Issue  bool // whether it puts a store in the store buffer
}

// What takes a step for a worker.
const (
	StoreBuffer = "store buffer" // writes a store to memory
	Alarm       = "alarm"        // ends a Park
)

// A Wait says why a worker cannot continue.
type Wait struct {
	Worker int
	Op     string  // the call that it waits in
	For    []Value // a change of any of these
	At     machine.Place
}

// A Value is the value of a word.
type Value struct {
	Name  string
	Value string // "" if it has none that can be shown
}

// String says what the step did, in one line.
func (s Step) String() string {
	op := s.Op
	switch {
	case s.By == StoreBuffer:
		op = "buffer→memory"
	case s.By == Alarm:
		op = "alarm ends Park"
	case op == "CompareAndSwap":
		op = "CAS"
	}
	text := strings.TrimSpace(op + " " + s.Name)
	switch {
	case s.Want != "":
		return fmt.Sprintf("%s = %s, not %s", text, s.Old, s.Want)
	case s.Old == "" && s.New == "":
		return text
	case s.New == "":
		return fmt.Sprintf("%s = %s", text, s.Old)
	case s.Old != "":
		return fmt.Sprintf("%s %s → %s", text, s.Old, s.New)
	case s.Issue:
		return fmt.Sprintf("%s ⇐ %s", text, s.New)
	default:
		return fmt.Sprintf("%s: %s", text, s.New)
	}
}

// writes reports whether s wrote a word in memory.
func (s *Step) writes() bool { return s.Object >= 0 && s.Old != "" && s.New != "" }

// says returns what w waits for, in words.
func (w *Wait) says() string {
	var words []string
	for _, v := range w.For {
		word := v.Name
		if v.Value != "" {
			word += " (= " + v.Value + ")"
		}
		words = append(words, word)
	}
	switch {
	case len(words) == 0:
		return "waits in " + w.Op
	case w.For[0].Value == "":
		return "is parked on " + words[0] + ", which no worker unparks"
	case len(words) == 1:
		return "waits until " + words[0] + " changes"
	default:
		return "waits until one changes of " + strings.Join(words, ", ")
	}
}
