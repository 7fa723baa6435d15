package history

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// noise returns n numbers around 100 with a standard deviation of 1 and a correlation
// rho of neighbours.
func noise(random *rand.Rand, n int, rho float64) []float64 {
	values := make([]float64, n)
	last := random.NormFloat64()
	for i := range values {
		last = rho*last + math.Sqrt(1-rho*rho)*random.NormFloat64()
		values[i] = 100 + last
	}
	return values
}

// In series without a change, changes are found as often as the level says. In series
// with correlated values they are found far more often, because those do wander.
func TestFalseAlarms(t *testing.T) {
	const trials, alpha = 1500, 0.05
	s := new(segmenter)
	random := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		n        int
		rho      float64
		from, to float64
	}{
		{10, 0, 0, 0.07}, // ranks of ten are few: less than the level
		{30, 0, 0.035, 0.065},
		{60, 0, 0.035, 0.065},
		{60, 0.3, 0.15, 0.45},
		{60, 0.6, 0.6, 1},
	} {
		alarms := 0
		for range trials {
			if len(s.cuts(noise(random, test.n, test.rho), alpha)) > 0 {
				alarms++
			}
		}
		share := float64(alarms) / trials
		t.Logf("%d values, correlation %v: %.3f of series have a change", test.n, test.rho, share)
		if share < test.from || share > test.to {
			t.Errorf("%d values, correlation %v: %.3f of series have a change, want %v to %v", test.n, test.rho, share, test.from, test.to)
		}
	}
}

// p is uniform if there is no change, also beyond the scores that were drawn, as a
// larger draw shows.
func TestP(t *testing.T) {
	const trials = 20000
	s := new(segmenter)
	random := rand.New(rand.NewPCG(3, 4))
	limits := []float64{0.2, 0.05, 0.01, 0.002, 0.0005}
	below := make([]int, len(limits))
	for range trials {
		r := newRanks(noise(random, 25, 0))
		_, _, score := r.arc()
		for i, limit := range limits {
			if s.p(r, score) <= limit {
				below[i]++
			}
		}
	}
	t.Logf("of %d: %v below %v", trials, below, limits)
	for i, limit := range limits {
		want := limit * trials
		// The null itself is a sample, of 4000.
		if most := want*1.25 + 4*math.Sqrt(want); float64(below[i]) > most {
			t.Errorf("p ≤ %v in %d of %d, want at most about %v", limit, below[i], trials, want)
		}
	}
}

// A step of 5 % is found in noise of 1 %, at the right place.
func TestPower(t *testing.T) {
	const trials = 300
	s := new(segmenter)
	random := rand.New(rand.NewPCG(5, 6))
	for _, test := range []struct {
		name   string
		n      int
		step   float64 // percent
		from   int
		to     int
		likely float64
	}{
		{"in the middle", 30, 5, 15, 30, 0.99},
		{"five runs ago", 30, 5, 25, 30, 0.95},
		{"of ten", 12, 5, 6, 12, 0.5},
		{"and back", 60, 5, 30, 40, 0.97},
		{"2 %", 60, 2, 30, 60, 0.85},
	} {
		found, placed, extra := 0, 0, 0
		for range trials {
			values := noise(random, test.n, 0)
			for i := test.from; i < test.to; i++ {
				values[i] *= 1 + test.step/100
			}
			cuts := s.cuts(values, 0.01)
			want := []int{test.from}
			if test.to < test.n {
				want = append(want, test.to)
			}
			hit := 0
			for _, w := range want {
				if slices.ContainsFunc(cuts, func(c cut) bool { return c.at >= w-2 && c.at <= w+2 }) {
					hit++
				}
				if slices.ContainsFunc(cuts, func(c cut) bool { return c.at == w }) {
					placed++
				}
			}
			if hit == len(want) {
				found++
			}
			extra += max(0, len(cuts)-len(want))
		}
		t.Logf("%s: found in %d of %d; ends at the very run %d; changes too many %d", test.name, found, trials, placed, extra)
		if float64(found) < test.likely*trials {
			t.Errorf("%s: found in %d of %d, want %v", test.name, found, trials, test.likely)
		}
		if extra > trials*10/100 {
			t.Errorf("%s: %d changes too many in %d series", test.name, extra, trials)
		}
	}
}

// Spikes, of one run or of four, are no change.
func TestSpikes(t *testing.T) {
	const trials = 300
	s := new(segmenter)
	random := rand.New(rand.NewPCG(7, 8))
	for width := 1; width < 5; width++ {
		alarms := 0
		for range trials {
			values := noise(random, 40, 0)
			at := random.IntN(40 - width + 1)
			for i := at; i < at+width; i++ {
				values[i] *= 2
			}
			cuts := s.cuts(values, 0.01)
			if len(cuts) > 0 {
				alarms++
			}
			last := 0
			for _, c := range append(cuts, cut{at: len(values)}) {
				if c.at-last < 5 {
					t.Fatalf("%d values after %d, want at least 5: %v", c.at-last, last, cuts)
				}
				last = c.at
			}
		}
		t.Logf("spikes of %d runs: a change in %d of %d", width, alarms, trials)
		if width == 1 && alarms > trials*3/100 {
			t.Errorf("spikes of %d runs: a change in %d of %d series", width, alarms, trials)
		}
	}
}

func TestPrune(t *testing.T) {
	values := noise(rand.New(rand.NewPCG(15, 16)), 40, 0)
	for i := 20; i < 40; i++ {
		values[i] += 5
	}
	if cuts := prune(values, []cut{{at: 10}, {at: 20}, {at: 30}}, 0.01); len(cuts) != 1 || cuts[0].at != 20 {
		t.Errorf("got %v, want that at 20 alone", cuts)
	}
}

func TestCutsOfCounts(t *testing.T) {
	s := new(segmenter)
	same := slices.Repeat([]float64{3}, 30)
	if cuts := s.cuts(same, 0.05); len(cuts) > 0 || s.tests > 0 {
		t.Errorf("all the same: got %v", cuts)
	}
	step := append(slices.Repeat([]float64{3}, 20), slices.Repeat([]float64{4}, 6)...)
	if cuts := s.cuts(step, 0.001); len(cuts) != 1 || cuts[0].at != 20 {
		t.Errorf("3 to 4 allocations: got %v", cuts)
	}
	if cuts := s.cuts(step[:9], 0.05); len(cuts) > 0 {
		t.Errorf("nine values: got %v", cuts)
	}
}

func TestCorrelation(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, rho := range []float64{0, 0.3, 0.8} {
		values := noise(random, 5000, rho)
		for i := 2500; i < 5000; i++ {
			values[i] += 20
		}
		if got := correlation(values); math.Abs(got-rho) > 0.1 {
			t.Errorf("got %v, want %v", got, rho)
		}
	}
	if got := correlation([]float64{1, 1}); got != 0 {
		t.Errorf("of two: got %v", got)
	}
}

// A trend that drifts is reported as drifting, and one that does not rarely is.
func TestDrifts(t *testing.T) {
	const trials, n = 500, 60
	random := rand.New(rand.NewPCG(13, 14))
	for _, test := range []struct{ rho, from, to float64 }{{0, 0, 0.07}, {0.3, 0.1, 0.7}, {0.6, 0.6, 1}} {
		said := 0
		for range trials {
			tr := &Trend{Points: make([]Point, n)}
			values := noise(random, n, test.rho)
			for i := n / 2; i < n; i++ {
				values[i] += 10
			}
			if tr.Correlation = correlation(values); tr.Drifts() {
				said++
			}
		}
		share := float64(said) / trials
		t.Logf("correlation %v: %.3f are said to drift", test.rho, share)
		if share < test.from || share > test.to {
			t.Errorf("correlation %v: %.3f are said to drift, want %v to %v", test.rho, share, test.from, test.to)
		}
	}
}

func TestBenjaminiHochberg(t *testing.T) {
	for _, test := range []struct {
		ps   []float64
		of   int
		want float64
	}{
		{nil, 10, -1},
		{[]float64{0.006}, 10, -1},
		{[]float64{0.005}, 10, 0.005},
		{[]float64{0.2, 0.009, 0.008}, 10, 0.009}, // the second helps the first
	} {
		if got := benjaminiHochberg(test.ps, test.of, 0.05); got != test.want {
			t.Errorf("%v of %d: got %v, want %v", test.ps, test.of, got, test.want)
		}
	}
}
