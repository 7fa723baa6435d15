package mcs

import (
	"fmt"
	"unsafe"

	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// A Lock is an MCS lock that needs no node from its caller. A holder that did not
// wait uses a place in the lock itself (the K42 variant), all others use one of their
// CPU's. The zero Lock is unlocked.
// A Lock must not be copied after first use.
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m. A failed TryLock synchronizes nothing.
type Lock struct {
	// tail is the place of the last in line.
	//
	//	0       unlocked
	//	own     locked by a holder that did not wait; no waiters
	//	number  locked; that waiter is last in line, or holds the lock
	//
	// I1: own is never behind a waiter: it enters by 0 -> own only.
	// I2: the places from the holder's to tail are linked, except between an
	// arrival's swap of tail and its link.
	tail primitives.Uint32

	// next is the number of the waiter behind own, or 0. A Waiter has its own Next.
	next primitives.Uint32

	// holder is the number of the holder's waiter, or 0 if its place is own.
	// Only the holder touches it.
	holder uint32
}

// own names the place in the lock; waiters' numbers begin at 4.
const own = 1

// Lock locks l, waiting its turn behind the goroutines already in line.
func (l *Lock) Lock() {
	if !l.tail.CompareAndSwap(0, own) { // acquire: pairs with release
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
	if !l.tail.CompareAndSwap(0, own) { // acquire: pairs with release
		l.wait(primitives.Spin{InLine: true, Pinned: true})
	}
}

func (l *Lock) wait(spin primitives.Spin) {
	w := waiter.EnlistFor(uintptr(unsafe.Pointer(l)), l.TryLock, spin)
	if w == nil { // the caller holds the lock
		return
	}
	switch prev := l.tail.Swap(w.Number()); prev { // acquire: pairs with release
	case 0: // the caller holds the lock
		w.Arrived()
	case own:
		l.next.StoreRelease(w.Number()) // release (link): pairs with Behind in unlockSlow
		w.Arrived()
		w.Await(spin) // acquire: pairs with handoff in unlockSlow
	default:
		w.Follow(prev)
		w.Arrived()
		w.Await(spin)
	}
	l.holder = w.Number()
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Lock) TryLock() bool {
	return l.tail.CompareAndSwap(0, own) // acquire: pairs with release
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

// Unlock unlocks l and hands it to the longest waiter, if there is one.
// It panics if l is not locked.
func (l *Lock) Unlock() {
	if l.holder != 0 || l.next.Load() != 0 || !l.tail.CompareAndSwap(own, 0) { // release: publishes the critical section
		l.unlockSlow(primitives.Spin{InLine: true})
	}
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Lock) UnlockPinned() {
	if l.holder != 0 || l.next.Load() != 0 || !l.tail.CompareAndSwap(own, 0) { // release: publishes the critical section
		l.unlockSlow(primitives.Spin{InLine: true, Pinned: true})
	}
	primitives.Unpin()
}

func (l *Lock) unlockSlow(spin primitives.Spin) {
	if l.holder == 0 {
		if l.tail.Load() == 0 {
			panic("mcs: Unlock of unlocked Lock")
		}
		waiter.Behind(&l.next, spin).Handoff() // release (handoff): publishes the critical section
		return
	}
	w := waiter.At(l.holder)
	l.holder = 0
	if w.Next.Load() == 0 && l.tail.CompareAndSwap(w.Number(), 0) { // release: publishes the critical section
		w.Retire()
		return
	}
	next := w.Follower(spin)
	w.Retire()     // by I2 the follower was the last goroutine to look at it
	next.Handoff() // release (handoff): publishes the critical section
}

// String says whether l is locked and which waiter is last in line, for diagnosis.
func (l *Lock) String() string {
	switch tail := l.tail.Load(); tail {
	case 0:
		return "unlocked"
	case own:
		return "locked, no waiters"
	default:
		cpu, context := waiter.Split(tail)
		return fmt.Sprintf("locked, last in line: waiter %d of CPU %d", context, cpu)
	}
}
