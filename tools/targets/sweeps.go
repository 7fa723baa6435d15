package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/rwlock"
)

// sweep measures the locks of a part, and the other subjects that its sweeps have, one
// sweep after the other. It is what lockbench run measures.
func (p part) sweep(ctx context.Context, rounds int) (samples []results.Sample, err error) {
	entries, err := catalog.Match(p.locks...)
	if err != nil {
		return nil, err
	}
	for _, s := range p.sweeps {
		own := s.Subjects
		s.Subjects = nil
		for _, e := range entries {
			s.Subjects = append(s.Subjects, e.Subject)
		}
		s.Subjects = append(s.Subjects, own...)
		if s.Hold == nil {
			s.Hold = []time.Duration{0}
		}
		if s.Think == nil {
			s.Think = []time.Duration{0}
		}
		s.Count = rounds
		meter := newMeter()
		err := s.Run(ctx, func(p harness.Progress) error {
			samples = append(samples, p.Sample)
			meter.Show(func() string { return fmt.Sprintf("%d of %d samples", p.Done, p.Total) })
			return nil
		})
		meter.Clear()
		if err != nil {
			return samples, err
		}
	}
	return samples, nil
}

// A floor is the least cost of a lock that is on one cache line and guards another: it
// takes both lines from the other CPU, and does not wait.
type floor struct {
	_     [2]primitives.CacheLine
	lock  primitives.Uint32
	_     [2]primitives.CacheLine
	count primitives.Cell[uint64]
	_     [2]primitives.CacheLine
}

func (f *floor) Lock() {
	f.lock.Swap(1)
	f.count.Set(f.count.Get() + 1)
}

func (f *floor) Unlock() { f.lock.StoreRelease(0) }

// floorName is no lock of the catalogue, because it excludes no worker.
const floorName = "floor"

// withFloor are the subjects in addition to locks that exclude.
var withFloor = []harness.Subject{{Name: floorName, Unlocked: true, New: func() sync.Locker { return new(floor) }}}

// biased are locks over other bases than the catalogue's, which is rw-queued.
var biased = []harness.Subject{
	{Name: "rw-biased:readerpref", New: func() sync.Locker { return rwlock.NewBiased(new(rwlock.ReaderPref)) }},
	{Name: "rw-biased:phasefair", New: func() sync.Locker { return rwlock.NewBiased(new(rwlock.PhaseFair)) }},
}

// The time between two sections of most sweeps.
var briefly = []time.Duration{100 * time.Nanosecond}

// among returns a sweep of 64 writers on so many CPUs.
func among(cpus int, duration time.Duration) harness.Sweep {
	return harness.Sweep{CPUs: []int{cpus}, WorkersPerCPU: []int{64 / cpus}, Reads: []int{0}, Think: briefly, Duration: duration}
}

// latency has s measure the time to acquire, too.
func latency(s harness.Sweep) harness.Sweep {
	s.Latency = true
	return s
}
