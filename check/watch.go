package check

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// How often the watch looks at a search, and how many looks in a row must show the
// same before the search is given up: that its worker is blocked, or that it runs
// and one schedule does not end although its steps are limited. A schedule takes
// microseconds, and a worker of a correct body is not blocked.
var (
	lookEvery    = time.Second
	looksBlocked = 10
	looksRunning = 120
)

// oversee waits for the end of a search on vm, and returns a failure if the search makes
// no progress.
func oversee(vm *machine.VM, done <-chan struct{}) *Failure {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last machine.Look
	var began uint64
	same := 0
	for {
		select {
		case <-done:
			return nil
		case <-tick.C:
		}
		n := vm.Begun()
		if n != began || n == 0 {
			began, same = n, 0
			continue
		}
		now, ok := vm.Watch.Looks()
		if !ok || now.Helped || now.Blocked() != last.Blocked() || now.Blocked() && now.Stack != last.Stack {
			same = 0
		}
		last = now
		same++
		switch {
		case now.Blocked() && same >= looksBlocked:
			return stuck(vm, now, fmt.Sprintf("is blocked outside of package primitives (%s), and holds up all the others: want the words, Spin and Parker of primitives, and workers of Machine.Go", now.State))
		case !now.Blocked() && same >= looksRunning:
			return stuck(vm, now, fmt.Sprintf("makes no progress: one schedule has taken %v, so there is a loop that takes no steps: want a Spin in it", time.Duration(same)*lookEvery))
		}
	}
}

// stuck is a failure of a worker that does not come back to the machine.
func stuck(vm *machine.VM, l machine.Look, what string) *Failure {
	if c := vm.Watch.Stray(); c != nil {
		return foreign(c)
	}
	// The worker does not continue, so the machine's state does not change any more.
	f := failureOn(vm, vm.Script, machine.Misuse, fmt.Sprintf("%s %s", vm.Name(l.Worker), what))
	f.Stack = callsOf(machine.Calls(l.Stack))
	at := Call{}
	if len(f.Stack) > 0 {
		at = f.Stack[0]
	}
	f.Steps = []Step{{Worker: l.Worker, Op: "is stuck", Failed: true, File: at.File, Line: at.Line, Func: at.Func, marks: noMarks}}
	return f
}

// foreign is the failure of a body that started a goroutine that takes steps.
func foreign(where []machine.Place) *Failure {
	stack := callsOf(where)
	c := stack[0]
	return &Failure{
		Kind: Misuse, Token: "-", Workers: []string{"goroutine"}, Stack: stack,
		Message: "a goroutine takes steps that the machine did not start, so its schedules are not searched: want Machine.Go or primitives.Go and not a go statement",
		Steps:   []Step{{Op: "takes a step", Failed: true, File: c.File, Line: c.Line, Func: c.Func, marks: noMarks}},
	}
}
