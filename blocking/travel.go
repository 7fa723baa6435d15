package blocking

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A travel is what a lock knows of how far its cache line travels between
// CPUs, which can change at run time; see [spinlock.Backoff], which learned it
// first. Where they are near, a waiter that stays away for long leaves the
// lock idle; where they are far, one that looks often takes the line from the
// holder for nothing.
type travel struct {
	// hint is a guess: updates of it may get lost, and any value is right.
	//
	//	0 … untimed-1  near, and so many waits since the last timed one
	//	untimed        near, but the next wait is to be timed
	//	far            far; each wait is timed
	hint primitives.Uint32
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

// stay returns for how long a waiter should stay away between its first looks,
// and whether it should time those that fetch the line.
func (t *travel) stay() (stay time.Duration, timed bool) {
	hint := t.hint.Load()
	switch {
	case hint == far:
		return farStay, true
	case hint >= untimed:
		return nearStay, true
	}
	t.hint.StoreRelease(hint + 1) // cheap: the failed attempt has fetched the line
	return nearStay, false
}

// learn keeps what a look that fetched the line says of its travel.
func (t *travel) learn(look time.Duration) {
	hint := uint32(0)
	if look > farLook {
		hint = far
	}
	t.hint.StoreRelease(hint)
}
