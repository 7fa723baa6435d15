package spinlock

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Backoff is a test-and-test-and-set lock with bounded exponential backoff:
// each failed attempt doubles the time for which the waiter stays away, up to
// a limit. With fewer waiters looking, the line stays with the holder, which
// is what counts when CPUs are far from each other. The price is fairness.
// The zero Backoff is unlocked. A Backoff must not be copied after first use.
//
// The n'th call to Unlock synchronizes before the return of the m'th call to
// [Backoff.Lock], for n < m.
type Backoff struct{ flag }

// The first stay is about what a line takes to travel between CPUs that are
// near each other, the longest a few times what it takes between far ones. A
// waiter that stays away for longer only leaves the lock idle.
const (
	shortestStay = 50 * time.Nanosecond
	longestStay  = 1600 * time.Nanosecond
)

// Lock locks l, spinning until it is free.
func (l *Backoff) Lock() {
	if !l.TryLock() {
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until UnlockPinned. Nothing in
// the critical section may block; see the package comment.
func (l *Backoff) LockPinned() {
	primitives.Pin()
	if !l.TryLock() {
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *Backoff) wait(spin primitives.Spin) {
	for stay := shortestStay; ; stay = min(2*stay, longestStay) {
		spin.OnceFor(stay)
		if l.word.Load() == 0 && l.word.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
			return
		}
	}
}
