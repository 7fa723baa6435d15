// Package machine runs the workers of a test one at a time: it is the engine of package
// primitives, on which a [Search] decides who takes each step.
//
// The files, each of which refers only to those after it:
//
//   - trace.go records an execution; body.go is what the test itself asks.
//   - words.go and race.go (Cells), park.go and context.go, wait.go, time.go, pool.go and
//     pin.go are the steps of package primitives.
//   - run.go has workers as coroutines, and lets the next one run; pick.go asks the search
//     which that is, among those that can; buffer.go is what a step does to the others.
//   - fault.go ends an execution that fails; vm.go is the machine's state, record.go and
//     watch.go what it notes of steps and of goroutines.
//   - op.go (steps), worker.go, memory.go, clock.go, script.go, place.go and proc.go are the
//     data.
package machine
