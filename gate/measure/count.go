package measure

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/gate"
)

const (
	// countEvery is in which pairs instructions are counted: once for each pair of
	// binaries, since counting takes longer than a slice, and hardly varies.
	countEvery = gate.PairsPerBuild

	// countFor is how long a benchmark runs while they are counted, so that
	// what the runtime does besides is a small part.
	countFor = 30 * time.Millisecond

	// countFew is how many iterations the other of the two runs has. With one,
	// package testing would do something else than with many.
	countFew = 2
)

// calibrateCounts finds out which benchmarks to count instructions of, and in
// how many iterations.
//
// Where a benchmark is not measured with one CPU, it is made a benchmark of its
// own, of which there are only counts.
func (s *Source) calibrateCounts(ctx context.Context) error {
	if s.c.Instructions == DontCount {
		return nil
	}
	if err := canCount(); err != nil {
		s.warn("%v", err)
		return nil
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
		found, err := s.iterations(ctx, c, countFor)
		if err != nil && !c.fail(err) {
			return err
		}
		c.counts = max(found.n, 2*countFew)
	}
	return nil
}

// count returns the instructions of an iteration: what many iterations take
// more than a few, so that beginning and end of the process cancel out.
func (s *Source) count(ctx context.Context, c *cell, side gate.Side, of *binaries) (float64, error) {
	var counts [2]uint64
	for i, n := range []int{countFew, c.counts} {
		j := s.job(c, side, of)
		j.name, j.cpu, j.n, j.count = c.name, 1, n, true
		o, err := s.exec(ctx, j)
		if err == nil {
			_, err = find(o.stdout, c.name, 1)
		}
		if err != nil {
			return 0, explain(err, side, c.Benchmark)
		}
		counts[i] = o.instructions
	}
	if counts[1] <= counts[0] {
		return 0, &RunError{side, c.Benchmark, fmt.Errorf("%d iterations take %d instructions, %d take %d: want more", countFew, counts[0], c.counts, counts[1]), ""}
	}
	return float64(counts[1]-counts[0]) / float64(c.counts-countFew), nil
}
