package spinlock

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Backoff is a test-and-test-and-set lock with bounded exponential backoff:
// each failed attempt doubles the time for which the waiter stays away. With
// fewer waiters looking, the line stays with the holder, which then gets
// several critical sections out of one trip of the line between CPUs. The
// price is fairness. The zero Backoff is unlocked.
// A Backoff must not be copied after first use.
//
// How long to stay away at first depends on how far the line travels, and that
// can change at run time: a host moves virtual CPUs about, a scheduler moves
// threads. Where CPUs are near, a long stay only leaves the lock idle; where
// they are far, a short one takes the line from the holder for nothing. So now
// and then a waiter times a look, and the lock keeps what it learned.
//
// The n'th call to Unlock synchronizes before the return of the m'th call to
// [Backoff.Lock], for n < m.
type Backoff struct {
	flag

	// travel says what is known of the line's travel. It is a hint: updates
	// of it may get lost, and any value is right.
	//
	//	0 … untimed-1  near, and so many waits since the last timed one
	//	untimed        near, but the next wait is to be timed
	//	far            far; each wait is timed
	travel primitives.Uint32
}

const (
	untimed = 16 // timing costs two reads of the clock, 50 ns
	far     = 1 << 31

	// A look at a word that has changed fetches its line. Between near CPUs
	// that took 20 to 60 ns on the reference machine, clock included, and
	// between far ones 120 to 200.
	farLook = 100 * time.Nanosecond

	nearStay    = 25 * time.Nanosecond
	farStay     = 1600 * time.Nanosecond
	longestStay = 3200 * time.Nanosecond
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
	travel := l.travel.Load()
	stay, timed := nearStay, travel >= untimed
	switch {
	case travel == far:
		stay = farStay
		spin.OnceFor(stay)
	case !timed:
		l.travel.StoreRelease(travel + 1) // cheap: the failed attempt has fetched the line
	}
	for ; ; stay = min(2*stay, longestStay) {
		var began int64
		if timed {
			began = primitives.Nanotime()
		}
		if l.word.Load() == 0 {
			// It was 1 when we looked last, so this look has fetched the line.
			if timed {
				l.learn(time.Duration(primitives.Nanotime() - began))
			}
			if l.word.CompareAndSwap(0, 1) { // acquire: pairs with Unlock
				return
			}
		}
		spin.OnceFor(stay)
	}
}

// learn keeps what a look that fetched the line says of the line's travel.
func (l *Backoff) learn(look time.Duration) {
	travel := uint32(0)
	if look > farLook {
		travel = far
	}
	l.travel.StoreRelease(travel)
}
