package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Sweep is a set of scenarios, the product of its axes, each measured Count
// times.
//
// It goes in rounds. Each round measures every cell once, in a fresh random order, so
// that a change of the machine affects all cells alike, and samples of one round make
// fair pairs.
type Sweep struct {
	// The axes. None of these may be empty, and none may name a value twice.
	Subjects      []Subject
	CPUs          []int           // how many
	WorkersPerCPU []int           // how many
	Reads         []int           // percent of the operations, from 0 to 100
	Hold          []time.Duration // see [Scenario]
	Think         []time.Duration // see [Scenario]

	// Readers and Writers are axes in place of WorkersPerCPU and Reads, which are empty
	// then: see [Scenario].
	Readers, Writers []int

	// Workloads is an axis, too. None is the bare section alone.
	Workloads []Workload

	// Works and Modes are axes, too. None is Registers, and Goroutine, alone.
	Works []Work
	Modes []Mode

	// GCs is an axis, too. None is the setting of the process.
	GCs []GC

	// Places is an axis, too. None is the order of the CPUs' numbers.
	Places []Place

	// Arrivals are an axis, too. None is the closed loop alone.
	Arrivals []Arrivals

	// Extra are scenarios in addition to the product of the axes, such as one worker
	// without think time. Those that are in the product are left out.
	Extra []Scenario

	// What all scenarios have in common, those of Extra too; see [Scenario].
	Duration time.Duration
	Warmup   time.Duration
	Latency  bool
	Counters bool
	Patience time.Duration

	Count int // samples per cell, at least 1

	// More, if it is not nil, is asked after Count rounds, and again after each further
	// one, which of the scenarios to measure in the next round (round counts from 0).
	// If it returns none, the sweep ends.
	More func(round int, scenarios []Scenario) []Scenario

	// Shard and Shards say which part of all this to measure, from 1, of how many: every
	// n'th situation, with all its locks, so that locks are compared on one machine. 0 of
	// 0 is all.
	Shard, Shards int

	Seed uint64 // of the orders: equal sweeps with equal seeds run alike

	// Begin, if it is not nil, is called before each sample. What it starts must
	// not run while a sample of the usual length is measured.
	Begin func(Scenario)

	// Measure, if it is not nil, measures a scenario in place of [Run], for example in
	// another process. round counts from 0.
	Measure func(ctx context.Context, round int, s Scenario) (results.Sample, error)

	// Done counts the samples that earlier runs of the same sweep have measured, as
	// [results.File.Done] does. They are not measured again.
	Done map[results.Cell]int
}

// A Progress is a new sample, and how far the sweep has come with it.
type Progress struct {
	Sample results.Sample
	Done   int // samples measured, those of earlier runs included
	Total  int // samples in the whole sweep
}

// Validate reports everything that is wrong with s, such as a lock that cannot run a
// workload in any mode. A lock that cannot be measured in one mode, but can in another,
// is no error: it is left out; see [Sweep.LeftOut].
func (s Sweep) Validate() error { return s.validate(s.product()) }

// validate is Validate, given the product of the axes.
func (s Sweep) validate(product []situation) error {
	names := make([]string, len(s.Subjects))
	errs := make([]error, len(s.Subjects))
	for i, subject := range s.Subjects {
		names[i] = subject.Name
		errs[i] = subject.validate()
	}
	for i, w := range s.Workloads {
		if slices.ContainsFunc(s.Workloads[:i], func(v Workload) bool { return v.Name == w.Name }) {
			errs = append(errs, fmt.Errorf("workload %q: given twice", w.Name))
			continue
		}
		errs = append(errs, w.validate())
	}
	errs = append(errs, s.unsuited(product)...)
	if len(s.Works) > 0 {
		errs = append(errs, axis("work", s.Works, func(c *Scenario, w Work) { c.Work = w }))
	}
	if len(s.Arrivals) > 0 {
		errs = append(errs, axis("arrivals", s.Arrivals, func(c *Scenario, a Arrivals) { c.Arrivals, c.Duration, c.Counters = a, s.Duration, s.Counters }))
	}
	if len(s.Modes) > 0 {
		errs = append(errs, axis("mode", s.Modes, func(c *Scenario, m Mode) { c.Mode = m }))
	}
	if len(s.GCs) > 0 {
		errs = append(errs, axis("gc", s.GCs, func(c *Scenario, g GC) { c.GC = g }))
	}
	if len(s.Places) > 0 {
		errs = append(errs, axis("place", s.Places, func(c *Scenario, p Place) { c.Place = p }))
	}
	common := s.common(Scenario{})
	common.CPUs, common.Workers = 1, 1
	errs = append(errs,
		axis("lock", names[:len(s.Subjects)], func(*Scenario, string) {}),
		axis("CPUs", s.CPUs, func(c *Scenario, n int) { c.CPUs = n }),
		s.validateWorkers(),
		axis("hold", s.Hold, func(c *Scenario, d time.Duration) { c.Hold = d }),
		axis("think", s.Think, func(c *Scenario, d time.Duration) { c.Think = d }),
		common.validate(),
	)
	for _, c := range s.Extra {
		c = s.common(c)
		errs = append(errs, c.validate())
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name) // once is enough
			errs = append(errs, c.Subject.validate())
		}
	}
	if s.Count < 1 {
		errs = append(errs, fmt.Errorf("count %d: must be at least 1", s.Count))
	}
	if s.Shards < 0 || s.Shard < min(1, s.Shards) || s.Shard > s.Shards {
		errs = append(errs, fmt.Errorf("shard %d of %d: want 1 to %d", s.Shard, s.Shards, s.Shards))
	}
	return errors.Join(errs...)
}

// validateWorkers reports what is wrong with the numbers of workers and of their reads.
func (s Sweep) validateWorkers() error {
	if len(s.Readers)+len(s.Writers) == 0 {
		return errors.Join(
			axis("workers", s.WorkersPerCPU, func(c *Scenario, n int) { c.Workers = n }),
			axis("reads", s.Reads, func(c *Scenario, n int) { c.Reads = n }))
	}
	errs := []error{
		axis("readers", s.Readers, func(c *Scenario, n int) { c.Workers, c.Readers, c.Writers = 0, n, 1 }),
		axis("writers", s.Writers, func(c *Scenario, n int) { c.Workers, c.Readers, c.Writers = 0, 1, n }),
	}
	if len(s.WorkersPerCPU)+len(s.Reads) > 0 {
		errs = append(errs, errors.New("readers and writers: want no workers per CPU and no shares of reads beside them"))
	}
	if slices.Contains(s.Readers, 0) && slices.Contains(s.Writers, 0) {
		errs = append(errs, errors.New("readers 0 and writers 0: want at least one worker"))
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
	c.Duration = s.Duration
	c.Warmup = s.Warmup
	c.Latency = s.Latency
	c.Counters = s.Counters
	c.Patience = s.Patience
	return c
}

// A situation is one of the product of a sweep's axes.
type situation struct {
	Scenario
	unsuited error // why the lock cannot be in it; nil if it can
}

// product returns the product of all axes, the workloads outermost and the locks
// innermost. An axis without a value, which Validate refuses where there must be one,
// counts as one with a zero value.
func (s Sweep) product() []situation {
	all := []Scenario{s.common(Scenario{})}
	all = times(all, s.Workloads, func(c *Scenario, w Workload) { c.Workload = w })
	all = times(all, s.Works, func(c *Scenario, w Work) { c.Work = w })
	all = times(all, s.Modes, func(c *Scenario, m Mode) { c.Mode = m })
	all = times(all, s.Arrivals, func(c *Scenario, a Arrivals) { c.Arrivals = a })
	all = times(all, s.GCs, func(c *Scenario, g GC) { c.GC = g })
	all = times(all, s.Places, func(c *Scenario, p Place) { c.Place = p })
	all = times(all, s.Hold, func(c *Scenario, d time.Duration) { c.Hold = d })
	all = times(all, s.Think, func(c *Scenario, d time.Duration) { c.Think = d })
	all = times(all, s.CPUs, func(c *Scenario, n int) { c.CPUs = n })
	if len(s.Readers) > 0 {
		all = times(all, s.Readers, func(c *Scenario, n int) { c.Readers = n })
		all = times(all, s.Writers, func(c *Scenario, n int) { c.Writers = n })
	} else {
		all = times(all, s.WorkersPerCPU, func(c *Scenario, n int) { c.Workers = c.CPUs * n })
		all = times(all, s.Reads, func(c *Scenario, n int) { c.Reads = n })
	}
	product := make([]situation, 0, len(all)*len(s.Subjects))
	for _, c := range all {
		for _, c.Subject = range s.Subjects {
			product = append(product, situation{c, c.suits()})
		}
	}
	return product
}

// times returns every scenario with every value, which set sets; if there are none, with
// the zero value.
func times[T any](scenarios []Scenario, values []T, set func(*Scenario, T)) []Scenario {
	if len(values) == 0 {
		values = make([]T, 1)
	}
	all := make([]Scenario, 0, len(scenarios)*len(values))
	for _, c := range scenarios {
		for _, v := range values {
			set(&c, v)
			all = append(all, c)
		}
	}
	return all
}

// suits reports why the lock cannot be in the situation c.
func (c Scenario) suits() error {
	if err := c.Subject.Suits(c.Workload, c.Mode); err != nil {
		return err
	}
	if c.Place != "" && c.Mode != Thread {
		return &unsuited{why: fmt.Sprintf("place %s: is for threads, want mode thread", c.Place)}
	}
	if order, err := c.Place.Order(); err == nil && order != nil && len(order) < c.CPUs {
		return &unsuited{why: fmt.Sprintf("place %s: want at least %s, have %d", c.Place, wording.Count(c.CPUs, "CPU"), len(order))}
	}
	if c.pins() && c.GC != 0 && c.GC != GCDefault && c.GC != GCOff {
		return &unsuited{c.Name, fmt.Sprintf("is pinned, where the collector is off, want gc off or the default and not %v", c.GC)}
	}
	return nil
}

// unsuited says of each lock, under each workload, why it cannot be in any
// situation, and why a scenario of Extra cannot be; each reason once.
func (s Sweep) unsuited(product []situation) (errs []error) {
	type pair struct{ workload, lock string }
	var pairs []pair // in order
	why := make(map[pair][]error)
	suited := make(map[pair]bool)
	for _, c := range product {
		p := pair{c.Workload.Name, c.Name}
		if c.unsuited == nil {
			suited[p] = true
			continue
		}
		if why[p] == nil {
			pairs = append(pairs, p)
		}
		why[p] = append(why[p], c.unsuited)
	}
	said := make(map[string]bool)
	say := func(err error) {
		if !said[err.Error()] {
			said[err.Error()] = true
			errs = append(errs, err)
		}
	}
	for _, p := range pairs {
		if suited[p] {
			continue
		}
		for _, err := range why[p] {
			say(err)
		}
	}
	for _, c := range s.Extra {
		if err := c.suits(); err != nil {
			say(err)
		}
	}
	return errs
}

// A LeftOut is a part of the product of a sweep's axes that cannot be measured.
type LeftOut struct {
	Why   string   // in words
	Locks []string // for which that holds; none means all
}

// LeftOut returns what is left out of the product of the axes, and why.
func (s Sweep) LeftOut() (all []LeftOut) {
	for _, c := range s.product() {
		e := (*unsuited)(nil)
		if !errors.As(c.unsuited, &e) {
			continue
		}
		i := slices.IndexFunc(all, func(l LeftOut) bool { return l.Why == e.why })
		if i < 0 {
			i, all = len(all), append(all, LeftOut{Why: e.why})
		}
		if e.lock != "" && !slices.Contains(all[i].Locks, e.lock) {
			all[i].Locks = append(all[i].Locks, e.lock)
		}
	}
	return all
}

// Scenarios returns the product of the axes without what is left out, then
// Extra, each scenario once, with the defaults filled in; of a shard, those that it
// measures.
func (s Sweep) Scenarios() []Scenario { return s.scenarios(s.product()) }

// scenarios is Scenarios, given the product of the axes.
func (s Sweep) scenarios(product []situation) []Scenario {
	all := s.everything(product)
	if s.Shards == 0 {
		return all
	}
	number := make(map[results.Cell]int) // of situations
	return slices.DeleteFunc(all, func(c Scenario) bool {
		in := c.Cell().Scenario()
		n, ok := number[in]
		if !ok {
			n = len(number)
			number[in] = n
		}
		return n%s.Shards != s.Shard-1
	})
}

// everything is scenarios of all shards.
func (s Sweep) everything(product []situation) []Scenario {
	var all []Scenario
	for _, c := range product {
		if c.unsuited == nil {
			all = append(all, c.withDefaults())
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
	product := s.product()
	if err := s.validate(product); err != nil {
		return err
	}
	measure := s.Measure
	if measure == nil { // as Run does, without validating each scenario again
		measure = func(ctx context.Context, _ int, c Scenario) (results.Sample, error) { return take(ctx, c) }
	}
	scenarios := s.scenarios(product)
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
					progress.Done++ // measured by an earlier run
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
			if progress.Sample, err = measure(ctx, round, c); err != nil {
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
