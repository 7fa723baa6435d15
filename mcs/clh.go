package mcs

import (
	"fmt"
	"unsafe"

	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// A CLH is the lock of Craig, Landin and Hagersten: an arrival swaps itself in
// at the end of the line and watches the word of its predecessor, so that a
// release is one store. The zero CLH is unlocked.
// A CLH must not be copied after first use.
//
// In the textbook a goroutine leaves its node to its successor and continues
// with its predecessor's. Here a node can be used again at once, because a
// place in line is a node and a generation: a waiter for generation g of a node
// waits until the node says that g is over. That also allows TryLock, which the
// textbook's CLH lacks, and lets an acquisition without contention use a node in
// the lock itself.
//
// The n'th call to [CLH.Unlock] synchronizes before the return of the m'th
// call to [CLH.Lock], for n < m. A failed TryLock synchronizes nothing.
type CLH struct {
	// tail is the place of the last in line: generation in the upper 48 bits,
	// number of the waiter in the lower 16, or 0 for the node in the lock.
	// The lock is free if that place is over.
	//
	// I1: a place is used once (until 2⁴⁸ generations have passed), so tail does
	// not have the same value twice.
	tail primitives.Uint64

	// over is the last generation of the lock's own node that is over, in
	// the upper 48 bits; the lower 16 are 0. For a waiter that is its Place.
	//
	// I2: the lock's own node is used only when the lock is free, and released by
	// a plain store. So its successor must not park; it watches over.
	over primitives.Uint64

	// holder is the waiter whose place the holder has, or nil for the lock's own
	// node. Only the holder touches it.
	holder *waiter.Waiter
}

const (
	generation = 1 << 16        // one generation
	numberMask = generation - 1 // the number in a place
)

// A waiter's Place has the last generation that is over, and in the lower 16
// bits the number of the waiter that has parked until the next one is over, or 0.
//
//	g, 0 -> g, s    the successor s parks
//	g, * -> g+1, 0  the release; s is woken
//
// I3: one release follows each acquisition, and it is a CAS of the whole word: it
// sees a successor that has written its number.

// Lock locks l, waiting its turn behind the goroutines already in line.
func (l *CLH) Lock() {
	if tail := l.tail.Load(); tail != l.over.Load() || !l.tail.CompareAndSwap(tail, tail+generation) { // acquire: pairs with Unlock
		l.wait(primitives.Spin{InLine: true})
	}
}

// LockPinned locks l and disables preemption until [CLH.UnlockPinned].
//
// Nothing in the critical section may block: no channel, no sync.Mutex, no
// I/O, nothing long. A lock is used pinned by all or by none: a pinned waiter
// keeps its CPU until its turn, and a holder that can be preempted may need it.
func (l *CLH) LockPinned() {
	primitives.Pin()
	if tail := l.tail.Load(); tail != l.over.Load() || !l.tail.CompareAndSwap(tail, tail+generation) { // acquire: pairs with Unlock
		l.wait(primitives.Spin{InLine: true, Pinned: true})
	}
}

func (l *CLH) wait(spin primitives.Spin) {
	if l.TryLock() { // free, but the last holder's place was a waiter's
		return
	}
	w := waiter.EnlistFor(uintptr(unsafe.Pointer(l)), l.TryLock, spin)
	if w == nil { // the caller holds the lock
		return
	}
	mine := w.Place.Load()&^numberMask + generation | uint64(w.Number())
	prev := l.tail.Swap(mine)
	w.Arrived()
	if number := uint32(prev & numberMask); number == 0 {
		for l.over.Load() != prev { // acquire: pairs with Unlock
			spin.Once() // never parks, by I2
		}
	} else {
		awaitPlace(w, waiter.At(number), prev, spin)
	}
	l.holder = w
}

// awaitPlace waits on w until prev, a place of before, is over.
func awaitPlace(w, before *waiter.Waiter, prev uint64, spin primitives.Spin) {
	held := prev&^numberMask - generation // what before.Place says until then
	for before.Place.Load() == held {     // acquire: pairs with unlockSlow
		switch {
		case spin.Pinned:
			spin.Once()
		case w.First() && spin.Try():
		case before.Place.CompareAndSwap(held, held|uint64(w.Number())):
			w.Park() // ends, by I3; acquire: pairs with unlockSlow
			return
		}
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *CLH) TryLock() bool {
	tail := l.tail.Load()
	if !l.isOver(tail) {
		return false
	}
	// If the CAS succeeds then, by I1, no goroutine has got in line since tail was
	// loaded. So the lock has been free since then, and over is the last generation
	// of the lock's own node. Loading over before isOver would be wrong: the own
	// node could be released in between.
	return l.tail.CompareAndSwap(tail, l.over.Load()+generation)
}

// isOver reports whether the place in line that tail names is over.
func (l *CLH) isOver(tail uint64) bool {
	number := uint32(tail & numberMask)
	if number == 0 {
		return tail == l.over.Load() // acquire: pairs with Unlock
	}
	last := waiter.At(number).Place.Load() // acquire: pairs with unlockSlow
	return int64(last&^numberMask-tail&^numberMask) >= 0
}

// TryLockPinned is [CLH.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *CLH) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l; the longest waiter, if there is one, then holds it.
// It panics if l is not locked.
func (l *CLH) Unlock() {
	if l.holder != nil {
		l.unlockSlow()
		return
	}
	next := l.over.Load() + generation
	if tail := l.tail.Load(); tail != next && l.isOver(tail) {
		panic("mcs: Unlock of unlocked CLH")
	}
	l.over.StoreRelease(next) // release: publishes the critical section
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *CLH) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

func (l *CLH) unlockSlow() {
	w := l.holder
	l.holder = nil
	old := w.Place.Load()
	for !w.Place.CompareAndSwap(old, old&^numberMask+generation) { // release: publishes the critical section
		old = w.Place.Load() // the successor parks
	}
	w.Retire()
	if parked := uint32(old & numberMask); parked != 0 {
		waiter.At(parked).Handoff()
	}
}

// String says whether l is locked and which waiter is last in line, for diagnosis.
func (l *CLH) String() string {
	tail := l.tail.Load()
	if l.isOver(tail) {
		return "unlocked"
	}
	number := uint32(tail & numberMask)
	if number == 0 {
		return "locked, no waiters"
	}
	cpu, context := waiter.Split(number)
	return fmt.Sprintf("locked, last in line: waiter %d of CPU %d", context, cpu)
}
