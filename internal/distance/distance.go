// Package distance measures how far two CPUs are from each other, by the round
// trip of a cache line between them.
//
// On a virtual machine the host may move a CPU at any time, and contended code
// becomes several times faster or slower without a change that the guest could
// see. So whoever measures such code plays this ping-pong before and after,
// which takes some microseconds, and compares only what was measured at the
// same distance.
package distance

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// nearUpTo is the longest round trip, in nanoseconds, of CPUs that are near
// each other. On the reference machine it is 45 to 150 if they are near, 375
// to 525 if they are far, and nothing in between.
const nearUpTo = 200

const (
	trips  = 10 // in a group
	groups = 5  // the median counts, so that an interruption does not
	limit  = 5 * time.Millisecond
	tries  = 3
)

// A Trip is the round trip of a cache line between two CPUs.
type Trip struct {
	NS       float64 // nanoseconds; meaningless unless the distance is Near or Far
	Distance results.Distance
}

// And is the distance that a probe before a sample and one after it say that
// the sample was taken at.
func (t Trip) And(after Trip) results.Distance {
	switch {
	case t.Distance == after.Distance:
		return t.Distance
	case t.Distance == results.Unknown || after.Distance == results.Unknown:
		return results.Unknown
	default:
		return results.Mixed
	}
}

// Probe returns the round trip between two CPUs. The distance is Unknown if
// the two players did not run at the same time although they were given several
// chances.
//
// If on is not nil, it calls f for player i, 0 or 1, on the CPU that is to be
// measured; the error of Probe is that of on.
func Probe(on func(i int, f func()) error) (Trip, error) {
	if on == nil {
		on = func(_ int, f func()) error { f(); return nil }
	}
	return retry(func() (Trip, error) { return play(on) })
}

// retry plays until the distance is known, but no more than so many times.
func retry(play func() (Trip, error)) (t Trip, err error) {
	for range tries {
		t, err = play()
		if err != nil || t.Distance != results.Unknown {
			break
		}
	}
	return t, err
}

// play sends a cache line back and forth between two CPUs, 60 times.
func play(on func(i int, f func()) error) (Trip, error) {
	b := &ball{limit: primitives.Nanotime() + int64(limit)}
	returned := make(chan error, 1)
	primitives.Go(func() {
		returned <- on(1, func() { b.returnAll(trips * (groups + 1)) })
	})
	times := make([]float64, 0, groups)
	err := on(0, func() {
		for group := range groups + 1 {
			began := primitives.Nanotime()
			if !b.serve(trips) {
				break
			}
			if group > 0 { // the first waits for the other player to turn up
				times = append(times, float64(primitives.Nanotime()-began)/trips)
			}
		}
	})
	if err := errors.Join(err, <-returned); err != nil {
		return Trip{}, err
	}
	if len(times) < groups {
		return Trip{Distance: results.Unknown}, nil
	}
	slices.Sort(times)
	if ns := times[len(times)/2]; ns <= nearUpTo {
		return Trip{ns, results.Near}, nil
	} else {
		return Trip{ns, results.Far}, nil
	}
}

// A pad keeps what is before it from sharing a cache line with what is after
// it, also where the CPU fetches lines in pairs.
type pad [2 * primitives.CacheLineSize]byte

// A ball is a word that two players send back and forth. It is with the
// server while it is even.
type ball struct {
	_     pad
	word  atomic.Uint32
	_     pad
	limit int64 // when to give up
}

// serve sends the ball n times and reports whether it came back each time.
func (b *ball) serve(n int) bool {
	for range n {
		v := b.word.Load() + 1
		b.word.Store(v)
		if !b.await(v + 1) {
			return false
		}
	}
	return true
}

// returnAll returns the ball n times.
func (b *ball) returnAll(n int) {
	for i := range uint32(n) {
		if !b.await(2*i + 1) {
			return
		}
		b.word.Store(2*i + 2)
	}
}

// await waits for the word to be v, without yielding, and reports whether it
// became so in time.
func (b *ball) await(v uint32) bool {
	for n := 1; b.word.Load() != v; n++ {
		if n%1024 == 0 && primitives.Nanotime() > b.limit {
			return false
		}
	}
	return true
}
