// Package qspinlock implements the kernel's queued spinlock: a lock of 4 bytes
// that is as fast as a compare-and-swap lock without contention, and an MCS queue
// with many waiters.
//
// One byte of the word says that the lock is held. The first waiter sets the
// pending bit and watches the word. Later waiters queue as in MCS, on nodes that
// belong to CPUs and not to locks, so the word need only name the last in line.
// The head of the queue watches the word too. When the lock is free it takes it
// and makes the next in line the head. Waiters are served in the order of arrival.
// A newcomer can take the lock only by a compare-and-swap of a word that is clear,
// which it is only without waiters: between a release and the first waiter's
// pending bit. The kernel calls this stealing.
//
// # Goroutines that outnumber CPUs
//
// Two waiters at a time watch the word, and yield when others want their CPU;
// the rest of the queue parks. A releaser that sees waiters lets the other
// goroutines of its CPU run first; without that a queue that formed while the
// holder was off its CPU would not drain.
//
// The source is Linux 6.x kernel/locking/qspinlock.c. docs/qspinlock.md says when to take
// it, with figures.
package qspinlock

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// A Lock is a queued spinlock. The zero Lock is unlocked.
// A Lock must not be copied after first use.
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m. A failed TryLock synchronizes nothing.
//
// 65,532 goroutines can wait in queues at a time, together with those of package mcs,
// which says what further goroutines do.
type Lock struct {
	// word is three fields, written (tail, pending, locked) here:
	//
	//	bits 0–7    locked   1 while the lock is held
	//	bit  8      pending  1 while a waiter waits outside the queue
	//	bits 16–31  tail     number of the last waiter in the queue, or 0:
	//	                     context in bits 16–17, CPU+1 in bits 18–31
	//
	//	0,0,0   unlocked
	//	0,0,1   locked, no waiters
	//	0,1,1   locked, one waiter
	//	0,1,0   that waiter is about to take it
	//	n,*,*   and n is last in the queue
	//
	// I1: only the holder changes locked 1 -> 0, whatever the other fields are.
	// I2: only the waiter that set pending changes it 1 -> 0, and while it is set
	// no other goroutine changes locked 0 -> 1.
	// I3: while tail is not 0 and pending is 0, only the head of the queue
	// changes locked 0 -> 1.
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

// wait locks l for the first waiter; later waiters go on to queue.
func (l *Lock) wait(spin primitives.Spin) {
	// 0,1,0: the pending waiter is about to take the lock. Wait a moment for that:
	// the caller can then be pending itself and need not queue.
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
		// Another waiter was faster. If it queued, the caller set pending and must
		// clear it.
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

// queue waits in the queue until the caller is its head, and then for the lock.
func (l *Lock) queue(spin primitives.Spin) {
	w := waiter.EnlistFor(uintptr(unsafe.Pointer(l)), l.TryLock, spin)
	if w == nil { // the caller holds the lock
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
		case word == tail: // w is the last: the queue becomes empty
			if l.word.CompareAndSwap(tail, locked) { // n,0,0 -> 0,0,1; acquire: pairs with Unlock
				w.Retire()
				return
			}
		default:
			l.word.Or(locked) // n,0,0 -> n,0,1; by I3; acquire: pairs with Unlock
			next := w.Follower(spin)
			w.Retire()
			next.Wake() // release: makes it the head
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
	// A waiter may have come since. That is why the store touches only the locked
	// byte: by I1 only the holder writes that byte, but others write the rest.
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

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Lock) UnlockPinned() {
	if l.word.Load()&lockedMask == 0 {
		panic("qspinlock: Unlock of unlocked Lock")
	}
	l.word.ClearLowByteRelease() // *,*,1 -> *,*,0; release: publishes the critical section
	primitives.Unpin()
}

// String decodes the word, for diagnosis.
func (l *Lock) String() string { return Decode(l.word.Load()).String() }
