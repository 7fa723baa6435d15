// Package qspinlock implements the kernel's queued spinlock: a lock of 4 bytes
// that is as fast as a compare-and-swap lock when nobody contends, and an MCS
// queue when many do.
//
// The holder is one byte of the word. The first to wait sets the pending bit
// and watches the word. Those who come later queue in MCS fashion on nodes
// that belong to CPUs and not to locks, so the word need only name the last in
// line. The head of the queue watches the word too, and when the lock comes
// free takes it and makes the next in line the head. Service is in the order
// of arrival, but for the moment between the release of the word and the first
// waiter's look at it, when a newcomer can take the lock: the kernel calls it
// stealing, and its window is a single compare-and-swap on a word that is
// clear, which it is only when nobody waits.
//
// # Goroutines that outnumber CPUs
//
// Two waiters at a time watch the word, and yield when others want their CPU;
// the rest of the queue parks. A releaser that sees waiters lets the
// goroutines of its CPU go first, so that a queue that formed while the holder
// was off the CPU drains instead of staying for ever.
//
// The source is Linux 6.x kernel/locking/qspinlock.c.
package qspinlock

import (
	"unsafe"

	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

// A Lock is a queued spinlock. The zero Lock is unlocked.
// A Lock must not be copied after first use.
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m. A failed TryLock synchronizes nothing.
//
// 65,532 goroutines can wait in queues at a time; what those do that come then is
// in package mcs, whose waiters they use.
type Lock struct {
	// word is three fields, written (tail, pending, locked) here:
	//
	//	bits 0–7    locked   1 while somebody holds the lock
	//	bit  8      pending  1 while somebody waits without being in the queue
	//	bits 16–31  tail     number of the last waiter in the queue, or 0:
	//	                     context in bits 16–17, CPU+1 in bits 18–31
	//
	//	0,0,0   unlocked
	//	0,0,1   locked, nobody waits
	//	0,1,1   locked, one waits
	//	0,1,0   about to be that one's
	//	n,*,*   and n is last in the queue
	//
	// I1: locked goes 1 -> 0 only by the holder, whatever the rest.
	// I2: pending goes 1 -> 0 only by who set it, and while it is set nobody
	// else makes locked 0 -> 1.
	// I3: while tail is not 0 and pending is 0, only the head of the queue
	// makes locked 0 -> 1.
	word primitives.Uint32
}

const (
	locked     = 1
	lockedMask = 0xff
	pending    = 1 << 8
	tailShift  = 16
	tailMask   = 0xffff << tailShift

	takeOver = 1<<32 - pending + locked // added, turns pending into locked
)

// Lock locks l, waiting its turn behind the goroutines already in line.
func (l *Lock) Lock() {
	if !l.word.CompareAndSwap(0, locked) { // 0,0,0 -> 0,0,1; acquire: pairs with Unlock
		l.wait(primitives.Spin{InLine: true}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until [Lock.UnlockPinned].
//
// Nothing in the critical section may block: no channel, no sync.Mutex, no
// I/O, nothing long. A lock is used pinned by all or by none: a pinned waiter
// keeps its CPU until its turn, and a holder that can be preempted may need it.
func (l *Lock) LockPinned() {
	primitives.Pin()
	if !l.word.CompareAndSwap(0, locked) { // 0,0,0 -> 0,0,1; acquire: pairs with Unlock
		l.wait(primitives.Spin{InLine: true, Pinned: true})
	}
}

// wait is for the first to wait; later ones go to queue.
func (l *Lock) wait(spin primitives.Spin) {
	// 0,1,0: the lock is about to pass to the pending waiter. Give that a
	// moment, so that we can be pending next and need not queue.
	word := l.word.Load()
	for handover := spin; word == pending && handover.Try(); {
		word = l.word.Load()
	}
	if word&^lockedMask != 0 {
		l.queue(spin)
		return
	}
	word = l.word.Or(pending) // 0,0,* -> 0,1,*
	if word&^lockedMask != 0 {
		// Somebody was faster. If it was by queueing, the bit is ours to undo.
		if word&pending == 0 {
			l.word.And(^uint32(pending)) // n,1,* -> n,0,*
		}
		l.queue(spin)
		return
	}
	for l.word.Load()&lockedMask != 0 { // acquire: pairs with Unlock
		spin.Once()
	}
	l.word.Add(takeOver) // *,1,0 -> *,0,1; by I2
}

// queue waits in line for the headship, and as the head for the lock.
func (l *Lock) queue(spin primitives.Spin) {
	w := mcs.EnlistFor(uintptr(unsafe.Pointer(l)), l.TryLock, spin)
	if w == nil { // the lock is ours
		return
	}
	tail := w.Number() << tailShift
	word := l.word.Load()
	for !l.word.CompareAndSwap(word, word&^tailMask|tail) { // p,*,* -> n,*,*
		word = l.word.Load()
	}
	prev := word >> tailShift
	if prev != 0 {
		w.Follow(prev)
	}
	w.Arrived()
	if prev != 0 {
		w.Await(spin) // acquire: pairs with Wake below
	}
	for {
		word = l.word.Load()
		switch {
		case word&^tailMask != 0:
			spin.Once()
		case word == tail: // nobody is behind us: the queue ends here
			if l.word.CompareAndSwap(tail, locked) { // n,0,0 -> 0,0,1; acquire: pairs with Unlock
				w.Retire()
				return
			}
		default:
			l.word.Or(locked) // n,0,0 -> n,0,1; by I3; acquire: pairs with Unlock
			next := w.Follower(spin)
			w.Retire()
			next.Wake() // release: the headship
			return
		}
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Lock) TryLock() bool {
	return l.word.CompareAndSwap(0, locked) // 0,0,0 -> 0,0,1; acquire: pairs with Unlock
}

// TryLockPinned is [Lock.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *Lock) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l. It panics if l is not locked.
func (l *Lock) Unlock() {
	if word := l.word.Load(); word != locked {
		l.unlockSlow(word)
		return
	}
	// Somebody may have begun to wait since. That is why the store touches
	// the locked byte alone: by I1 it is ours, and the rest is not.
	l.word.ClearLowByteRelease() // *,*,1 -> *,*,0; release: publishes the critical section
}

// unlockSlow is Unlock when word shows waiters, or misuse.
func (l *Lock) unlockSlow(word uint32) {
	if word&lockedMask == 0 {
		panic("qspinlock: Unlock of unlocked Lock")
	}
	l.word.ClearLowByteRelease() // *,*,1 -> *,*,0; release: publishes the critical section
	primitives.GiveWay()
}

// UnlockPinned unlocks l and enables preemption again.
func (l *Lock) UnlockPinned() {
	if l.word.Load()&lockedMask == 0 {
		panic("qspinlock: Unlock of unlocked Lock")
	}
	l.word.ClearLowByteRelease() // *,*,1 -> *,*,0; release: publishes the critical section
	primitives.Unpin()
}

// String decodes the word, for diagnosis.
func (l *Lock) String() string { return Decode(l.word.Load()).String() }
