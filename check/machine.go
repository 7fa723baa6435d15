package check

import (
	"context"
	"fmt"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// A Machine runs one execution. The body and its workers may use it until the body
// returns.
type Machine struct{ vm *machine.VM }

// Go starts a worker that runs f. The body is a worker, too, and continues
// meanwhile. There can be nine others, including those of [Machine.Context] and
// primitives.After.
func (m *Machine) Go(f func()) { m.vm.Spawn("", f) }

// GoNamed is [Machine.Go] with a name for the worker in reports.
func (m *Machine) GoNamed(name string, f func()) { m.vm.Spawn(name, f) }

// GoFirst is [Machine.GoNamed] for a worker that must come before the others: the
// others take no step until it waits or has ended. Schedules in which they come
// first are not searched.
func (m *Machine) GoFirst(name string, f func()) { m.vm.SpawnFirst(name, f) }

// GoAlike starts n workers that run f and are interchangeable: what a worker does
// must not depend on which of them it is. So of the n! schedules that differ only in
// the workers' names one is run.
func (m *Machine) GoAlike(n int, f func()) { m.vm.SpawnAlike(n, f) }

// Wait waits until all workers that Go started have finished. What they did happens
// before its return.
func (m *Machine) Wait() { m.vm.Join() }

// Until waits until cond, which looks at words, is true. The worker may be pinned or
// not, where a Spin has to say which.
func (m *Machine) Until(cond func() bool) {
	for !cond() {
		m.vm.Until()
	}
}

// Assert ends the execution as failed if ok is false.
func (m *Machine) Assert(ok bool) {
	if !ok {
		m.vm.Abort(machine.Assertion, "assertion is false")
	}
}

// Failf ends the execution as failed.
func (m *Machine) Failf(format string, args ...any) {
	m.vm.Abort(machine.Assertion, fmt.Sprintf(format, args...))
}

// Choose returns a number from 0 to n-1: each of them in some execution.
func (m *Machine) Choose(n int) int {
	if n < 1 || n > 127 {
		panic(fmt.Sprintf("check: Choose(%d), want 1 to 127", n))
	}
	return m.vm.Choose(n)
}

// WithCancel returns a context, and a function that cancels it. The locks'
// waits see the cancellation on every schedule.
func (m *Machine) WithCancel() (ctx context.Context, cancel func()) { return m.vm.WithCancel() }

// Context returns a context that is cancelled at any time, or never: a worker that
// needs it to end a wait is stuck.
func (m *Machine) Context() context.Context { return m.vm.Context() }

// Membarrier drains the store buffers of all workers, as membarrier(2) drains those
// of all CPUs that run the process.
func (m *Machine) Membarrier() { m.vm.Membarrier() }
