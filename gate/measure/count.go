package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/gate"
)

const (
	// countEvery says in which pairs instructions are counted if they vary: once for
	// each pair of binaries, since counting takes longer than a slice.
	countEvery = gate.PairsPerBuild

	// countFor is how long a benchmark runs while the machine counts instructions, so
	// that those of the runtime are a small part; simulateFor is how long it would run
	// without Callgrind.
	countFor    = 30 * time.Millisecond
	simulateFor = 8 * time.Millisecond

	// countFew is the number of iterations of the other, short run. With one, package
	// testing would behave differently than with many.
	countFew = 2

	// Under Callgrind the runtime's own instructions differ by some ten thousand
	// between runs. So the long run has at least this many instructions more than the
	// short one.
	countLeast = 20_000_000
)

// FindCounter says how the gate would count instructions on this machine: by the CPU or
// by Callgrind. The error says why neither can.
func FindCounter(ctx context.Context) (how string, err error) {
	v, err := findCounter(ctx)
	switch {
	case err != nil:
		return "", err
	case v != nil:
		return "by Callgrind (" + v.version + "), on one CPU that is simulated", nil
	}
	return "by the CPU, in user mode", nil
}

// findCounter returns Callgrind, or nil if the machine itself counts instructions.
func findCounter(ctx context.Context) (*callgrind, error) {
	err := canCount()
	if err == nil {
		return nil, nil
	}
	v, missing := findCallgrind(ctx)
	if missing != nil {
		return nil, fmt.Errorf("%w, and %w", err, missing)
	}
	return v, nil
}

// findCounter finds out how instructions are counted, if they are.
func (s *Source) findCounter(ctx context.Context) error {
	if s.c.Instructions == DontCount {
		return nil
	}
	v, err := findCounter(ctx)
	switch {
	case err != nil && s.c.Instructions == MustCount:
		return err
	case err != nil:
		s.warn("%v", err)
	case v == nil:
		s.counted = "by the machine, in user mode"
		s.warn("instructions/op are counted by the machine, in user mode and on one CPU")
	default:
		s.callgrind, s.counted = v, gate.ByCallgrind+v.version
		s.warn("instructions/op are counted by Callgrind (%s), on one CPU that is simulated: it knows of no cache, no branch prediction, no contention and no collection, so what costs more of those is not seen", v.version)
	}
	return nil
}

// calibrateCounts finds out of which benchmarks to count instructions, and in how many
// iterations.
//
// A benchmark that is not measured with one CPU gets another row, with one CPU and only
// counts.
func (s *Source) calibrateCounts(ctx context.Context) error {
	if s.counted == "" {
		return nil
	}
	target := countFor
	if s.callgrind != nil {
		target = simulateFor
	}
	for _, b := range slices.Clone(s.both) {
		c := s.cells[b]
		if c.failed != nil {
			continue
		}
		one := gate.Benchmark{Pkg: b.Pkg, Name: c.name}
		if c.cpu > 1 {
			if s.cells[one] != nil || slices.Contains(s.onlyBase, one) || slices.Contains(s.onlyHead, one) {
				continue
			}
			c = &cell{Benchmark: one, p: c.p, name: c.name, cpu: 1, skip: c.skip, verbose: c.verbose}
			s.cells[one] = c
			s.both = append(s.both, one)
		}
		found, err := s.iterations(ctx, c, target)
		if err != nil {
			if !c.fail(err) {
				return err
			}
			continue
		}
		c.counts = max(found.n, 2*countFew)
		each := found.slice / time.Duration(max(found.n, 1))
		if would := callgrindSlower * each * time.Duration(c.counts+1); s.callgrind != nil && would > s.c.Timeout {
			s.uncounted(c, fmt.Sprintf("%d iterations would take %v or so under Callgrind, and a run may take %v", c.counts+1, would.Round(time.Second), s.c.Timeout), "")
		}
	}
	return nil
}

// uncounted notes that the instructions of c cannot be counted. If they must be, c has
// no verdict.
func (s *Source) uncounted(c *cell, why, output string) {
	c.counts = 0
	if s.c.Instructions == MustCount {
		c.failed = &gate.Failure{Why: "its instructions cannot be counted: " + why, Output: output}
		return
	}
	s.warn("%v: its instructions are not counted: %s", c.Benchmark, why)
}

// toCount reports whether to count the instructions of the next pair of c.
func (s *Source) toCount(c *cell) bool {
	switch {
	case c.counts == 0:
		return false
	case c.pairs == 0 || !c.timed:
		return true
	}
	return c.pairs%countEvery == 0 && (s.callgrind == nil || c.varies)
}

// count returns the instructions of an iteration on each side: the difference between a
// long and a short run, in which the beginning and the end of the process cancel out.
func (s *Source) count(ctx context.Context, c *cell, of *binaries) (counts [2]float64, err error) {
	if s.callgrind != nil {
		return s.simulate(ctx, c, of)
	}
	for _, side := range sides {
		var totals [2]uint64
		for i, n := range []int{countFew, c.counts} {
			if totals[i], err = s.total(ctx, c, of, side, n); err != nil {
				return counts, err
			}
		}
		if totals[1] <= totals[0] {
			return counts, &RunError{side, c.Benchmark, fmt.Errorf("%d iterations take %d instructions, %d take %d: want more", countFew, totals[0], c.counts, totals[1]), ""}
		}
		counts[which(side)] = float64(totals[1]-totals[0]) / float64(c.counts-countFew)
	}
	return counts, nil
}

// total returns the instructions of a process that runs n iterations.
func (s *Source) total(ctx context.Context, c *cell, of *binaries, side gate.Side, n int) (uint64, error) {
	j := s.job(c, side, of)
	j.name, j.cpu, j.n, j.count = c.name, 1, n, true
	o, err := s.exec(ctx, j)
	if err == nil {
		_, err = find(o.stdout, c.name, 1)
	}
	if err != nil {
		return 0, explain(err, side, c.Benchmark)
	}
	return o.instructions, nil
}

// simulate is count under Callgrind. With the first pair of binaries it counts the long
// run of the base twice, and that of the head too if it seems to differ: counts that
// depend on a map's order or a hash vary from one process to the next, as times do, and
// are judged like times, by many pairs of binaries.
func (s *Source) simulate(ctx context.Context, c *cell, of *binaries) (counts [2]float64, err error) {
	first := c.pairs == 0
	var few [2]uint64
	var many [2][]float64
	for grown := 0; ; grown++ {
		runs := []simulated{{side: gate.Base, n: countFew}, {side: gate.Head, n: countFew}, {side: gate.Base, n: c.counts}, {side: gate.Head, n: c.counts}}
		if first {
			runs = append(runs, simulated{side: gate.Base, n: c.counts})
		}
		if err := s.simulateAll(ctx, c, of, runs); err != nil {
			return counts, err
		}
		few, many = [2]uint64{runs[0].total, runs[1].total}, [2][]float64{}
		for _, r := range runs[2:] {
			many[which(r.side)] = append(many[which(r.side)], float64(r.total)-float64(few[which(r.side)]))
		}
		least := min(slices.Min(many[0]), slices.Min(many[1]))
		if least >= countLeast || !first {
			break
		}
		if grown == 2 || c.counts >= mostIterations/100 {
			return counts, &RunError{gate.Base, c.Benchmark, fmt.Errorf("%d iterations take only %.0f instructions more than %d: too few to count them among those of the runtime", c.counts, least, countFew), ""}
		}
		by := min(100, 1.2*countLeast/max(least, 1))
		c.counts = int(math.Ceil(float64(c.counts) * by))
	}
	if first && !apart(many[0]) && apart([]float64{many[0][0], many[1][0]}) {
		again := []simulated{{side: gate.Head, n: c.counts}}
		if err := s.simulateAll(ctx, c, of, again); err != nil {
			return counts, err
		}
		many[1] = append(many[1], float64(again[0].total)-float64(few[1]))
	}
	if first {
		c.varies = apart(many[0]) || apart(many[1])
	}
	for i, m := range many {
		sum := 0.0
		for _, n := range m {
			sum += n
		}
		counts[i] = sum / float64(len(m)) / float64(c.counts-countFew)
	}
	return counts, nil
}

// apart reports whether counts differ by more than they would if they did not vary.
func apart(counts []float64) bool {
	return slices.Max(counts) > slices.Min(counts)*(1+gate.CountError)
}

// A simulated is a run of n iterations under Callgrind.
type simulated struct {
	side  gate.Side
	n     int
	total uint64
}

// simulateAll runs all runs, as many at once as there are CPUs: they do not disturb
// each other's counts.
func (s *Source) simulateAll(ctx context.Context, c *cell, of *binaries, runs []simulated) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, runtime.NumCPU())
	var wg sync.WaitGroup
	for i := range runs {
		r := &runs[i]
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			var err error
			if r.total, err = s.total(ctx, c, of, r.side, r.n); err != nil {
				cancel(err) // the first one counts
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// countPair counts the instructions of a pair of c.
func (s *Source) countPair(ctx context.Context, c *cell, of *binaries) (counts [2]float64, counted bool, err error) {
	counts, err = s.count(ctx, c, of)
	f := (*RunError)(nil)
	switch {
	case err == nil:
		return counts, true, nil
	case s.callgrind == nil || !errors.As(err, &f):
		return counts, false, err
	}
	s.uncounted(c, fmt.Sprintf("%v, under Callgrind: %v", f.Side, f.Err), f.Output)
	return counts, false, nil
}
