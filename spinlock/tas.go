package spinlock

import "github.com/lockbench/lockbench/primitives"

// A TAS is a test-and-set lock: it swaps a flag until the flag was clear.
// The zero TAS is unlocked. A TAS must not be copied after first use.
//
// The n'th call to Unlock synchronizes before the return of the m'th call to
// [TAS.Lock], for n < m.
type TAS struct{ flag }

// Lock locks l, spinning until it is free.
func (l *TAS) Lock() {
	if !l.TryLock() {
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until UnlockPinned. Nothing in
// the critical section may block; see the package comment.
func (l *TAS) LockPinned() {
	primitives.Pin()
	if !l.TryLock() {
		l.wait(primitives.Spin{Pinned: true})
	}
}

// wait takes the cache line away from the holder at every look. That is the weakness
// of a TAS, which a TTAS does not have.
//
//go:noinline
func (l *TAS) wait(spin primitives.Spin) {
	for l.word.Swap(1) != 0 { // acquire: pairs with Unlock
		spin.Once()
	}
}
