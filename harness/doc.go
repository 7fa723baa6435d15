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
package harness
