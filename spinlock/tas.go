package spinlock

import "github.com/lockbench/lockbench/primitives"

// A TAS is a test-and-set lock: it swaps a flag until it was clear.
// The zero TAS is unlocked. A TAS must not be copied after first use.
//
// The n'th call to [TAS.Unlock] synchronizes before the return of the m'th
// call to [TAS.Lock], for n < m. A failed TryLock synchronizes nothing.
type TAS struct {
	// locked is the whole lock. (The old texts have 1 for available; here the
	// zero value is unlocked.)
	//
	//	0  unlocked
	//	1  locked
	//
	// I1: only the holder makes 1 -> 0, so its store needs no CAS.
	locked primitives.Uint32
}

// Lock locks l, spinning until it is free.
func (l *TAS) Lock() {
	if l.locked.Swap(1) != 0 { // acquire: pairs with Unlock
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until [TAS.UnlockPinned].
// Nothing in the critical section may block; see the package comment.
func (l *TAS) LockPinned() {
	primitives.Pin()
	if l.locked.Swap(1) != 0 { // acquire: pairs with Unlock
		l.wait(primitives.Spin{Pinned: true})
	}
}

// wait writes the line at every look, which is what TAS is.
func (l *TAS) wait(spin primitives.Spin) {
	for l.locked.Swap(1) != 0 { // acquire: pairs with Unlock
		spin.Once()
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *TAS) TryLock() bool {
	return l.locked.CompareAndSwap(0, 1) // acquire: pairs with Unlock
}

// TryLockPinned is [TAS.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *TAS) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l. It panics if l is not locked.
func (l *TAS) Unlock() {
	if l.locked.Load() == 0 {
		panic("spinlock: Unlock of unlocked TAS")
	}
	l.locked.StoreRelease(0) // release: publishes the critical section; by I1
}

// UnlockPinned unlocks l and enables preemption again.
func (l *TAS) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// String says whether l is locked, for diagnosis.
func (l *TAS) String() string { return state(&l.locked) }

// state reads the word that the locks of this package have in common.
func state(locked *primitives.Uint32) string {
	if locked.Load() == 0 {
		return "unlocked"
	}
	return "locked"
}
