// Package seqlock implements sequence locks. Readers write no shared word, so any
// number of them scale; a reader that a writer disturbed notices it and reads
// again.
//
//	Value[T]  any T without pointers, read in a nanosecond; start here
//	Latch[T]  the same in two copies: no reader waits for a writer
//	Lock      the lock itself, for data that a Value cannot hold
//	Count     the bare sequence, where another lock excludes the writers
//
// They are for small data that is read far more often than written: a clock, a
// configuration, a position. Where writes are as frequent as reads, readers
// read again and again, and a lock serves both better.
//
// # What may be read
//
// A reader of a [Lock] or a [Count] may run at the same time as a writer and then
// discard what it read. So all words that it reads must be atomic: those of package
// primitives, or of sync/atomic. Plain variables would be a data race, in the
// language's memory model and to the race detector. Until Retry returns false the words
// may not fit each other: do not index, divide or loop by them. Follow a pointer only
// if the collector keeps what it points to; that is why a [Value] takes none.
//
// # Writers among each other
//
// Writers of a [Lock], a [Value] and a [Latch] exclude each other by a lock of one
// word, and the writer that finds it free takes it. It is not fair: among writers that
// come without a pause one can wait without bound, as at a spinlock.TTAS. (A reader
// that has run out of tries does not: no writer begins until it has read.) Where
// writers must take turns, combine a [Count] with a lock that serves in the order of
// arrival: mcs.Lock, qspinlock.Lock, ticket.Lock.
//
// # When a write is seen
//
// A write ends with a release, not with a fence. On machines where that differs
// it can return while its last stores are still on their way, up to some hundred
// nanoseconds if the other CPU is far. All goroutines see writes in one order, and
// with a write all that its writer did before. But a later read by the writer may
// take effect before its write: two goroutines that each Store to their own Value
// and then Load the other's can both miss the other's Store. Where this matters
// (Dekker's protocol, times compared between CPUs) put an atomic operation that
// writes, such as Add or Store, between the two.
//
// # Writers that lose their CPU
//
// A writer that is preempted half-way stalls all readers until it runs again, for
// milliseconds if the machine is busy. Pinned forms (LockPinned, StorePinned)
// turn preemption off for as long as readers would have to wait, as the kernel's
// write_seqlock does. The rules are the kernel's too: NOTHING IN A PINNED SECTION
// MAY BLOCK, and a panic in it ends the program. Unlike the spinlocks of this
// module, these locks wait with preemption on, unless the holder is a pinned
// writer. So pinned and unpinned writers mix, but a lock must not be acquired with
// preemption already off. Within another lock's pinned section, use a Count.
//
// A [Latch] needs none of this: its readers do not wait. Those of the others may yield, so
// they must not read with preemption off.
//
// The sources are Linux include/linux/seqlock.h, whose seqcount_latch_t is the [Latch], and
// Lameter, "Effective synchronization on Linux/NUMA systems" (2005).
package seqlock
