package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

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

// sweep measures locks, and sync.Mutex and the floor with them, with think
// 100 ns.
func sweep(ctx context.Context, j *judge, cpus, workersPerCPU, rounds int, duration time.Duration, locks ...string) ([]results.Sample, error) {
	subjects, err := catalogued(append(locks, "sync.Mutex")...)
	if err != nil {
		return nil, err
	}
	return j.sweep(ctx, harness.Sweep{
		Subjects:      append(subjects, harness.Subject{Name: "floor", Unlocked: true, New: func() sync.Locker { return new(floor) }}),
		CPUs:          []int{cpus},
		WorkersPerCPU: []int{workersPerCPU},
		Reads:         []int{0},
		Think:         []time.Duration{100 * time.Nanosecond},
		Duration:      duration,
		Count:         rounds,
	}, asMeasured)
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

// crowds is 64 goroutines on two CPUs and on one.
func crowds(ctx context.Context, j *judge, rounds int) error {
	for _, cpus := range []int{2, 1} {
		if err := errors.Join(crowd(ctx, j, cpus, rounds), shares(ctx, j, cpus, min(rounds, 6))); err != nil {
			return err
		}
	}
	return errors.Join(patience(ctx, j, min(rounds, 10)), idleness(ctx, j, min(rounds, 10)))
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

// shares measures the least and the most that one of 64 goroutines gets. The scheduler's
// time slices are 10 ms, so a turn of all takes 640 ms of CPU: the window spans several.
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

// notStarved is the least ratio of the smallest share to the largest among 64
// goroutines in a second if none starves: the scheduler's slices of 10 ms alone make it
// less than 1.
const notStarved = 0.05

// patience measures waits among 64 goroutines: how long the longest is, how much CPU
// time waiting takes, and whether a goroutine starves.
func patience(ctx context.Context, j *judge, rounds int) error {
	subjects, err := catalogued("mutex", "semaphore", "rwsem", "sync.Mutex")
	if err != nil {
		return err
	}
	s := harness.Sweep{
		Subjects: subjects, CPUs: []int{2}, WorkersPerCPU: []int{32}, Reads: []int{0}, Think: []time.Duration{100 * time.Nanosecond},
		Latency: true, Duration: time.Second, Count: rounds,
	}
	samples, err := j.sweep(ctx, s, asMeasured)
	if err != nil {
		return err
	}
	j.title("Waits of 64 goroutines on 2 CPUs, think 100 ns, against sync.Mutex")
	for _, d := range told(samples) {
		claims := []claim{
			{lock: "mutex", unit: "write-max-ns", distance: d, limit: 1},
			{lock: "mutex", unit: "cpu-ns/op", distance: d, limit: 1},
		}
		for _, lock := range []string{"mutex", "semaphore", "rwsem", "sync.Mutex"} {
			c := claim{lock: lock, unit: "share-min-max", distance: d, absolute: true, atLeast: true}
			if lock != "sync.Mutex" {
				c.limit = notStarved
			}
			claims = append(claims, c)
		}
		j.claims(samples, claims)
	}
	return nil
}

// idleness measures the CPU time of 63 goroutines that wait for one that holds a lock for
// a millisecond. It should be none, so that the process uses one CPU of two.
func idleness(ctx context.Context, j *judge, rounds int) error {
	locks := []string{"mutex", "semaphore", "rwsem", "sync.Mutex"}
	subjects, err := catalogued(locks...)
	if err != nil {
		return err
	}
	s := harness.Sweep{
		Subjects: subjects, CPUs: []int{2}, WorkersPerCPU: []int{32}, Reads: []int{0}, Hold: []time.Duration{time.Millisecond},
		Duration: 300 * time.Millisecond, Count: rounds,
	}
	samples, err := j.sweep(ctx, s, asMeasured)
	if err != nil {
		return err
	}
	for i, s := range samples {
		samples[i] = busyCPUs(s)
	}
	j.title("CPUs that 64 goroutines keep busy, of 2, hold 1 ms")
	var claims []claim
	for _, lock := range locks {
		c := claim{lock: lock, unit: inUse, distance: results.Local, absolute: true}
		if lock != "sync.Mutex" {
			c.limit = 1.05
		}
		claims = append(claims, c)
	}
	j.claims(samples, claims)
	return nil
}

// inUse is a unit: CPU time over wall time.
const inUse = "CPUs in use"

// busyCPUs adds to s how many CPUs were in use. Their distance does not matter, but it
// must be known: otherwise the machine was busy with other programs.
func busyCPUs(s results.Sample) results.Sample {
	cpu, ok := s.Value("cpu-ns/op")
	wall, ok2 := s.Value("ns/op")
	if ok && ok2 {
		s.Values = append(s.Values, results.Value{Unit: inUse, Value: cpu / wall})
	}
	if s.Distance != results.Unknown {
		s.Distance = results.Local
	}
	return s
}

// permits is a semaphore of one permit between two workers, think 0.
func permits(ctx context.Context, j *judge, rounds int) error {
	subjects, err := catalogued("semaphore", "semaphore.Weighted")
	if err != nil {
		return err
	}
	s := harness.Sweep{Subjects: subjects, CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{0}, Count: rounds}
	samples, err := j.sweep(ctx, s, asMeasured)
	if err != nil {
		return err
	}
	j.title("A semaphore of one permit, two workers on two CPUs, think 0, against semaphore.Weighted")
	for _, d := range told(samples) {
		j.claims(samples, []claim{{lock: "semaphore", against: "semaphore.Weighted", unit: "ns/op", distance: d, limit: 0.25}})
	}
	return nil
}

func counted(cpus int) string {
	if cpus == 1 {
		return "one CPU"
	}
	return fmt.Sprintf("%d CPUs", cpus)
}

// told returns the known distances at which samples were taken. Unknown ones are from a
// busy machine, or a mixture.
func told(samples []results.Sample) []results.Distance {
	known := slices.DeleteFunc(distances(samples), func(d results.Distance) bool {
		return d == results.Unknown || d == results.Mixed
	})
	if len(known) == 0 {
		return []results.Distance{results.Near} // so that claims say that they have no samples
	}
	return known
}

// distances returns the distances at which samples were taken.
func distances(samples []results.Sample) (seen []results.Distance) {
	for _, s := range samples {
		if !slices.Contains(seen, s.Distance) {
			seen = append(seen, s.Distance)
		}
	}
	slices.Sort(seen)
	return seen
}
