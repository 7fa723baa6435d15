package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/rwlock"
)

// reads lock and unlock for reading.
var reads = []loop{
	{"sync.RWMutex", func() func(int) {
		l := alone[sync.RWMutex]()
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
	{"xsync.RBMutex", func() func(int) {
		l := xsync.NewRBMutex()
		return func(n int) {
			for range n {
				token := l.RLock()
				l.RUnlock(token)
			}
		}
	}},
	{"rw-readerpref", func() func(int) {
		l := alone[rwlock.ReaderPref]()
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
	{"rw-queued", func() func(int) {
		l := alone[rwlock.Queued]()
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
	{"rw-phasefair", func() func(int) {
		l := alone[rwlock.PhaseFair]()
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
	{"rw-distributed", func() func(int) {
		l := alone[rwlock.Distributed]()
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
	{"rw-biased", func() func(int) {
		l := rwlock.NewBiased(alone[rwlock.Queued]())
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
	{"rwsem", func() func(int) {
		l := alone[blocking.RWSem]()
		return func(n int) {
			for range n {
				l.RLock()
				l.RUnlock()
			}
		}
	}},
}

// onlyReaders measures read sections on one CPU and on two, by direct calls.
func onlyReaders(ctx context.Context, j *judge, rounds int) error {
	samples, err := atOnce(ctx, j, reads, []int{1, 2}, rounds)
	if err != nil {
		return err
	}
	limits := map[string]float64{"rw-readerpref": 1, "rwsem": 1}
	for _, cpus := range []int{1, 2} {
		on := where(samples, func(s results.Sample) bool { return s.CPUs == cpus })
		j.title("RLock and RUnlock on %s, against sync.RWMutex", counted(cpus))
		for _, d := range told(on) {
			var claims []claim
			for _, l := range reads[1:] {
				claims = append(claims, claim{lock: l.lock, against: "sync.RWMutex", unit: "ns/op", distance: d, limit: limits[l.lock]})
			}
			claims = append(claims, claim{lock: "rw-distributed", against: "xsync.RBMutex", unit: "ns/op", distance: d, limit: 1})
			j.claims(on, claims)
		}
		limits["rw-distributed"] = 0.5
	}

	// This compares the same sections on two CPUs and on one. No cache line travels, so
	// the distance does not matter, but it must be known: otherwise the two CPUs did
	// not run at the same time.
	const one, two = "on one CPU", "on 2 CPUs"
	var pairs []results.Sample
	for _, s := range samples {
		if s.Lock == "rw-distributed" && slices.Contains([]results.Distance{results.Local, results.Near, results.Far}, s.Distance) {
			s.Lock = map[int]string{1: one, 2: two}[s.CPUs]
			s.CPUs, s.Workers, s.Distance = 1, 1, results.Local
			pairs = append(pairs, s)
		}
	}
	j.title("RLock and RUnlock of rw-distributed on 2 CPUs, against one CPU")
	j.claims(pairs, []claim{{lock: two, against: one, unit: "ns/op", distance: results.Local, limit: 0.55}})
	return nil
}

// biasedOver are the bases of biased locks that are measured in addition to the
// catalogue's, whose base is rw-queued.
var biasedOver = []struct {
	name, base string
	new        func() sync.Locker
}{
	{"rw-biased", "rw-queued", nil},
	{"rw-biased:readerpref", "rw-readerpref", func() sync.Locker { return rwlock.NewBiased(new(rwlock.ReaderPref)) }},
	{"rw-biased:phasefair", "rw-phasefair", func() sync.Locker { return rwlock.NewBiased(new(rwlock.PhaseFair)) }},
}

// mixes measures reads and writes together, through an interface: without a pause, and
// with some work in between.
func mixes(ctx context.Context, j *judge, rounds int) error {
	subjects, err := catalogued("rw-*", "!*-pinned", "rwsem", "xsync.RBMutex", "sync.RWMutex")
	if err != nil {
		return err
	}
	for _, b := range biasedOver {
		if b.new != nil {
			subjects = append(subjects, harness.Subject{Name: b.name, New: b.new})
		}
	}
	return errors.Join(
		mix(ctx, j, subjects, []int{1, 2}, []int{0, 90, 99, 100}, 0, rounds),
		mix(ctx, j, subjects, []int{2}, []int{90, 99}, 100*time.Nanosecond, rounds))
}

func mix(ctx context.Context, j *judge, subjects []harness.Subject, cpus, shares []int, think time.Duration, rounds int) error {
	s := harness.Sweep{Subjects: subjects, CPUs: cpus, WorkersPerCPU: []int{1}, Reads: shares, Think: []time.Duration{think}, Count: rounds}
	samples, err := j.sweep(ctx, s, asMeasured)
	if err != nil {
		return err
	}
	for _, cpus := range s.CPUs {
		for _, share := range shares {
			on := where(samples, func(s results.Sample) bool { return s.CPUs == cpus && s.Reads == share })
			j.title("%d %% reads on %s, think %v, against sync.RWMutex", share, counted(cpus), think)
			for _, d := range told(on) {
				limits := map[string]float64{}
				if cpus == 2 && d == results.Near && think == 0 {
					limits["rw-distributed"] = map[int]float64{90: 1.3, 100: 0.5}[share]
				}
				var claims []claim
				for _, e := range subjects {
					if e.Name != "sync.RWMutex" {
						claims = append(claims, claim{lock: e.Name, against: "sync.RWMutex", unit: "ns/op", distance: d, limit: limits[e.Name]})
					}
				}
				for _, b := range biasedOver {
					if share == 90 || share == 99 {
						base := claim{lock: b.name, against: b.base, unit: "ns/op", distance: d}
						if cpus > 1 { // on one CPU there is nothing to gain
							base.limit = 1
						}
						claims = append(claims, base)
					}
				}
				if share == 100 {
					claims = append(claims, claim{lock: "rw-distributed", against: "xsync.RBMutex", unit: "ns/op", distance: d, limit: 1})
				}
				j.claims(on, claims)
			}
		}
	}
	return nil
}

// starvation is how long writers wait at 99 % reads, over sections of a
// microsecond: on two CPUs one reads while the other wants to write.
func starvation(ctx context.Context, j *judge, rounds int) error {
	subjects, err := catalogued("rw-*", "!*-pinned", "rwsem", "sync.RWMutex")
	if err != nil {
		return err
	}
	s := harness.Sweep{
		Subjects: subjects, CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{99}, Hold: []time.Duration{time.Microsecond},
		Latency: true, Duration: 100 * time.Millisecond, Count: rounds,
	}
	samples, err := j.sweep(ctx, s, asMeasured)
	if err != nil {
		return err
	}
	j.title("Wait of writers at 99 %% reads on 2 CPUs, hold 1 µs, against rw-readerpref")
	for _, d := range told(samples) {
		var claims []claim
		for _, e := range subjects {
			if e.Name == "rw-readerpref" {
				continue
			}
			c := claim{lock: e.Name, against: "rw-readerpref", unit: "write-p99-ns", distance: d}
			if e.Name == "rw-queued" || e.Name == "rw-phasefair" {
				c.limit = 0.2 // a tail of five times and more counts as starvation
			}
			claims = append(claims, c)
		}
		j.claims(samples, claims)
	}
	return nil
}

func where(samples []results.Sample, keep func(results.Sample) bool) (kept []results.Sample) {
	for _, s := range samples {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}
