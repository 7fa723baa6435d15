// Package spinlock implements the classic locks of one word and a
// compare-and-swap: test-and-set, test-and-test-and-set, and the latter with
// bounded exponential backoff.
//
// They are the fastest locks there are when nobody contends (one locked
// instruction), and none is fair: whoever finds the word free takes it.
//
//	TAS      the simplest; waiters write the line, so it is for short queues
//	TTAS     waiters read and write only once the lock looks free
//	Backoff  waiters stay away for longer and longer; the one that survives
//	         CPUs that are far from each other
//
// When goroutines outnumber CPUs their waiters yield. For a queue, in order
// of arrival, see packages ticket, mcs and qspinlock.
//
// # Pinned sections
//
// Each lock has LockPinned and UnlockPinned beside Lock and Unlock: preemption
// is off from one to the other, as in the kernel's spin_lock. The holder then
// always runs, so a waiter never waits for a goroutine that is off the CPU,
// and waiters can only be as many as CPUs. The rules are the kernel's too:
//
//   - NOTHING IN A PINNED SECTION MAY BLOCK: no channel, no sync.Mutex, no
//     I/O, no long loop; the runtime throws, or the collector waits for you;
//   - a lock is used pinned by all or by none. A pinned waiter holds its CPU
//     until it has the lock: if the holder can be preempted, it may never be.
package spinlock
