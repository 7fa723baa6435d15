package primitives

import "time"

// A Travel notes how far a lock's cache line travels between the CPUs that contend for
// it. That can change at run time: a host moves virtual CPUs, a scheduler moves threads.
// If CPUs are near, a waiter that stays away for long leaves the lock idle. If they are
// far, a waiter that looks often takes the line from the holder without need. So now and
// then a waiter times a look, and the lock keeps the result. The zero Travel takes CPUs
// to be near. A Travel must not be copied after first use.
type Travel struct {
	// hint may lose updates; any value is correct.
	//
	//	0 … untimed-1  near, and so many waits since the last timed one
	//	untimed        near, and the next wait must be timed
	//	far            far; each wait is timed
	hint Uint32
}

const (
	untimed = 16 // timing costs two reads of the clock, 50 ns
	far     = 1 << 31

	// A look at a word that has changed fetches its line. Between near CPUs
	// that took 20 to 60 ns on the reference machine, clock included, and
	// between far ones 120 to 200.
	farLook = 100 * time.Nanosecond
)

// The length of a waiter's stays away from a contended line.
const (
	NearStay    = 25 * time.Nanosecond   // the first, where CPUs are near
	FarStay     = 1600 * time.Nanosecond // the first, where CPUs are far: several critical sections
	LongestStay = 3200 * time.Nanosecond
)

// Stay returns for how long a waiter should stay away at first, [NearStay] or
// [FarStay], and whether it should time those of its looks that fetch the line
// and report them to [Travel.Learn]. It is called once in each wait.
func (t *Travel) Stay() (stay time.Duration, timed bool) {
	if e := current(); e != nil && !e.Timed() {
		return NearStay, false // a Travel changes a lock's pace, not its steps
	}
	hint := t.hint.Load()
	switch {
	case hint == far:
		return FarStay, true
	case hint >= untimed:
		return NearStay, true
	}
	t.hint.StoreRelease(hint + 1) // cheap: it is next to a word that the waiter has just failed to change
	return NearStay, false
}

// Learn notes the travel of the line from a look that fetched it.
func (t *Travel) Learn(look time.Duration) {
	if e := current(); e != nil && !e.Timed() {
		return
	}
	hint := uint32(0)
	if look > farLook {
		hint = far
	}
	t.hint.StoreRelease(hint)
}

// Far reports whether CPUs are taken to be far from each other.
func (t *Travel) Far() bool { return t.hint.Load() == far }
