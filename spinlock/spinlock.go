// Package spinlock implements the classic locks of one word and one atomic
// instruction: test-and-set, test-and-test-and-set, and the latter with
// bounded exponential backoff.
//
// They are the fastest locks without contention, and none is fair: the goroutine
// that finds the word clear takes the lock.
//
//	TAS      4 bytes  the simplest; its waiters write the cache line over and over
//	TTAS     4 bytes  its waiters read, and write only once the lock looks free
//	Backoff  8 bytes  its waiters stay away for longer and longer: for CPUs that
//	                  are far from each other
//
// Waiters yield when goroutines outnumber CPUs. For service in the order of
// arrival see packages ticket, mcs and qspinlock. docs/cas.md says when to take which,
// with figures.
//
// The source is Anderson, "The performance of spin lock alternatives for
// shared-memory multiprocessors" (1990); TTAS is of Rudolph and Segall (1984).
//
// # Pinned sections
//
// Each lock has LockPinned and UnlockPinned in addition to Lock and Unlock: preemption
// is off from one to the other, as in the kernel's spin_lock. The holder then always
// runs, and waiters can only be as many as CPUs. The rules are the kernel's too:
//
//   - NOTHING IN A PINNED SECTION MAY BLOCK: no channel, no sync.Mutex, no
//     I/O, nothing long. The runtime throws, or the collector waits for you.
//     A panic in a pinned section ends the program.
//   - A lock is used pinned by all or by none. A pinned waiter keeps its CPU
//     until it has the lock; a holder that can be preempted may need that CPU.
package spinlock

import "github.com/lockbench/lockbench/primitives"

// A flag is the word of each lock in this package, with the methods that they share:
// all except wait.
type flag struct {
	// word is the whole lock. (The old texts have 1 for available; here the
	// zero value is unlocked.)
	//
	//	0  unlocked
	//	1  locked
	//
	// I1: only the holder changes 1 -> 0, so its store needs no CAS.
	word primitives.Uint32
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
// If it fails, it synchronizes nothing.
func (l *flag) TryLock() bool {
	return l.word.CompareAndSwap(0, 1) // acquire: pairs with Unlock
}

// TryLockPinned is TryLock for pinned sections: preemption is disabled if it
// succeeded.
func (l *flag) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l. It panics if l is not locked.
func (l *flag) Unlock() {
	if l.word.Load() == 0 {
		panic("spinlock: Unlock of unlocked lock")
	}
	l.word.StoreRelease(0) // release: publishes the critical section; by I1
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *flag) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// String says whether l is locked, for diagnosis.
func (l *flag) String() string {
	if l.word.Load() == 0 {
		return "unlocked"
	}
	return "locked"
}
