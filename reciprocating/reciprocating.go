// Package reciprocating implements the lock of Dice and Kogan (PPoPP 2025): arrivals push
// themselves on a stack with one swap, and a release takes one step, too. There is no link
// to wait for, as in MCS, so each takes the same time however many goroutines wait.
//
// A holder that finds no waiter left detaches the whole stack with one swap. It is the
// next segment, and its waiters are served from the newest to the oldest, while others
// arrive on a new stack. That is not the order of arrival, but a waiter is overtaken only
// by arrivals of its own segment: by each other goroutine at most once.
//
// Prefer package mcs or qspinlock where the order of arrival matters. The newest waiter of
// a segment is the one that most likely still spins and has not parked. Goroutines that come
// again at once are in the next segment in the opposite order, so that none is always last.
//
// Waiters are those of package mcs: they park once spinning cannot pay, a release wakes
// exactly the next one and gives it the CPU, and 65,532 can wait at a time.
// docs/reciprocating.md says when to take it, with figures.
package reciprocating

import (
	"fmt"
	"unsafe"

	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// A Lock is a reciprocating lock. The zero Lock is unlocked.
// A Lock must not be copied after first use.
//
// A waiter is overtaken by each other goroutine at most once: from when it has arrived
// until it has the lock, another goroutine gets it at most twice, once if that has arrived
// before and once more after. (Goroutines that find all waiters taken queue in
// a line and arrive in that order.)
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m. A failed TryLock synchronizes nothing.
type Lock struct {
	// arrivals is the top of the stack of those that have arrived since the last segment
	// was detached.
	//
	//	0       unlocked
	//	held    locked, the stack is empty
	//	number  locked; that waiter arrived last. It knows what was there before: the one below
	//
	// I1: the lowest of the stack has found held below it, or last.
	arrivals primitives.Uint32

	// next is the number of the waiter that is served next, the one below the holder in
	// its segment, or 0 if there is none. Only the holder touches it.
	//
	// I2: next is 0 when the lock is not held.
	next uint32

	// last is the number of a waiter that is below all others and waits no more, or 0. It is
	// that of a goroutine that found the lock free and could not take its number back.
	// Only the holder touches it.
	//
	// I3: that waiter stays enlisted, so that no other is known by its number, until
	// the one above it has the lock. Then last is 0 again, before the segment ends.
	last uint32
}

// held says that a lock is held and the stack is empty; waiters' numbers begin at 4.
const held = 1

// Lock locks l, waiting for its turn.
func (l *Lock) Lock() {
	if !l.arrivals.CompareAndSwap(0, held) { // acquire: pairs with release
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
	if !l.arrivals.CompareAndSwap(0, held) { // acquire: pairs with release
		l.wait(primitives.Spin{InLine: true, Pinned: true})
	}
}

func (l *Lock) wait(spin primitives.Spin) {
	w := waiter.EnlistFor(uintptr(unsafe.Pointer(l)), l.TryLock, spin)
	if w == nil { // the caller holds the lock
		return
	}
	below := l.arrivals.Swap(w.Number()) // acquire: pairs with release; release (arrival): pairs with unlockSlow
	w.Arrived()
	if below == 0 { // the caller holds the lock, and by I2 next is 0
		if l.arrivals.CompareAndSwap(w.Number(), held) {
			w.Retire()
		} else { // others are above it, and the lowest of them knows its number
			l.last = w.Number()
		}
		return
	}
	w.Await(spin) // acquire: pairs with handoff
	w.Retire()    // the one above it had the lock before, and has forgotten it
	switch below {
	case held:
		l.next = 0
	case l.last: // no other waiter knows its number
		waiter.At(below).Retire()
		l.next, l.last = 0, 0
	default:
		l.next = below
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Lock) TryLock() bool {
	return l.arrivals.CompareAndSwap(0, held) // acquire: pairs with release
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

// Unlock unlocks l and hands it to the next waiter of the segment, or to the newest arrival,
// if there is one. It panics if l is not locked.
func (l *Lock) Unlock() {
	if l.next != 0 || !l.arrivals.CompareAndSwap(held, 0) { // release: publishes the critical section
		l.unlockSlow()
	}
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Lock) UnlockPinned() {
	if l.next != 0 || !l.arrivals.CompareAndSwap(held, 0) { // release: publishes the critical section
		l.unlockSlow()
	}
	primitives.Unpin()
}

func (l *Lock) unlockSlow() {
	next := l.next
	if next == 0 { // the segment is over, and arrivals is a waiter's number
		if l.arrivals.Load() == 0 {
			panic("reciprocating: Unlock of unlocked Lock")
		}
		next = l.arrivals.Swap(held) // acquire: pairs with arrival
	}
	waiter.At(next).Handoff() // release (handoff): publishes the critical section
}

// String says whether l is locked and which waiter arrived last, for diagnosis.
func (l *Lock) String() string {
	switch arrivals := l.arrivals.Load(); arrivals {
	case 0:
		return "unlocked"
	case held:
		return "locked, no arrivals"
	default:
		cpu, context := waiter.Split(arrivals)
		return fmt.Sprintf("locked, the last arrival: waiter %d of CPU %d", context, cpu)
	}
}
