// Package ticket implements the ticket lock: a spinlock that serves its
// waiters in the order they arrived.
//
// An acquisition costs one fetch-and-add. All waiters spin on one word, so
// each release invalidates that line in every waiter's cache; package mcs is
// the better choice when many CPUs contend. docs/ticket.md says when to take it, with
// figures.
//
// # Goroutines that outnumber CPUs
//
// Only the goroutine whose turn it is can acquire a ticket lock, so if it is not
// running, all others wait for it. Waiters yield, so the lock does not stall, but a
// turn then costs a walk through the run queue: with 64 goroutines, 3 to 6 times the
// time of sync.Mutex, and 50 times when other programs take CPUs away. There use
// LockPinned, with which waiters are at most as many as CPUs; or mcs.Lock and
// qspinlock.Lock, whose waiters park and are woken in turn; or a lock that is not fair.
//
// The sources are Reed and Kanodia, "Synchronization with eventcounts and sequencers"
// (1979), and Linux from 2.6.25 to 4.1.
package ticket

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Lock is a ticket lock, of 8 bytes. The zero Lock is unlocked.
// A Lock must not be copied after first use.
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m. A failed TryLock synchronizes nothing.
//
// Tickets are 32-bit numbers, and wrap. So 2³² goroutines at a time may hold
// the lock and wait, which is more than fit in memory. A TryLock would be wrong
// if exactly a multiple of 2³² acquisitions came between its load and its
// compare-and-swap, which are two instructions.
type Lock struct {
	// next is the ticket the next arrival draws; owner is the ticket being
	// served. Both only grow, modulo 2³².
	//
	//	next-owner == 0    unlocked
	//	next-owner == 1+n  locked, n goroutines waiting
	//
	// I1: owner never passes next.
	// I2: while the lock is held, only its holder writes owner.
	//
	// They share a cache line on purpose: a goroutine that draws a ticket then needs
	// owner. The lock has 8 bytes; put it on its own line if other words on its line
	// are written.
	next  primitives.Uint32
	owner primitives.Uint32
}

// Lock locks l, waiting its turn behind the goroutines already in line.
func (l *Lock) Lock() {
	ticket := l.next.Add(1) - 1
	if l.owner.Load() != ticket { // acquire: pairs with handoff in Unlock
		l.wait(ticket, primitives.Spin{InLine: true})
	}
}

// LockPinned locks l and disables preemption until [Lock.UnlockPinned].
//
// Nothing in the critical section may block: no channel, no sync.Mutex, no
// I/O, nothing long. A lock is used pinned by all or by none: a pinned waiter
// holds its CPU until its turn, and a holder that can be preempted may need it.
func (l *Lock) LockPinned() {
	primitives.Pin()
	ticket := l.next.Add(1) - 1
	if l.owner.Load() != ticket { // acquire: pairs with handoff in Unlock
		l.wait(ticket, primitives.Spin{InLine: true, Pinned: true})
	}
}

func (l *Lock) wait(ticket uint32, spin primitives.Spin) {
	for l.owner.Load() != ticket { // acquire: pairs with handoff in Unlock
		spin.Once()
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Lock) TryLock() bool {
	owner := l.owner.Load() // acquire: pairs with handoff in Unlock
	// If next still equals the loaded owner then, by I1, owner has not moved since
	// (unless 2³² acquisitions came in between): the lock is free, and the ticket
	// drawn here is the one being served.
	return l.next.CompareAndSwap(owner, owner+1)
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
	owner := l.owner.Load() // only the caller writes it, by I2
	if owner == l.next.Load() {
		panic("ticket: Unlock of unlocked Lock")
	}
	l.owner.StoreRelease(owner + 1) // release (handoff): publishes the critical section
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Lock) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// String says which ticket is served and how many wait, for diagnosis.
func (l *Lock) String() string {
	owner := l.owner.Load() // before next, so that the difference is not negative, by I1
	switch n := l.next.Load() - owner; n {
	case 0:
		return fmt.Sprintf("unlocked, ticket %d is next", owner)
	default:
		return fmt.Sprintf("locked, serving ticket %d, %d waiting", owner, n-1)
	}
}
