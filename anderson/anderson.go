// Package anderson implements Anderson's array lock: a ticket lock whose waiters
// each watch a slot of an array, on a cache line of its own.
//
// An acquisition costs one fetch-and-add, as a ticket lock's does, and a release stores
// only to the slot of the next waiter: the lines of the others stay where they are,
// however many wait. The price is memory, [Slots] cache lines for each lock, while a
// lock of package mcs has a few words, and all its locks share their waiters. So it is
// for few locks for which many CPUs contend. docs/anderson.md has figures.
//
// # Goroutines that outnumber CPUs
//
// Only the goroutine whose turn it is can acquire the lock, so if it is not running, all
// others wait for it. Waiters yield, so the lock does not stall, but a turn then costs a
// walk through the run queue, as with package ticket. There use LockPinned, or a lock
// whose waiters park: mcs.Lock, qspinlock.Lock.
//
// The source is Anderson, "The performance of spin lock alternatives for shared-memory
// multiprocessors" (1990).
package anderson

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// Slots is how many waiters have a slot to themselves. It is a power of two, so that
// the slots of tickets continue in turn when tickets wrap.
const Slots = 64

// A Lock is Anderson's array lock, of 4,496 bytes. The zero Lock is unlocked.
// A Lock must not be copied after first use.
//
// The number of goroutines is unbounded and that of slots is not: an arrival behind
// [Slots] others shares the slot of the goroutine that is Slots places ahead of it. It
// still waits for its own turn, in the order of arrival; but once in Slots releases, a
// release for the other one takes its cache line away.
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m. A failed TryLock synchronizes nothing.
//
// Tickets are 32-bit numbers, and wrap. So 2³² goroutines at a time may hold
// the lock and wait, which is more than fit in memory. A TryLock would be wrong
// if exactly a multiple of 2³² acquisitions came between its load and its
// compare-and-swap, which are few instructions.
type Lock struct {
	// next is the ticket that the next arrival draws. It only grows, modulo 2³².
	next primitives.Uint32

	// unused are the bits of a ticket that do not choose a slot although they could: 0,
	// except in tests, which have fewer slots.
	unused uint32

	_ primitives.CacheLine // arrivals write next; no waiter watches it

	// holder is the holder's ticket with the bit held set, or 0 if there is no holder.
	// Only the holder touches it.
	holder primitives.Cell[uint64]

	_ primitives.CacheLine

	// slots have the tickets that were granted: ticket t may enter when its slot, number
	// t modulo the number of slots, has the value t.
	//
	// I1: tickets are granted in order, each once: t+1 by the holder of t. I2: a slot
	// has the last ticket that was granted of those that belong to it. The values of
	// one slot are as far apart as there are slots, so a waiter never takes another's
	// grant for its own, and the slots of the zero Lock grant ticket 0 only. I3: the
	// lock is free if the slot of next has the value next.
	slots [Slots]slot
}

type slot struct {
	granted primitives.Uint32
	_       primitives.CacheLine
}

const held = 1 << 32 // in Lock.holder

// slot returns the slot of a ticket.
func (l *Lock) slot(ticket uint32) *primitives.Uint32 {
	return &l.slots[ticket&^l.unused%Slots].granted
}

// Lock locks l, waiting its turn behind the goroutines already in line.
func (l *Lock) Lock() {
	ticket := l.next.Add(1) - 1
	if l.slot(ticket).Load() != ticket { // acquire: pairs with handoff in Unlock
		l.wait(ticket, primitives.Spin{InLine: true})
	}
	l.holder.Set(held | uint64(ticket))
}

// LockPinned locks l and disables preemption until [Lock.UnlockPinned].
//
// Nothing in the critical section may block: no channel, no sync.Mutex, no
// I/O, nothing long. A lock is used pinned by all or by none: a pinned waiter
// holds its CPU until its turn, and a holder that can be preempted may need it.
func (l *Lock) LockPinned() {
	primitives.Pin()
	ticket := l.next.Add(1) - 1
	if l.slot(ticket).Load() != ticket { // acquire: pairs with handoff in Unlock
		l.wait(ticket, primitives.Spin{InLine: true, Pinned: true})
	}
	l.holder.Set(held | uint64(ticket))
}

func (l *Lock) wait(ticket uint32, spin primitives.Spin) {
	granted := l.slot(ticket)
	for granted.Load() != ticket { // acquire: pairs with handoff in Unlock
		spin.Once()
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Lock) TryLock() bool {
	next := l.next.Load()
	if l.slot(next).Load() != next { // acquire: pairs with handoff in Unlock
		return false
	}
	// The ticket next has been granted, and stays granted, by I1. If next still has
	// that value, the ticket was not drawn (unless 2³² acquisitions came in between):
	// the caller draws it.
	if !l.next.CompareAndSwap(next, next+1) {
		return false
	}
	l.holder.Set(held | uint64(next))
	return true
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
	holder := l.holder.Get()
	if holder == 0 {
		panic("anderson: Unlock of unlocked Lock")
	}
	next := uint32(holder) + 1
	l.holder.Set(0)                 // before the release: after it holder belongs to the next holder
	l.slot(next).StoreRelease(next) // release (handoff): publishes the critical section
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Lock) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// String says which ticket is served and how many wait, for diagnosis.
func (l *Lock) String() string {
	// The last ticket granted is the one that is least behind next.
	behind := ^uint32(0)
	next := l.next.Load()
	for i := range uint32(Slots) {
		behind = min(behind, next-l.slot(i).Load())
	}
	if behind == 0 {
		return fmt.Sprintf("unlocked, ticket %d is next", next)
	}
	return fmt.Sprintf("locked, serving ticket %d, %d waiting", next-behind, behind-1)
}
