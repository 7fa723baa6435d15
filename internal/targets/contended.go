package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// A floor is what no lock can beat that is on a line of its own and guards
// another: it takes both lines from the other CPU, and waits for nobody.
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

// sweep measures locks, and sync.Mutex and the floor with them, with think
// 100 ns.
func sweep(ctx context.Context, j *judge, cpus, workersPerCPU, rounds int, duration time.Duration, locks ...string) ([]results.Sample, error) {
	entries, err := catalog.Match(append(locks, "sync.Mutex")...)
	if err != nil {
		return nil, err
	}
	subjects := []harness.Subject{{Name: "floor", Unlocked: true, New: func() sync.Locker { return new(floor) }}}
	for _, e := range entries {
		subjects = append(subjects, e.Subject)
	}
	var samples []results.Sample
	err = harness.Sweep{
		Subjects:      subjects,
		CPUs:          []int{cpus},
		WorkersPerCPU: []int{workersPerCPU},
		Reads:         []int{0},
		Hold:          []time.Duration{0},
		Think:         []time.Duration{100 * time.Nanosecond},
		Duration:      duration,
		Count:         rounds,
	}.Run(ctx, func(p harness.Progress) error {
		samples = append(samples, p.Sample)
		if p.Done%max(1, p.Total/10) == 0 {
			fmt.Fprintf(os.Stderr, "targets: %d of %d samples\n", p.Done, p.Total)
		}
		return j.sample(p.Sample)
	})
	return samples, err
}

// pair is two workers on two CPUs.
func pair(ctx context.Context, j *judge, rounds int) error {
	spinlocks := []string{"tas", "ttas", "backoff", "ticket", "ticket-pb", "mcs", "clh", "qspinlock", "mutex"}
	samples, err := sweep(ctx, j, 2, 1, rounds, 0, spinlocks...)
	if err != nil {
		return err
	}
	j.title("Two workers on two CPUs, think 100 ns, against sync.Mutex")
	var claims []claim
	for _, lock := range spinlocks {
		claims = append(claims, claim{lock: lock, unit: "ns/op", distance: results.Near, limit: 0.70})
	}
	claims = append(claims, claim{lock: "floor", unit: "ns/op", distance: results.Near})
	for _, lock := range spinlocks {
		c := claim{lock: lock, unit: "ns/op", distance: results.Far}
		if lock == "backoff" || lock == "mutex" {
			c.limit = 1.0
		}
		claims = append(claims, c)
	}
	claims = append(claims, claim{lock: "floor", unit: "ns/op", distance: results.Far})
	j.claims(samples, claims)
	return nil
}

// crowd is 64 goroutines.
func crowd(ctx context.Context, j *judge, cpus, rounds int) error {
	samples, err := sweep(ctx, j, cpus, 64/cpus, rounds, 350*time.Millisecond,
		"ttas", "ticket", "mcs", "clh", "qspinlock", "ticket-pinned", "mcs-pinned", "qspinlock-pinned", "mutex")
	if err != nil {
		return err
	}
	j.title("64 goroutines on %s, think 100 ns, against sync.Mutex", counted(cpus))
	for _, d := range distances(samples) {
		var claims []claim
		for _, c := range []struct {
			lock  string
			limit float64
		}{{"mcs", 4}, {"clh", 4}, {"qspinlock", 4}, {"ticket-pinned", 2}, {"mcs-pinned", 2}, {"qspinlock-pinned", 2}, {"ttas", 1}, {"ticket", 0}, {"mutex", 1}} {
			claims = append(claims, claim{lock: c.lock, unit: "ns/op", distance: d, limit: c.limit})
		}
		j.claims(samples, claims)
	}
	return nil
}

// shares is the same for the least and the most that one of 64 goroutines
// gets. The scheduler's time slices are 10 ms, so a turn of all takes 640 ms
// of CPU: the window spans several.
func shares(ctx context.Context, j *judge, cpus, rounds int) error {
	samples, err := sweep(ctx, j, cpus, 64/cpus, rounds, 5*time.Second/time.Duration(cpus), "ttas")
	if err != nil {
		return err
	}
	j.title("The least of 64 goroutines' shares over the largest, on %s, think 100 ns", counted(cpus))
	for _, d := range distances(samples) {
		j.claims(samples, []claim{{lock: "ttas", unit: "share-min-max", distance: d, limit: 0.1, absolute: true, atLeast: true}})
	}
	return nil
}

func counted(cpus int) string {
	if cpus == 1 {
		return "one CPU"
	}
	return fmt.Sprintf("%d CPUs", cpus)
}

// distances returns those at which samples were taken.
func distances(samples []results.Sample) (seen []results.Distance) {
	for _, s := range samples {
		if !slices.Contains(seen, s.Distance) {
			seen = append(seen, s.Distance)
		}
	}
	slices.Sort(seen)
	return seen
}
