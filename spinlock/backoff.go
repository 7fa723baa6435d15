package spinlock

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Backoff is a test-and-test-and-set lock with bounded exponential backoff:
// each failed attempt doubles the time for which the waiter stays away, up to
// a limit. With fewer waiters looking, the line stays with the holder, which
// is what counts when CPUs are far from each other; the price is fairness.
// The zero Backoff is unlocked. A Backoff must not be copied after first use.
//
// The n'th call to [Backoff.Unlock] synchronizes before the return of the m'th
// call to [Backoff.Lock], for n < m. A failed TryLock synchronizes nothing.
type Backoff struct {
	// locked is the whole lock.
	//
	//	0  unlocked
	//	1  locked
	//
	// I1: only the holder makes 1 -> 0, so its store needs no CAS.
	locked primitives.Uint32
}

// Lock locks l, spinning until it is free.
func (l *Backoff) Lock() {
	if !l.locked.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until [Backoff.UnlockPinned].
// Nothing in the critical section may block; see the package comment.
func (l *Backoff) LockPinned() {
	primitives.Pin()
	if !l.locked.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
		l.wait(primitives.Spin{Pinned: true})
	}
}

// The first stay is about what a line takes to travel between CPUs that are
// near, the longest a few times what it takes between CPUs that are far. A
// waiter that backs off for longer than the critical sections around it only
// leaves the lock idle.
const (
	minBackoff = 50 * time.Nanosecond
	maxBackoff = 1600 * time.Nanosecond
)

func (l *Backoff) wait(spin primitives.Spin) {
	for stay := minBackoff; ; stay = min(2*stay, maxBackoff) {
		spin.OnceFor(stay)
		if l.locked.Load() == 0 && l.locked.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
			return
		}
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Backoff) TryLock() bool {
	return l.locked.CompareAndSwap(0, 1) // acquire: pairs with Unlock
}

// TryLockPinned is [Backoff.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *Backoff) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l. It panics if l is not locked.
func (l *Backoff) Unlock() {
	if l.locked.Load() == 0 {
		panic("spinlock: Unlock of unlocked Backoff")
	}
	l.locked.StoreRelease(0) // release: publishes the critical section; by I1
}

// UnlockPinned unlocks l and enables preemption again.
func (l *Backoff) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// String says whether l is locked, for diagnosis.
func (l *Backoff) String() string { return state(&l.locked) }
