// Package primitives is the machine that a lock runs on: atomic words, plain
// data, and the few things a waiter can do (spin, park, pin itself to a CPU,
// look at the clock).
//
// Every lock of this module is written against this package and not against
// sync/atomic, so that one source runs on the host at full speed, and under the
// model checker on every schedule. Only this package decides what counts as a step.
//
// # What each thing costs
//
// On the reference machine (AMD EPYC, Zen 5, 2.6 GHz, go1.26), uncontended:
//
//	Load                        0.4 ns   a MOV
//	Store                       5.3 ns   an XCHG: Go's atomic store is a full fence on amd64
//	StoreRelease                1.1 ns   a call and a MOV
//	AddOwn                      0.6 ns   an ADD without LOCK
//	Add, Swap, CompareAndSwap   5.3 ns   a locked instruction
//	Pin + Unpin                 2.2 ns
//	Pause(1)                     26 ns   a call and a PAUSE; 4 to 140 cycles by chip
//	Nanotime                     25 ns
//	Park + Handoff              200 ns   there and back
//
// # Build tags
//
// The default build reaches into the runtime by linkname for preemption
// control, semaphores and the clock, and has a few lines of assembly. With the tag
// purego it uses neither: the behaviour is the same, from the standard library's
// public API alone, but it is slower, and [Pin] is weaker. The race detector cannot
// see an assembly store, so with it StoreRelease is Store. AddOwn is Add with both.
// In the build with the tag virtual, package internal/engine connects the words to the
// model checker.
package primitives
