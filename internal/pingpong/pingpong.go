// Package pingpong measures how far two CPUs are from each other, by the round
// trip of a cache line between them.
//
// On a virtual machine the host may move a CPU at any time, and contended code
// becomes several times faster or slower without a change that the guest could
// see. So a benchmark of such code measures the round trip before and after, which takes
// some microseconds, and compares only samples of the same distance.
package pingpong

import (
	"errors"
	"slices"
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

// And returns the distance of a sample, given the trip before it and the one after.
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

// Probe returns the round trip between two CPUs. The distance is Unknown if the two
// sides did not run at the same time in several tries.
//
// If on is not nil, it calls f for side i, 0 or 1, on the CPU that is to be measured; the
// error of Probe is that of on.
func Probe(on func(i int, f func()) error) (Trip, error) {
	if on == nil {
		on = func(_ int, f func()) error { f(); return nil }
	}
	return retry(func() (Trip, error) { return measure(on) })
}

// retry calls measure until the distance is known, but at most tries times.
func retry(measure func() (Trip, error)) (t Trip, err error) {
	for range tries {
		t, err = measure()
		if err != nil || t.Distance != results.Unknown {
			break
		}
	}
	return t, err
}

// measure sends a cache line back and forth between two CPUs, 60 times.
func measure(on func(i int, f func()) error) (Trip, error) {
	s := &signal{limit: primitives.Nanotime() + int64(limit)}
	var failed error // of the other side, once back has a wake-up
	var back primitives.Parker
	primitives.Go(func() {
		defer back.Unpark()
		failed = on(1, func() { s.answer(trips * (groups + 1)) })
	})
	times := make([]float64, 0, groups)
	err := on(0, func() {
		for group := range groups + 1 {
			began := primitives.Nanotime()
			if !s.send(trips) {
				break
			}
			if group > 0 { // the first waits for the other side to start
				times = append(times, float64(primitives.Nanotime()-began)/trips)
			}
		}
	})
	back.Park()
	if err := errors.Join(err, failed); err != nil {
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

// A pad keeps the field before it from sharing a cache line with the field after it,
// also where the CPU fetches lines in pairs.
type pad [2 * primitives.CacheLineSize]byte

// A signal is a word that two sides send back and forth: the sender makes it odd, and
// the other side answers by making it even.
type signal struct {
	_     pad
	word  primitives.Uint32
	_     pad
	limit int64 // the deadline
}

// send sends the signal n times and reports whether it was answered each time.
func (s *signal) send(n int) bool {
	for range n {
		v := s.word.Load() + 1
		s.word.Store(v)
		if !s.await(v + 1) {
			return false
		}
	}
	return true
}

// answer answers the signal n times.
func (s *signal) answer(n int) {
	for i := range uint32(n) {
		if !s.await(2*i + 1) {
			return
		}
		s.word.Store(2*i + 2)
	}
}

// await waits for the word to be v, without yielding, and reports whether that happened
// before the deadline.
func (s *signal) await(v uint32) bool {
	for n := 1; s.word.Load() != v; n++ {
		if n%1024 == 0 && primitives.Nanotime() > s.limit {
			return false
		}
	}
	return true
}
