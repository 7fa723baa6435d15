// Package harness measures locks under load: it runs workers that use a lock, measures
// all of them over one common window, and verifies what the lock protects. A lock that
// loses an update has no throughput.
//
// A [Scenario] is one lock in one situation and [Run] measures it once; a
// [Sweep] is a product of situations, measured in random interleaved order,
// as often as you ask for. Bring your own lock with a [Subject].
//
//	subject := harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }}
//	sample, err := harness.Run(ctx, harness.Scenario{Subject: subject, CPUs: 2, Workers: 2})
//
// A critical section is the smallest one that can be verified, or it does what a
// [Workload] says: a log, a clock, an address space, or your own.
//
// docs/harness.md describes how a sample is taken and what that costs.
//
// # The files, in the order of the data
//
//   - scenario.go, place.go, gc.go, work.go, arrivals.go: what a caller can ask for.
//   - sweep.go makes the product of scenarios; run.go takes one sample of a scenario, and
//     bench.go takes it under go test.
//   - host.go sets up the process for it, and barrier.go has where goroutines wait for
//     each other. Words, waits and the clock are those of package primitives, so that an
//     engine can run it all.
//   - preflight.go checks a fresh lock, isolate.go gives the lock cache lines of its own,
//     and probe.go measures how far the CPUs are apart, before and after.
//   - worker.go is the loop of a worker. section.go, open.go and rcu.go are what it runs
//     inside: of locks, of readers that retry, and of RCU.
//   - workload.go and the files of single workloads (clock.go, config.go, counter.go,
//     freelist.go, intervals.go, list.go, log.go, pool.go, record.go, table.go) are what
//     it runs instead; fence.go is the work between fences.
//   - latency.go, fairness.go, counters*.go and cputime_*.go measure meanwhile, and
//     sample.go makes a sample of their results. affinity_*.go binds threads to CPUs.
//   - watchdog.go supervises the workers, standby_*.go helps where sections are pinned,
//     cause.go finds out why workers are stuck, and errors.go has the errors for that.
//   - torture.go, torture_lock.go, torture_rcu.go and torture_strain.go are
//     [Torture], another use of the same subjects.
package harness
