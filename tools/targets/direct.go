package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// A loop runs sections of one lock. It knows the type of the lock, so calls inline as
// they do for a user.
type loop struct {
	lock string
	new  func() (sections func(n int)) // on a fresh lock; several workers may call it at once
}

// alone returns a T with no neighbour on its cache lines.
func alone[T any]() *T {
	padded := new(struct {
		_ [2]primitives.CacheLine
		v T
		_ [2]primitives.CacheLine
	})
	return &padded.v
}

// inTurn measures each loop in every round, in random order, on one CPU. A
// sample is about half a millisecond: short enough that the clock does not
// change within a round.
func inTurn(ctx context.Context, j *judge, loops []loop, rounds int) ([]results.Sample, error) {
	const sections = 50_000
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var samples []results.Sample
	for round := range rounds {
		for _, i := range rand.Perm(len(loops)) {
			if ctx.Err() != nil {
				return samples, context.Cause(ctx)
			}
			run := loops[i].new()
			began := primitives.Nanotime()
			run(sections)
			took := primitives.Nanotime() - began
			s := results.Sample{
				Cell:     results.Cell{Lock: loops[i].lock, Workers: 1, CPUs: runtime.GOMAXPROCS(0), Workload: "direct"},
				Round:    round + 1,
				Distance: results.Local,
				Ops:      sections,
				Values:   []results.Value{{Unit: "ns/op", Value: float64(took) / sections}},
			}
			samples = append(samples, s)
			if err := j.sample(s); err != nil {
				return samples, err
			}
		}
	}
	return samples, nil
}

// A batch is a loop as the harness sees it: one operation is perBatch sections, so that
// the harness adds almost nothing to a section.
type batch struct{ sections func(n int) }

const perBatch = 100

func (b batch) RLock()   { b.sections(perBatch) }
func (b batch) RUnlock() {}
func (b batch) Lock()    { b.sections(perBatch) }
func (b batch) Unlock()  {}

// atOnce measures the loops by a worker on each of cpus CPUs, for each of several cpus.
// The workers share only what the loops share.
func atOnce(ctx context.Context, j *judge, loops []loop, cpus []int, rounds int) ([]results.Sample, error) {
	s := harness.Sweep{CPUs: cpus, WorkersPerCPU: []int{1}, Reads: []int{100}, Count: rounds}
	for _, l := range loops {
		s.Subjects = append(s.Subjects, harness.Subject{Name: l.lock, Unlocked: true, New: func() sync.Locker { return batch{l.new()} }})
	}
	return j.sweep(ctx, s, func(s results.Sample) results.Sample {
		ns, _ := s.Value("ns/op")
		s.Workload = "direct"
		s.Ops *= perBatch
		s.Values = []results.Value{{Unit: "ns/op", Value: ns / perBatch}}
		return s
	})
}

// catalogued returns the locks of the catalogue that match patterns.
func catalogued(patterns ...string) ([]harness.Subject, error) {
	entries, err := catalog.Match(patterns...)
	var subjects []harness.Subject
	for _, e := range entries {
		subjects = append(subjects, e.Subject)
	}
	return subjects, err
}

// sweep runs s, without hold and think unless s has them, and keeps the samples that as
// returns.
func (j *judge) sweep(ctx context.Context, s harness.Sweep, as func(results.Sample) results.Sample) ([]results.Sample, error) {
	if s.Hold == nil {
		s.Hold = []time.Duration{0}
	}
	if s.Think == nil {
		s.Think = []time.Duration{0}
	}
	var samples []results.Sample
	err := s.Run(ctx, func(p harness.Progress) error {
		sample := as(p.Sample)
		samples = append(samples, sample)
		if p.Done%max(1, p.Total/10) == 0 {
			fmt.Fprintf(os.Stderr, "targets: %d of %d samples\n", p.Done, p.Total)
		}
		return j.sample(sample)
	})
	return samples, err
}

func asMeasured(s results.Sample) results.Sample { return s }
