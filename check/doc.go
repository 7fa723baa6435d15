// Package check is a model checker for locks, and for whatever else is written
// against package primitives: it runs a test on every schedule, and shows the
// one that fails.
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
// consistent, as Go's are. StoreRelease is weaker: the store waits in the
// worker's store buffer until it is written to memory, as a step of its own, and
// the worker's loads may come first (x86-TSO). Any other operation that writes,
// Unpark among them, waits until the buffer is empty.
//
// Two schedules are alike if they differ in the order of steps that do not
// conflict: on different words, or both of them loads, or a load that sees the
// worker's own latest store, which is the same before and after that comes to
// memory. Of those that are alike one is run. Nothing else is left out, within the
// bounds that the [Report] names.
//
// Accesses to a [primitives.Cell] are no steps. Two of them by different workers,
// one of which writes, must be ordered by steps, or they are a data race, and
// the test fails: that is how a lock that lets two in is noticed, whichever of
// them came first.
//
// # Waiting
//
// A worker that calls Spin.Once goes on when another has changed a word that it
// read since it called Once before; its own store, when it comes to memory, changes
// nothing for it. If no worker can go on, the schedule has a deadlock
// or a lost wake-up. A wait that may end at any time (Spin.Try) is explored both
// ways, a bounded number of times ([Config].Spins), and so is a timer that starts
// itself again. Timers ring at any time, and a [Machine.Context] ends at any time
// or never. Steps take no time: the clock goes on to the end of a sleep or a
// timeout that somebody has waited for, if it is not later already, and a look at
// it (primitives.Nanotime) is a step.
//
// Workers who never stop writing wake each other, and might never wait. So in the
// second half of [Config].Steps all take turns, and time passes by itself: if even
// that has no end it is a livelock.
//
// # When it fails
//
// [Explore] shows the schedule as a table, with a column for each worker, and the
// command that runs it again. docs/verification.md shows a lock of one's own being
// checked, how to read the table and the figure, and what each [Mode] may claim.
//
// [primitives.Cell]: https://pkg.go.dev/github.com/lockbench/lockbench/primitives#Cell
package check
