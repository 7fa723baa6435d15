package spinlock

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Backoff is a test-and-test-and-set lock with bounded exponential backoff: each
// failed attempt doubles the time for which the waiter stays away. With fewer waiters
// that look, the cache line stays with the holder's CPU, which then runs several
// critical sections for one trip of the line between CPUs. The price is fairness. The
// zero Backoff is unlocked.
// A Backoff must not be copied after first use.
//
// How long a waiter stays away at first depends on how far the line travels between
// the CPUs, which the lock measures; see [primitives.Travel].
//
// The n'th call to Unlock synchronizes before the return of the m'th call to
// [Backoff.Lock], for n < m.
type Backoff struct {
	flag
	travel primitives.Travel // of the line that word is on
}

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
	stay, timed := l.travel.Stay()
	if stay == primitives.FarStay {
		spin.OnceFor(stay)
	}
	for ; ; stay = min(2*stay, primitives.LongestStay) {
		var began int64
		if timed {
			began = primitives.Nanotime()
		}
		if l.word.Load() == 0 {
			// word was 1 at the look before, so this look has fetched the line.
			if timed {
				l.travel.Learn(time.Duration(primitives.Nanotime() - began))
			}
			if l.word.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
				return
			}
		}
		spin.OnceFor(stay)
	}
}
