package measure

import (
	"context"
	"errors"
	"math"
	"time"
)

const (
	// mostSlices is how many slices a benchmark has in a process, and mostTime how long
	// they may take, not counting the first, which is dropped.
	mostSlices = 7
	mostTime   = 60 * time.Millisecond

	// Benchmarks of several CPUs have more and shorter slices. In each slice their
	// goroutines happen to wait for each other often or seldom, so slices differ by 30
	// to 45 % whether they take 1 ms or 100 ms: only more of them average that out.
	mostSlicesContended = 39
	mostTimeContended   = 150 * time.Millisecond
	shorterContended    = 3
	turnContended       = 20 * time.Millisecond // a change of turns takes half a millisecond

	mostIterations = 1e9 // package testing stops here as well
)

// calibrate finds out how many iterations of each benchmark, and how many slices,
// to run.
func (s *Source) calibrate(ctx context.Context) error {
	var wrong error
	for _, b := range s.both {
		c := s.cells[b]
		if c.failed != nil {
			continue
		}
		target := s.c.Slice
		if c.cpu > 1 {
			target /= shorterContended
		}
		found, err := s.iterations(ctx, c, target)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			if !c.fail(err) {
				wrong = errors.Join(wrong, err)
			}
			continue
		}
		c.n = found.n
		c.slices, c.warm, c.turn = schedule(c.cpu, found.slice, s.c.Slice)
		c.cost = 2 * (found.start + time.Duration(c.warm+c.slices)*found.slice)
	}
	if wrong != nil {
		return wrong
	}
	return s.calibrateCounts(ctx)
}

// schedule returns how many slices of that length a process of a benchmark has, how many
// besides that are dropped, and how many slices a turn has.
func schedule(cpu int, slice, wanted time.Duration) (number, warm, turn int) {
	slice = max(slice, 1)
	most, limit, turn := mostSlices, mostTime, 1
	if cpu > 1 {
		most, limit, turn = mostSlicesContended, mostTimeContended, int(max(1, turnContended/slice))
	}
	limit = max(limit, 20*wanted)
	if slice <= limit {
		warm = 1
	}
	return int(max(1, min(time.Duration(most), limit/slice))), warm, turn
}

// A pace is the speed of a benchmark on its slower side.
type pace struct {
	n            int           // iterations of a slice
	slice, start time.Duration // duration of a slice with its overhead, and of the rest of a process
}

// iterations returns how many iterations of c take about target on the slower side.
// Both sides run the same number, so the other one is done earlier.
func (s *Source) iterations(ctx context.Context, c *cell, target time.Duration) (pace, error) {
	// The time of the first iteration is mostly too long. But there may be setup that
	// is not timed, so begin with only a few iterations.
	n := 1
	if c.once > 0 {
		n = int(max(1, min(100, target/c.once)))
	}
	times := slicesWithin(mostTime, c.once*time.Duration(n))
	var last pace
	for {
		now, took, err := s.pace(ctx, c, n, times)
		if errors.Is(err, errResults) && !c.verbose {
			// Its output may be between its name and its result.
			c.verbose = true
			continue
		}
		if err != nil || took >= target*3/4 || now.slice > time.Second || n >= mostIterations {
			return now, err
		}
		// A first iteration is slow, so raise the number in steps; a little too long is
		// as good as a little too short.
		want := min(float64(n)*float64(target)*1.1/float64(took), 100*float64(n))
		if now.slice > 10*target {
			want = min(want, 2*float64(n))
		}
		if last.n > 0 && now.slice > last.slice {
			// Work that is not timed takes time as well: allow up to ten times the
			// timed work.
			each := float64(now.slice-last.slice) / float64(n-last.n)
			want = min(want, float64(n)+10*float64(target)/each)
			if want < 1.2*float64(n) && now.slice > 10*target {
				return now, nil
			}
		}
		last = now
		n = int(min(max(want, float64(n+1)), mostIterations))
		times = slicesWithin(mostTime, now.slice+target)
	}
}

// slicesWithin returns how many slices of that length fit into most, from 1 to 3.
func slicesWithin(most, slice time.Duration) int {
	return int(max(1, min(3, most/max(slice, 1))))
}

// pace runs n iterations of c on both sides, times times, and returns how long the
// slower side takes: p by the clock, and took as the benchmark reports it.
func (s *Source) pace(ctx context.Context, c *cell, n, times int) (p pace, took time.Duration, err error) {
	p.n = n
	for _, side := range sides {
		j := s.job(c, side, c.p.pairs[0])
		j.n, j.times = n, times
		o, err := s.exec(ctx, j)
		if err != nil {
			return p, 0, explain(err, side, c.Benchmark)
		}
		lines, err := find(o.stdout, j.name, times)
		if err != nil {
			return p, 0, explain(err, side, c.Benchmark)
		}
		slice, start := o.wall, time.Duration(0)
		for k := 1; k < len(o.ends); k++ {
			slice = min(slice, o.ends[k]-o.ends[k-1]) // it may have been interrupted
			start = o.wall - slice*time.Duration(times)
		}
		shortest := math.Inf(1)
		for _, l := range lines {
			if ns, ok := l.value("ns/op"); ok && ns > 0 { // a benchmark may report any number
				shortest = min(shortest, ns*float64(n))
			}
		}
		if math.IsInf(shortest, 1) {
			shortest = float64(slice)
		}
		p.slice, p.start = max(p.slice, slice), max(p.start, start)
		took = max(took, time.Duration(shortest), 1)
	}
	return p, took, nil
}
