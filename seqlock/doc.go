// Package seqlock implements sequence locks: what they protect is read
// without writing a single shared word, so any number of readers scale; a
// reader that a writer disturbed notices, and reads again.
//
//	Value[T]  any T without pointers, read in a nanosecond; start here
//	Latch[T]  the same in two copies: no reader ever waits for a writer
//	Lock      the lock itself, for data that a Value cannot hold
//	Count     the bare sequence, where something else excludes the writers
//
// They are for small data that is read far more often than written: a clock, a
// configuration, a position. Where writes are as frequent as reads, readers
// read again and again, and a lock serves both better.
//
// # What may be read
//
// A reader of a [Lock] or a [Count] runs beside a writer and throws away what
// it saw, so everything it reads is an atomic word: package primitives has
// them, sync/atomic will do. Plain variables would be a data race, in the
// language's memory model and to the race detector. Until Retry says false the
// words may not fit each other: do not index, divide or loop by them. Pointers
// may be followed only as far as the collector keeps what they point to, which
// is why a [Value] takes none.
//
// # Writers among each other
//
// Writers of a [Lock], a [Value] and a [Latch] exclude each other by a lock of
// one word, and the one that finds it free takes it. It is not fair: under
// writers that come without a pause one of them can wait without bound, as at
// a spinlock.TTAS. (A reader that has lost patience does not: writers begin only
// when it has read.) Where writers must take turns, put a [Count] beside a lock
// that serves in the order of arrival: mcs.Lock, qspinlock.Lock, ticket.Lock.
//
// # When a write is seen
//
// A write ends with a release, not with a fence: on the machines where that is
// a difference it can return while its last stores are still on their way, up
// to some hundred nanoseconds where the other CPU is far. All see writes in one
// order, and with one what was done before it. But who writes here and then
// reads something else may read that first: two goroutines that each Store to
// their own Value and then Load the other's can both miss the other. Where this
// matters (Dekker's protocol, times compared between CPUs) put an atomic
// operation that writes between the two, as any Add or Store is.
//
// # Writers that lose their CPU
//
// A writer that is preempted half-way stalls every reader until it runs again,
// for milliseconds if the machine is busy. Pinned forms (LockPinned,
// StorePinned) turn preemption off for as long as readers would have to wait,
// as the kernel's write_seqlock does. The rules are the kernel's too: NOTHING
// IN A PINNED SECTION MAY BLOCK, and a panic in it ends the program. Unlike
// the spinlocks of this module, the locks here wait with preemption on, but for
// a writer that is pinned itself, so pinned and unpinned writers mix; but they
// must not be taken with preemption already off. Within another lock's pinned
// section, use a Count.
//
// A [Latch] needs none of this: its readers do not wait.
package seqlock
