package history

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/aclements/go-moremath/stats"

	"github.com/lockbench/lockbench/gate"
)

// This file finds where a series of numbers changes, by circular binary segmentation
// (Olshen and Venkatraman 2004) of ranks.
//
// Of all arcs (the values from one place to another) it takes the one whose ranks
// differ most from those of the rest. A step is an arc that ends where the series ends;
// an arc that ends before is a change and its end, which a search for single steps
// would miss. If such an arc is rare enough among random orders of the same values, the
// series is cut at its ends, and each part is searched in turn. It uses ranks, because
// a single value then cannot move a mean far, and random orders, because they assume no
// distribution.

// leastSegment is the least number of values between two changes, and at the ends:
// fewer may be outliers. Finding one change takes twice as many values.
const leastSegment = 5

// A cut is a change found: the index of the first value after it.
type cut struct {
	at int
	p  float64 // probability of such an arc in random order, here and at the earlier cuts
}

// A segmenter finds changes. The scores of random orders are the same for all series of
// one length, so it remembers them.
type segmenter struct {
	nulls map[string][]float64
	tests int // how many tests for a change it made
}

// cuts returns the changes in values; each of them would be found by chance with a
// probability of at most alpha.
func (s *segmenter) cuts(values []float64, alpha float64) []cut {
	var cuts []cut
	s.segment(values, 0, 0, alpha, &cuts)
	slices.SortFunc(cuts, func(a, b cut) int { return a.at - b.at })
	settle(values, cuts)
	return prune(values, cuts, alpha)
}

// segment searches values, which begin at index first of the series; p is the
// probability of the cuts around them.
func (s *segmenter) segment(values []float64, first int, p, alpha float64, cuts *[]cut) {
	if len(values) < 2*leastSegment {
		return
	}
	r := newRanks(values)
	if r.spread == 0 {
		return // all equal
	}
	s.tests++
	i, j, score := r.arc()
	p = max(p, s.p(r, score))
	if p > alpha {
		return
	}
	from := 0
	for _, to := range []int{i, j, len(values)} {
		if to == 0 || to == from {
			continue
		}
		s.segment(values[from:to], first+from, p, alpha, cuts)
		if to < len(values) {
			*cuts = append(*cuts, cut{first + to, p})
		}
		from = to
	}
}

// A ranks is the ranks of values, as sums from the beginning on.
type ranks struct {
	sums   []float64 // sums[i] is the sum of the first i, minus its expectation
	spread float64   // variance of one rank
	ties   string    // how often each value occurs, in ascending order of the values
}

func newRanks(values []float64) *ranks {
	n := len(values)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	r := &ranks{sums: make([]float64, n+1)}
	of := make([]float64, n)
	var ties strings.Builder
	for i := 0; i < n; {
		j := i
		for j < n && values[order[j]] == values[order[i]] {
			j++
		}
		rank := float64(i+j-1)/2 - float64(n-1)/2 // equal values have their mean rank
		for _, k := range order[i:j] {
			of[k] = rank
		}
		r.spread += rank * rank * float64(j-i)
		fmt.Fprintf(&ties, "%d ", j-i)
		i = j
	}
	r.ties = ties.String()
	r.spread /= float64(n - 1)
	r.sum(of)
	return r
}

func (r *ranks) sum(of []float64) {
	for i, v := range of {
		r.sums[i+1] = r.sums[i] + v
	}
}

// arc returns the arc [i, j) whose ranks differ most from those of the rest, and by how
// much, in standard deviations.
func (r *ranks) arc() (i, j int, score float64) {
	n := len(r.sums) - 1
	// The variance of the sum of m of n ranks, by m.
	scale := make([]float64, n)
	for m := 1; m < n; m++ {
		scale[m] = 1 / math.Sqrt(r.spread*float64(m)*float64(n-m)/float64(n))
	}
	for a := 0; a <= n-leastSegment; a++ {
		if a > 0 && a < leastSegment {
			continue
		}
		for b := a + leastSegment; b <= n; b++ {
			if b < n && b > n-leastSegment || b-a > n-leastSegment {
				continue
			}
			if z := math.Abs(r.sums[b]-r.sums[a]) * scale[b-a]; z > score {
				i, j, score = a, b, z
			}
		}
	}
	return i, j, score
}

const (
	randomOrders = 4000 // how many are tried; fewer for long series, so that they take no longer than 200 values do
	fewOrders    = 40   // fewer scores than this are too few to estimate a probability
)

// p returns the probability that a random order has an arc with at least this score.
func (s *segmenter) p(r *ranks, score float64) float64 {
	null := s.null(r)
	i, _ := slices.BinarySearch(null, score-1e-9)
	if more := len(null) - i; more >= fewOrders {
		return float64(more+1) / float64(len(null)+1)
	}
	// The score is beyond what the random orders can tell. The tail of a maximum of
	// normal variables is like z³exp(-z²/2); that of ranks, which are bounded, is
	// shorter, so this errs on the safe side.
	z := null[len(null)-fewOrders]
	p := float64(fewOrders+1) / float64(len(null)+1)
	return min(p, p*math.Pow(score/z, 3)*math.Exp((z*z-score*score)/2))
}

// null returns the scores of random orders of the values of r, ascending.
func (s *segmenter) null(r *ranks) []float64 {
	if null, ok := s.nulls[r.ties]; ok {
		return null
	}
	n := len(r.sums) - 1
	of := make([]float64, n)
	for i := range of {
		of[i] = r.sums[i+1] - r.sums[i]
	}
	random := rand.New(rand.NewPCG(uint64(n), 1))
	draw := &ranks{sums: make([]float64, n+1), spread: r.spread}
	null := make([]float64, max(10*fewOrders, min(randomOrders, randomOrders*200*200/(n*n))))
	for i := range null {
		random.Shuffle(n, func(i, j int) { of[i], of[j] = of[j], of[i] })
		draw.sum(of)
		_, _, null[i] = draw.arc()
	}
	slices.Sort(null)
	if s.nulls == nil {
		s.nulls = make(map[string][]float64)
	}
	s.nulls[r.ties] = null
	return null
}

// settle moves each cut to where the values on both sides of it, up to the next cut,
// are closest to their medians. Ranks find an arc but not its exact ends: a longer arc,
// with neighbouring values that are almost as high, may have a better score.
func settle(values []float64, cuts []cut) {
	for i := range cuts {
		from, to := between(cuts, i, len(values))
		at, least := cuts[i].at, math.Inf(+1)
		for k := from + leastSegment; k <= to-leastSegment; k++ {
			if d := deviation(values[from:k]) + deviation(values[k:to]); d < least {
				at, least = k, d
			}
		}
		cuts[i].at = at
	}
}

// deviation returns the sum of the distances of values from their median.
func deviation(values []float64) (sum float64) {
	m := gate.Median(values)
	for _, v := range values {
		sum += math.Abs(v - m)
	}
	return sum
}

// prune removes cuts whose sides do not differ: an arc has two ends, and only one of
// them may be a change.
func prune(values []float64, cuts []cut, alpha float64) []cut {
	for {
		worst, at := alpha, -1
		for i := range cuts {
			before, after := neighbours(values, cuts, i)
			p := 1.0
			// The error is about samples that are all equal.
			if test, err := stats.MannWhitneyUTest(before, after, stats.LocationDiffers); err == nil {
				p = test.P
			}
			if p > worst {
				worst, at = p, i
			}
		}
		if at < 0 {
			return cuts
		}
		cuts = slices.Delete(cuts, at, at+1)
		settle(values, cuts)
	}
}

// between returns where the values on both sides of the i'th cut begin and end.
func between(cuts []cut, i, n int) (from, to int) {
	from, to = 0, n
	if i > 0 {
		from = cuts[i-1].at
	}
	if i < len(cuts)-1 {
		to = cuts[i+1].at
	}
	return from, to
}

// neighbours returns the values on both sides of the i'th cut.
func neighbours(values []float64, cuts []cut, i int) (before, after []float64) {
	from, to := between(cuts, i, len(values))
	return values[from:cuts[i].at], values[cuts[i].at:to]
}

// benjaminiHochberg returns the largest p that is a discovery, given p-values and the
// number of tests; a negative number if there is none. On average a share fdr of the
// discoveries is false.
func benjaminiHochberg(ps []float64, of int, fdr float64) float64 {
	ps = slices.Sorted(slices.Values(ps))
	for k := len(ps); k > 0; k-- {
		if ps[k-1] <= fdr*float64(k)/float64(of) {
			return ps[k-1]
		}
	}
	return -1
}

// correlation returns the correlation of a value with the one before, from -1 to 1, in
// the model of an autoregressive process of the first order. It compares the distances
// of neighbours with those of values two apart, so that a few changes do not matter (as
// Chakar and others 2017, "A robust approach for estimating change-points in the mean
// of an AR(1) process"); and a distance of more than three times the median counts as
// three times the median.
func correlation(values []float64) float64 {
	spread := func(lag int) float64 {
		var of []float64
		for i := lag; i < len(values); i++ {
			of = append(of, math.Abs(values[i]-values[i-lag]))
		}
		sum, most := 0.0, 3*gate.Median(of)
		for _, d := range of {
			sum += min(d, most)
		}
		return sum / float64(len(of))
	}
	if len(values) < 3 {
		return 0
	}
	one, two := spread(1), spread(2)
	if !(one > 0) {
		return 0
	}
	return max(-1, min(1, two*two/(one*one)-1))
}
