package spinlock

import "github.com/lockbench/lockbench/primitives"

// A TTAS is a test-and-test-and-set lock: its waiters read until the lock
// looks free and only then try to take it, so that they spin in their own
// caches. The zero TTAS is unlocked. A TTAS must not be copied after first use.
//
// The n'th call to [TTAS.Unlock] synchronizes before the return of the m'th
// call to [TTAS.Lock], for n < m. A failed TryLock synchronizes nothing.
type TTAS struct {
	// locked is the whole lock.
	//
	//	0  unlocked
	//	1  locked
	//
	// I1: only the holder makes 1 -> 0, so its store needs no CAS.
	locked primitives.Uint32
}

// Lock locks l, spinning until it is free.
func (l *TTAS) Lock() {
	if !l.locked.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until [TTAS.UnlockPinned].
// Nothing in the critical section may block; see the package comment.
func (l *TTAS) LockPinned() {
	primitives.Pin()
	if !l.locked.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *TTAS) wait(spin primitives.Spin) {
	for {
		for l.locked.Load() != 0 {
			spin.Once()
		}
		if l.locked.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
			return
		}
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *TTAS) TryLock() bool {
	return l.locked.CompareAndSwap(0, 1) // acquire: pairs with Unlock
}

// TryLockPinned is [TTAS.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *TTAS) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l. It panics if l is not locked.
func (l *TTAS) Unlock() {
	if l.locked.Load() == 0 {
		panic("spinlock: Unlock of unlocked TTAS")
	}
	l.locked.StoreRelease(0) // release: publishes the critical section; by I1
}

// UnlockPinned unlocks l and enables preemption again.
func (l *TTAS) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// String says whether l is locked, for diagnosis.
func (l *TTAS) String() string { return state(&l.locked) }
