package check

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A Machine runs one execution. The body and its workers may use it until the body
// returns.
type Machine struct{ vm *vm }

// Go starts a worker that runs f. The body is a worker, too, and continues
// meanwhile. There can be nine others, including those of [Machine.Context] and
// primitives.After.
func (m *Machine) Go(f func()) { m.vm.goes(f, false) }

// GoNamed is [Machine.Go] with a name for the worker in reports.
func (m *Machine) GoNamed(name string, f func()) { m.vm.goes(f, false).name = name }

// GoFirst is [Machine.GoNamed] for a worker that must come before the others: the
// others take no step until it waits or has ended. Schedules in which they come
// first are not searched.
func (m *Machine) GoFirst(name string, f func()) {
	w := m.vm.goes(f, false)
	w.name = name
	m.vm.alone = w
	m.vm.step(m.vm.self, op{kind: opYield, object: -1})
}

// GoAlike starts n workers that run f and are interchangeable: what a worker does
// must not depend on which of them it is. So of the n! schedules that differ only in
// the workers' names one is run.
func (m *Machine) GoAlike(n int, f func()) {
	if n > 0 {
		m.vm.room(n)
		w := m.vm.goes(f, false)
		w.alike, w.spawned = n-1, w.clock
		w.spawned[w.id] = 0
	}
}

// Wait waits until all workers that Go started have finished. What they did happens
// before its return.
func (m *Machine) Wait() {
	m.vm.unpinned("waits for other workers", "Wait after Unpin")
	m.vm.join()
}

// Until waits until cond, which looks at words, is true. The worker may be pinned or
// not, where a Spin has to say which.
func (m *Machine) Until(cond func() bool) {
	for !cond() {
		m.vm.until()
	}
}

// Assert ends the execution as failed if ok is false.
func (m *Machine) Assert(ok bool) {
	if !ok {
		m.vm.abort(Assertion, "assertion is false")
	}
}

// Failf ends the execution as failed.
func (m *Machine) Failf(format string, args ...any) {
	m.vm.abort(Assertion, fmt.Sprintf(format, args...))
}

// Choose returns a number from 0 to n-1: each of them in some execution.
func (m *Machine) Choose(n int) int {
	if n < 1 || n > 127 {
		panic(fmt.Sprintf("check: Choose(%d), want 1 to 127", n))
	}
	return m.vm.choose(n)
}

// WithCancel returns a context, and a function that cancels it. The locks'
// waits see the cancellation on every schedule.
func (m *Machine) WithCancel() (ctx context.Context, cancel func()) {
	s := &scope{vm: m.vm, done: make(chan struct{})}
	return s, s.cancel
}

// Context returns a context that is cancelled at any time, or never: a worker that
// needs it to end a wait is stuck.
func (m *Machine) Context() context.Context {
	ctx, cancel := m.WithCancel()
	w := m.vm.goes(cancel, true)
	w.name, w.optional = "cancel", true
	return ctx
}

// A scope is a context whose end is a step.
type scope struct {
	vm        *vm
	done      chan struct{}
	cancelled bool
}

func (s *scope) Deadline() (time.Time, bool) { return time.Time{}, false }

func (s *scope) Done() <-chan struct{} { return s.done }

func (s *scope) Err() error {
	m := s.vm
	if m.killing {
		return context.Canceled
	}
	id := m.object(unsafe.Pointer(s), nil)
	m.step(m.self, op{kind: opErr, object: id})
	m.self.clock.join(&m.objects[id].released)
	m.note(m.self.proc(), &m.pending[m.self.proc()], uint64(btoi(s.cancelled)), uint64(btoi(s.cancelled)))
	if s.cancelled {
		return context.Canceled
	}
	return nil
}

func (s *scope) Value(key any) any {
	if key == (engine.ContextKey{}) {
		return s
	}
	return nil
}

func (s *scope) over() bool { return s.cancelled }

func (s *scope) cancel() {
	m := s.vm
	if m.killing {
		return
	}
	id := m.object(unsafe.Pointer(s), nil)
	m.step(m.self, op{kind: opCancel, object: id, write: true, fence: true})
	if !s.cancelled {
		s.cancelled = true
		m.search.changed()
		close(s.done)
	}
	m.objects[id].released.join(&m.self.clock)
	m.self.clock[m.self.id]++
	m.note(m.self.proc(), &m.pending[m.self.proc()], 0, 1)
}

// Membarrier drains the store buffers of all workers, as membarrier(2) drains those
// of all CPUs that run the process.
func (m *Machine) Membarrier() { m.vm.Membarrier() }
