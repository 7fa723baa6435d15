package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lockbench/lockbench/results"
)

// A Sweep is a set of scenarios, the product of its axes, each measured Count
// times.
//
// It goes in rounds. Each round measures every cell once, in a fresh random
// order, so that whatever changes on the machine meanwhile meets all cells
// alike, and samples of one round make fair pairs.
type Sweep struct {
	// The axes. None of these may be empty, and none may name a value twice.
	Subjects      []Subject
	CPUs          []int
	WorkersPerCPU []int
	Reads         []int
	Hold          []time.Duration
	Think         []time.Duration

	// Workloads is an axis, too. None is the bare section alone.
	Workloads []Workload

	// Extra are scenarios beside the product of the axes, such as one worker
	// that thinks about nothing. Those that the product has already are left
	// out.
	Extra []Scenario

	// Works is an axis, too. None is Registers alone.
	Works []Work

	// What all scenarios have in common, those of Extra too; see [Scenario].
	Mode     Mode
	Duration time.Duration
	Warmup   time.Duration
	Latency  bool
	Patience time.Duration

	Count int // samples per cell, at least 1

	// More, if it is not nil, is asked after Count rounds, and again after each
	// further one, what to measure in the next, the round'th from 0: any of the
	// scenarios, or none, which ends the sweep.
	More func(round int, scenarios []Scenario) []Scenario

	Seed uint64 // of the orders: equal sweeps with equal seeds run alike

	// Begin, if it is not nil, is called before each sample. What it starts must
	// not run while a sample of the usual length is measured.
	Begin func(Scenario)

	// Done counts what earlier runs of the same sweep have measured already,
	// as [results.File.Done] does. It is not measured again.
	Done map[results.Cell]int
}

// A Progress is a new sample, and how far the sweep is with it.
type Progress struct {
	Sample results.Sample
	Done   int // samples measured, those of earlier runs included
	Total  int // samples in the whole sweep
}

// Validate reports everything that is wrong with s.
func (s Sweep) Validate() error {
	names := make([]string, len(s.Subjects))
	errs := make([]error, len(s.Subjects))
	for i, subject := range s.Subjects {
		names[i] = subject.Name
		errs[i] = subject.validate(s.Mode)
	}
	for i, w := range s.Workloads {
		if slices.ContainsFunc(s.Workloads[:i], func(v Workload) bool { return v.Name == w.Name }) {
			errs = append(errs, fmt.Errorf("workload %q: given twice", w.Name))
			continue
		}
		errs = append(errs, w.validate())
		for _, subject := range s.Subjects {
			if err := subject.Suits(w, s.Mode); err != nil {
				errs = append(errs, err)
				if s.Mode == Pinned && subject.Counting != nil {
					break // it is the same for all
				}
			}
		}
	}
	if len(s.Works) > 0 {
		errs = append(errs, axis("work", s.Works, func(c *Scenario, w Work) { c.Work = w }))
	}
	common := s.common(Scenario{})
	common.CPUs, common.Workers = 1, 1
	errs = append(errs,
		axis("lock", names[:len(s.Subjects)], func(*Scenario, string) {}),
		axis("CPUs", s.CPUs, func(c *Scenario, n int) { c.CPUs = n }),
		axis("workers", s.WorkersPerCPU, func(c *Scenario, n int) { c.Workers = n }),
		axis("reads", s.Reads, func(c *Scenario, n int) { c.Reads = n }),
		axis("hold", s.Hold, func(c *Scenario, d time.Duration) { c.Hold = d }),
		axis("think", s.Think, func(c *Scenario, d time.Duration) { c.Think = d }),
		common.validate(),
	)
	for _, c := range s.Extra {
		c = s.common(c)
		errs = append(errs, c.validate())
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name) // once is enough
			errs = append(errs, c.Subject.validate(c.Mode))
		}
		errs = append(errs, c.Subject.Suits(c.Workload, c.Mode))
	}
	if s.Count < 1 {
		errs = append(errs, fmt.Errorf("count %d: must be at least 1", s.Count))
	}
	return errors.Join(errs...)
}

// axis reports what is wrong with the values of one axis, which set sets.
func axis[T comparable](name string, values []T, set func(*Scenario, T)) error {
	var errs []error
	if len(values) == 0 {
		errs = append(errs, fmt.Errorf("%s: want at least one", name))
	}
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			errs = append(errs, fmt.Errorf("%s %v: given twice", name, v))
			continue
		}
		s := Scenario{CPUs: 1, Workers: 1}
		set(&s, v)
		errs = append(errs, s.validate())
	}
	return errors.Join(errs...)
}

// common returns c with what all scenarios of s have in common.
func (s Sweep) common(c Scenario) Scenario {
	c.Mode = s.Mode
	c.Duration = s.Duration
	c.Warmup = s.Warmup
	c.Latency = s.Latency
	c.Patience = s.Patience
	return c
}

// Scenarios returns the product of the axes, then Extra, each scenario once,
// with the defaults filled in.
func (s Sweep) Scenarios() []Scenario {
	var all []Scenario
	c := s.common(Scenario{})
	workloads := s.Workloads
	if len(workloads) == 0 {
		workloads = []Workload{{}}
	}
	works := s.Works
	if len(works) == 0 {
		works = []Work{Registers}
	}
	for i := range len(workloads) * len(works) {
		c.Workload, c.Work = workloads[i/len(works)], works[i%len(works)]
		for _, c.Hold = range s.Hold {
			for _, c.Think = range s.Think {
				for _, c.CPUs = range s.CPUs {
					for _, perCPU := range s.WorkersPerCPU {
						c.Workers = c.CPUs * perCPU
						for _, c.Reads = range s.Reads {
							for _, c.Subject = range s.Subjects {
								all = append(all, c.withDefaults())
							}
						}
					}
				}
			}
		}
	}
	if len(s.Extra) == 0 {
		return all
	}
	has := make(map[results.Cell]bool)
	for _, c := range all {
		has[c.Cell()] = true
	}
	for _, c := range s.Extra {
		if c = s.common(c).withDefaults(); !has[c.Cell()] {
			all, has[c.Cell()] = append(all, c), true
		}
	}
	return all
}

// Run measures what is still to be measured and calls report after each
// sample, never while one is being measured.
//
// It ends at the first error: what [Run] returns, what report returns, the
// cause of ctx, or what [Sweep.Validate] says, before anything is measured.
// The samples reported until then are good.
func (s Sweep) Run(ctx context.Context, report func(Progress) error) error {
	if err := s.Validate(); err != nil {
		return err
	}
	scenarios := s.Scenarios()
	progress := Progress{Total: len(scenarios) * s.Count}
	for _, c := range scenarios {
		progress.Done += min(s.Done[c.Cell()], s.Count)
	}
	for round := 0; ; round++ {
		todo := scenarios
		if round >= s.Count {
			if s.More == nil {
				return nil
			}
			if todo = s.More(round, scenarios); len(todo) == 0 {
				return nil
			}
			for _, c := range todo {
				if s.Done[c.Cell()] > round {
					progress.Done++ // by an earlier run
				}
				progress.Total++
			}
		}
		// Seeded by the round, so that a resumed sweep keeps to the order.
		rng := rand.New(rand.NewPCG(s.Seed, uint64(round)))
		for _, i := range rng.Perm(len(todo)) {
			c := todo[i]
			c.Seed = rng.Uint64()
			if s.Done[c.Cell()] > round {
				continue
			}
			if s.Begin != nil {
				s.Begin(c)
			}
			var err error
			if progress.Sample, err = Run(ctx, c); err != nil {
				return fmt.Errorf("%v: %w", c.Cell(), err)
			}
			progress.Sample.Round = round + 1
			progress.Done++
			if err := report(progress); err != nil {
				return err
			}
		}
	}
}
