// Package sim runs locks on a machine that is not there: any program that is written
// against package primitives, in virtual time, on up to 1,024 CPUs whose caches and
// distances a [Machine] describes. It tells what a lock costs where cache lines travel,
// exactly and again, on a machine of two CPUs.
//
//	//go:build virtual
//
//	d, err := machines.Find("xeon-8176-8s")
//	report, err := sim.Config{Machine: &d.Machine, CPUs: 56}.Run(func() {
//		for range 56 {
//			primitives.Go(func() { ... lock.Lock() ... primitives.Nanotime() ... })
//		}
//	})
//
// It needs the build tag virtual, under which package primitives asks an engine for each
// of its steps.
//
// # The model
//
// Each CPU has a clock, and the earliest goes on; but one whose lines no other CPU has
// asked for lately may be 100 ns ahead of the others. If another does ask for
// one of them, it gets it after what the owner has done. An operation on a word, or on a
// [primitives.Cell], costs by the state of its cache line (modified or exclusive, shared, or in
// no cache) and by how far the line has to travel. What a CPU does not have as it needs
// it, it requests; requests for one line are served one after the other, and a CPU that has
// got a line keeps it for a moment, in which it may do more. Stores that need not be
// waited for are in the CPU's store buffer, and come to memory in their order.
//
// A wait with [primitives.Spin] keeps the CPU until what it has read has changed; then it
// reads it again, which costs what it costs; if only another word of the line has changed,
// the wait does not return. Goroutines beyond the CPUs wait in queues,
// are woken, preempted, and taken by idle CPUs, as by Go's scheduler.
//
// What happens at the same time is ordered by chance, by [Config.Seed].
//
// Words share a line as their addresses have it, so what is in one object is near as on the
// host. Small objects that are allocated one after the other may share a line or not: put
// [primitives.CacheLine] around what is to be repeatable.
//
// # What it leaves out
//
// Threads of a core do not slow each other down. Caches are never full, and fetch nothing
// in advance. Frequencies do not change. Code between operations takes no time: a program
// that computes has to say so, by [primitives.Busy] or by operations.
//
// # What happened
//
// [Config.Observe] is told of each event: lines that came, waits, parked workers, and the
// places in the body to which [Mark] gives names. Command locksim trace draws them.
//
// # Files, in order
//
// machine.go says what a machine is, set.go which CPUs are near each other, line.go what
// happens to a cache line, event.go what comes next, turn.go which goroutine runs, cpu.go
// what CPUs and workers are, wait.go how they spin, engine.go what primitives ask for,
// trace.go what an observer is told, and run.go runs it all.
package sim
