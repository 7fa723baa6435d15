package measure

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
)

// calibrate finds out how many iterations of each benchmark take as long as a
// slice, by the base.
func (s *Source) calibrate(ctx context.Context) error {
	var wrong error
	var collected []string
	for _, b := range s.both {
		c := s.cells[b]
		if c.failed != nil {
			continue
		}
		n, last, err := s.iterations(ctx, c, s.c.Slice)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && !c.fail(err) {
			wrong = errors.Join(wrong, err)
		}
		c.n, c.times = n, s.c.FastestOf
		if c.times > 1 && last.allocates() {
			c.times = 1
			collected = append(collected, c.String())
		}
	}
	if s.c.FastestOf > 1 {
		s.warn("a time is that of the fastest of %d slices: what is slow only now and then, of its own accord, is not seen", s.c.FastestOf)
	}
	if len(collected) > 0 {
		s.warn("of what allocates there is one slice, since the collector is slow now and then: %s", strings.Join(collected, ", "))
	}
	if wrong != nil {
		return wrong
	}
	return s.calibrateCounts(ctx)
}

// iterations returns how many iterations of c take about that long, and what they
// said.
func (s *Source) iterations(ctx context.Context, c *cell, target time.Duration) (int, line, error) {
	const most = 1e9
	n, enough := 1, 0
	shortest := time.Duration(math.MaxInt64) // of n
	for {
		l, wall, err := s.run(ctx, c, gate.Base, c.p.sides[0].first, n, 1)
		if errors.Is(err, errResults) && !c.verbose {
			// What it prints may have come between its name and its result.
			c.verbose = true
			continue
		}
		if err != nil {
			return 0, line{}, err
		}
		took := wall
		if ns, ok := l.nsPerOp(); ok && ns > 0 { // a benchmark may report what it likes
			took = time.Duration(ns * float64(n))
		}
		shortest = min(shortest, max(took, 1))
		// Preparations that are not timed take time all the same.
		if shortest >= target*3/4 || wall > 10*target+time.Second || n >= most {
			// It may have been interrupted, so have it say so twice.
			if enough++; enough == 2 || shortest > 2*target {
				return n, l, nil
			}
			continue
		}
		// A first iteration is slow, so do not go all the way at once; and a
		// little too long is as good as a little too short.
		want := int(float64(n) * float64(target) * 1.1 / float64(shortest))
		n = min(max(want, n+1), 100*n, most)
		enough, shortest = 0, math.MaxInt64
	}
}
