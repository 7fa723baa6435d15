package harness

import (
	"errors"
	"runtime"
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
	probeTrips  = 10 // round trips in a group
	probeGroups = 5  // the median counts, so that an interruption does not
	probeLimit  = 5 * time.Millisecond
	probeTries  = 3
)

// A trip is the round trip of a cache line between two CPUs.
type trip struct {
	ns       float64 // meaningless if the distance is Local or Unknown
	distance results.Distance
}

// probe returns the round trip between two CPUs. The distance is Local if s
// keeps no two CPUs busy, and Unknown if the two did not run at the same time
// although they were given several chances.
//
// In Thread mode the CPUs are those of the first two workers.
func probe(s Scenario) (trip, error) {
	if s.CPUs < 2 || s.Workers < 2 || runtime.NumCPU() < 2 {
		return trip{distance: results.Local}, nil
	}
	return retry(func() (trip, error) { return play(s.Mode) })
}

// retry plays until the distance is known, but no more than probeTries times.
func retry(play func() (trip, error)) (t trip, err error) {
	for range probeTries {
		t, err = play()
		if err != nil || t.distance != results.Unknown {
			break
		}
	}
	return t, err
}

// play sends a cache line back and forth between two CPUs, 60 times.
func play(mode Mode) (trip, error) {
	b := &ball{limit: primitives.Nanotime() + int64(probeLimit)}
	returned := make(chan error, 1)
	primitives.Go(func() {
		returned <- onCPU(mode, 1, func() { b.returnAll(probeTrips * (probeGroups + 1)) })
	})
	times := make([]float64, 0, probeGroups)
	err := onCPU(mode, 0, func() {
		for group := range probeGroups + 1 {
			began := primitives.Nanotime()
			if !b.serve(probeTrips) {
				break
			}
			if group > 0 { // the first waits for the other player to turn up
				times = append(times, float64(primitives.Nanotime()-began)/probeTrips)
			}
		}
	})
	if err := errors.Join(err, <-returned); err != nil {
		return trip{}, err
	}
	if len(times) < probeGroups {
		return trip{distance: results.Unknown}, nil
	}
	slices.Sort(times)
	if ns := times[len(times)/2]; ns <= nearUpTo {
		return trip{ns, results.Near}, nil
	} else {
		return trip{ns, results.Far}, nil
	}
}

// onCPU calls f: bound to the i'th CPU in Thread mode, just so otherwise.
func onCPU(mode Mode, i int, f func()) error {
	if mode == Thread {
		restore, err := bind(i)
		if err != nil {
			return err
		}
		defer restore()
	}
	f()
	return nil
}

// and is the distance that a probe before a sample and one after it say that
// the sample was taken at.
func (t trip) and(after trip) results.Distance {
	switch {
	case t.distance == after.distance:
		return t.distance
	case t.distance == results.Unknown || after.distance == results.Unknown:
		return results.Unknown
	default:
		return results.Mixed
	}
}

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
