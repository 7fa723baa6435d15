package abrun

import (
	"context"
	"errors"
	"time"

	"github.com/lockbench/lockbench/results/gate"
)

// calibrate finds out how many iterations of each benchmark take as long as a
// slice, by the base.
func (s *Source) calibrate(ctx context.Context) error {
	var wrong error
	for _, b := range s.both {
		c := s.cells[b]
		n, _, err := s.iterations(ctx, c, s.c.Slice)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		wrong = errors.Join(wrong, err)
		c.n = n
	}
	if wrong != nil {
		return wrong
	}
	return s.calibrateCounts(ctx)
}

// iterations returns how many iterations of c take about that long, and how long
// one takes.
func (s *Source) iterations(ctx context.Context, c *cell, target time.Duration) (n int, each time.Duration, err error) {
	const most = 1e9
	n = 1
	for {
		l, wall, err := s.run(ctx, c, gate.Base, c.p.sides[0].first, n)
		if errors.Is(err, errResults) && !c.verbose {
			// What it prints may have come between its name and its result.
			c.verbose = true
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		took := wall
		if ns, ok := l.nsPerOp(); ok {
			took = time.Duration(ns * float64(n))
		}
		each = max(took/time.Duration(n), 1)
		// Preparations that are not timed take time all the same.
		if took >= target*3/4 || wall > 10*target+time.Second || n >= most {
			return n, each, nil
		}
		// A first iteration is slow, so do not go all the way at once; and a
		// little too long is as good as a little too short.
		want := int(float64(n) * float64(target) * 1.1 / float64(max(took, 1)))
		n = min(max(want, n+1), 100*n, most)
	}
}
