package machine

import "fmt"

// killed is the panic that unwinds a worker whose execution is over.
type killed struct{}

// aborted is the panic that unwinds a worker that has found a failure.
type aborted struct{}

// fail ends the execution as failed.
func (m *VM) fail(kind Kind, message string) {
	m.outcome, m.Fault = Failed, &Fault{Kind: kind, Message: message, Worker: m.self.id}
}

// Abort ends the execution as failed, and the worker that calls it.
func (m *VM) Abort(kind Kind, message string) {
	if m.killing {
		panic(killed{})
	}
	m.fail(kind, message)
	if m.recorder != nil {
		frames := callers()
		m.Fault.At = placeOf(frames)
		if kind == Misuse {
			m.Fault.Stack = stackOf(frames)
		}
	}
	m.killing = true
	panic(aborted{})
}

// exited ends the execution as failed by a runtime.Goexit that is running.
func (m *VM) exited() {
	m.next = nil
	m.fail(Misuse, fmt.Sprintf("%v is left by runtime.Goexit, as t.Fatal does: want Assert or Failf of the Machine", m.self))
	m.Fault.Exited = true
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
	for len(frames) > 1 && PackageOf(frames[1].Function) == "testing" {
		frames = frames[1:]
	}
	m.Fault.At = placeOf(frames)
}

// panicked ends the execution as failed by a panic with v that is running.
func (m *VM) panicked(v any) {
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
	m.Fault.At = placeOf(frames)
	m.Fault.Stack = stackOf(frames)
}

// message returns the text of what a panic had.
func message(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(v)
}
