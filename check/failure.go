package check

import (
	"fmt"
	"runtime"
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

// failure says what went wrong in an execution.
type failure struct {
	kind    Kind
	message string
	self    int     // the worker that it went wrong in
	other   int     // of a data race: the worker that made the earlier access
	at      place   // where, if it is no step
	stack   []place // of a panic or a misuse: the calls that led there
	exited  bool    // whether a worker has left by runtime.Goexit, and is lost
}

// fail ends the execution as failed.
func (m *vm) fail(kind Kind, message string) {
	m.outcome, m.failure = failed, &failure{kind: kind, message: message, self: m.self.id}
}

// abort ends the execution as failed, and the worker that calls it.
func (m *vm) abort(kind Kind, message string) {
	if m.killing {
		panic(killed{})
	}
	m.fail(kind, message)
	if m.recorder != nil {
		frames := callers()
		m.failure.at = placeOf(frames)
		if kind == Misuse {
			m.failure.stack = stackOf(frames)
		}
	}
	m.killing = true
	panic(aborted{})
}

// exited ends the execution as failed by a runtime.Goexit that is running.
func (m *vm) exited() {
	m.next = nil
	m.fail(Misuse, fmt.Sprintf("%v is left by runtime.Goexit, as t.Fatal does: want Assert or Failf of the Machine", m.self))
	m.failure.exited = true
	if m.recorder == nil {
		return
	}
	frames := callers()
	for i, f := range frames {
		if f.Function == "runtime.Goexit" {
			frames = frames[i:]
			break
		}
	}
	for len(frames) > 1 && functionPackage(frames[1].Function) == "testing" {
		frames = frames[1:]
	}
	m.failure.at = placeOf(frames)
}

// panicked ends the execution as failed by a panic with v that is running.
func (m *vm) panicked(v any) {
	m.fail(Panic, message(v))
	if m.recorder == nil {
		return
	}
	frames := callers()
	for i, f := range frames {
		if f.Function == "runtime.gopanic" {
			frames = frames[i:]
			break
		}
	}
	m.failure.at = placeOf(frames)
	m.failure.stack = stackOf(frames)
}

// stackOf returns the calls that led a worker there, the innermost first, without
// those of the machine and of the runtime.
func stackOf(frames []runtime.Frame) (stack []place) {
	for _, f := range frames {
		switch {
		case f.Function == ownPath+".(*worker).runs":
			return stack
		case functionPackage(f.Function) != "runtime" && !isMachine(f):
			stack = append(stack, place{file: f.File, line: f.Line, fn: f.Function})
		}
	}
	return stack
}

// failureOn returns a failure on a schedule of the present workers.
func (m *vm) failureOn(s script, kind Kind, message string) *Failure {
	f := &Failure{Kind: kind, Message: message, Token: s.String()}
	for _, w := range m.workers[:m.live] {
		f.Workers = append(f.Workers, w.String())
	}
	return f
}

func (w *worker) String() string {
	switch {
	case w.name != "":
		return w.name
	case w.id == 0:
		return "body"
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
