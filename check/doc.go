// Package check is a model checker for locks, and for other code that is written
// against package primitives: it runs a test on every schedule, and shows the
// schedule that fails.
//
//	func TestTicketExclusion(t *testing.T) {
//		check.Explore(t, check.Config{}, func(m *check.Machine) { // runs once in each schedule
//			var l ticket.Lock
//			var n primitives.Cell[int]
//			for range 3 {
//				m.Go(func() { l.Lock(); n.Set(n.Get() + 1); l.Unlock() })
//			}
//			m.Wait()
//			m.Assert(n.Get() == 3)
//		})
//	}
//
// It needs the build tag virtual (go test -tags virtual), under which the words
// of package primitives ask the checker before each step.
//
// # What a schedule is
//
// Workers take steps one after the other, in every order that matters. A step
// is an operation on an atomic word, a Park or an Unpark; what a worker does in
// between belongs to the step before. Operations on words are sequentially
// consistent, as Go's are. StoreRelease is weaker: the store waits in the worker's
// store buffer until a separate step writes it to memory, and the worker's loads
// may come before that (x86-TSO). Any other operation that writes, such as Unpark,
// waits until the buffer is empty.
//
// Two schedules are equivalent if they differ only in the order of steps that do
// not conflict. Steps do not conflict if they are on different words, if both are
// loads, or if one is a load that sees the worker's own latest store and the other
// writes that store to memory. Of equivalent schedules one is run. The search
// leaves out no other schedule, within the bounds that the [Report] names.
//
// Accesses to a [primitives.Cell] are not steps. Two accesses by different workers,
// one of which writes, must be ordered by steps; otherwise they are a data race,
// and the test fails. So the search notices a lock that admits two workers,
// whichever of them came first.
//
// # Waiting
//
// A worker that calls Spin.Once continues when another worker has changed a word
// that it read since its last call of Once; its own store, when it comes to memory,
// does not count. If no worker can continue, the schedule has a deadlock or a lost
// wake-up. A wait that may end at any time (Spin.Try) is explored both ways, a
// bounded number of times ([Config].Spins), and so is a timer that starts itself
// again. Timers end at any time, and a [Machine.Context] ends at any time or never.
// Steps take no time: the clock moves on to the end of a sleep or a timeout that a
// worker has waited for, if it is not later already, and a look at it
// (primitives.Nanotime) is a step.
//
// Workers that do not stop writing wake each other, and might not wait at all. So
// in the second half of [Config].Steps all take turns, and time passes by itself:
// if the execution does not end then, it is a livelock.
//
// # When it fails
//
// [Explore] shows the schedule as a table, with a column for each worker, and the
// command that runs it again. docs/verification.md shows how to check your own lock,
// how to read the table and the figure, and what each [Mode] may claim.
//
// # The files
//
// A file refers only to those below it, and package check to its rooms: check/internal/machine
// runs the workers of one execution, check/internal/search decides about their steps, and
// check/internal/show draws a failure.
//
//   - explore.go runs a search, as a [Config] (config.go) says, and returns a [Report]
//     (report.go); replay.go reads from the environment which one to run again.
//   - watch.go looks from outside for workers that the host blocks.
//   - machine.go is what a body uses.
//   - trace.go makes a [Failure] (failure.go) of what the machine recorded.
//
// [primitives.Cell]: https://pkg.go.dev/github.com/lockbench/lockbench/primitives#Cell
package check
