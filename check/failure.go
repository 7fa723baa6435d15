package check

import (
	"fmt"
	"strings"
)

// A Kind is a kind of failure.
type Kind string

// The kinds of failure.
const (
	Assertion Kind = "assertion"
	Panic     Kind = "panic"
	DataRace  Kind = "data race"
	Deadlock  Kind = "deadlock"
	Livelock  Kind = "livelock"
	Misuse    Kind = "misuse"
)

// failure is what was wrong in an execution.
type failure struct {
	kind    Kind
	message string
}

// fail ends the execution as failed.
func (m *vm) fail(kind Kind, message string) {
	m.outcome, m.failure = failed, &failure{kind, message}
}

// abort ends the execution as failed, and the worker that calls it.
func (m *vm) abort(kind Kind, message string) {
	if m.killing {
		panic(killed{})
	}
	m.fail(kind, message)
	m.killing = true
	panic(aborted{})
}

// deadlocked says who waits for what.
func (m *vm) deadlocked() string {
	var says []string
	for _, w := range m.workers[:m.live] {
		if w.state == finished || w.background {
			continue
		}
		switch o := &m.pending[w.proc()]; {
		case w.state == watches:
			says = append(says, fmt.Sprintf("%v waits for a word to change", w))
		case o.kind == opWait:
			says = append(says, fmt.Sprintf("%v waits for one of %d words to change", w, len(o.more)))
		case o.kind == opPark:
			says = append(says, fmt.Sprintf("%v is parked", w))
		case o.kind == opPin:
			says = append(says, fmt.Sprintf("%v waits for a CPU", w))
		case o.kind == opJoin:
			says = append(says, fmt.Sprintf("%v waits for the others", w))
		}
	}
	return "nobody can get on: " + strings.Join(says, "; ")
}

func (w *worker) String() string {
	switch {
	case w.name != "":
		return w.name
	case w.id == 0:
		return "the body"
	default:
		return fmt.Sprintf("worker %d", w.id)
	}
}

func message(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(v)
}
