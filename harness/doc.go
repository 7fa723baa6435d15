// Package harness measures locks under load: it puts workers on a lock,
// measures all of them over one common window, and verifies what the lock was
// to protect. A lock that lets an update get lost has no throughput.
//
// A [Scenario] is one lock in one situation and [Run] measures it once; a
// [Sweep] is a product of situations, measured in random interleaved order,
// as often as wanted. Bring your own lock with a [Subject].
//
//	subject := harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }}
//	sample, err := harness.Run(ctx, harness.Scenario{Subject: subject, CPUs: 2, Workers: 2})
//
// What critical sections do is the least there can be, or a [Workload]: a log,
// a clock, an address space, or your own.
//
// docs/harness.md describes how a sample is taken and what that costs.
package harness
