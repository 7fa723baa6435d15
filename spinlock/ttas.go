package spinlock

import "github.com/lockbench/lockbench/primitives"

// A TTAS is a test-and-test-and-set lock: its waiters read until the lock
// looks free and only then try to take it, so that they spin in their own
// caches. The zero TTAS is unlocked. A TTAS must not be copied after first use.
//
// The n'th call to Unlock synchronizes before the return of the m'th call to
// [TTAS.Lock], for n < m.
type TTAS struct{ flag }

// Lock locks l, spinning until it is free.
func (l *TTAS) Lock() {
	if !l.TryLock() {
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until UnlockPinned. Nothing in
// the critical section may block; see the package comment.
func (l *TTAS) LockPinned() {
	primitives.Pin()
	if !l.TryLock() {
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *TTAS) wait(spin primitives.Spin) {
	for {
		for l.word.Load() != 0 {
			spin.Once()
		}
		if l.word.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
			return
		}
	}
}
