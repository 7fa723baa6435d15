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

// What follows finds where a series of numbers changes: circular binary
// segmentation (Olshen and Venkatraman 2004) of ranks.
//
// Of all arcs, the values from one place to another, it takes the one whose ranks
// are least like those of the rest. A step is an arc that ends where the series
// does; one that ends before is a change and its end, which a search for one step
// alone would see as neither. If fewer than one in so many random orders of the
// same values has such an arc, the series is cut there, and each part is looked at
// in turn. Ranks, because what one value is has no say then in how far a mean
// goes; random orders, because they assume no distribution.

// leastSegment is how many values there are between two changes at least, and at
// the ends: fewer are an outlier, or too few to say. It takes twice as many for
// one change to be found.
const leastSegment = 5

// A cut is a change found: the index of the first value after it.
type cut struct {
	at int
	p  float64 // that random order has such an arc, here and where it was cut before
}

// A segmenter finds changes. What random orders have is the same for all series
// of one length, so it remembers that.
type segmenter struct {
	nulls map[string][]float64
	tests int // how many times it asked whether there is a change
}

// cuts returns the changes in values, of which each alone would be found by
// chance with a probability of at most alpha.
func (s *segmenter) cuts(values []float64, alpha float64) []cut {
	var cuts []cut
	s.segment(values, 0, 0, alpha, &cuts)
	slices.SortFunc(cuts, func(a, b cut) int { return a.at - b.at })
	settle(values, cuts)
	return prune(values, cuts, alpha)
}

// segment looks at values, which begin at index first of the series and were cut
// out of it with the probability p.
func (s *segmenter) segment(values []float64, first int, p, alpha float64, cuts *[]cut) {
	if len(values) < 2*leastSegment {
		return
	}
	r := newRanks(values)
	if r.spread == 0 {
		return // all the same
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
	sums   []float64 // sums[i] is that of the first i, less what is to be expected
	spread float64   // variance of one rank
	ties   string    // how often each value is there, in their order
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
		rank := float64(i+j-1)/2 - float64(n-1)/2 // of those alike, the middle
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

// arc returns the arc [i, j) whose ranks are least like those of the rest, and how
// far they are from it, in standard deviations.
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
	randomOrders = 4000 // that are looked at; of long series, as many as take as long as 200 values do
	fewOrders    = 40   // as few of them are not enough to tell how many there are
)

// p returns the probability that a random order has an arc as far off.
func (s *segmenter) p(r *ranks, score float64) float64 {
	null := s.null(r)
	i, _ := slices.BinarySearch(null, score-1e-9)
	if more := len(null) - i; more >= fewOrders {
		return float64(more+1) / float64(len(null)+1)
	}
	// Farther out than what was drawn can tell. The tail of a maximum of normal
	// variables is like z³exp(-z²/2); that of ranks, which have a highest, is
	// shorter, so this is on the safe side.
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

// settle moves each cut to where the values on both sides of it, up to the next, are
// nearest to their medians. Ranks find an arc but not its ends, since with what is
// almost as high as it, an arc is longer, and so less likely.
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

// prune takes back cuts whose sides do not differ: an arc has two ends, of which
// one may be for nothing.
func prune(values []float64, cuts []cut, alpha float64) []cut {
	for {
		worst, at := alpha, -1
		for i := range cuts {
			before, after := neighbours(values, cuts, i)
			p := 1.0
			// The error is of samples that are all the same.
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

// neighbours returns these values.
func neighbours(values []float64, cuts []cut, i int) (before, after []float64) {
	from, to := between(cuts, i, len(values))
	return values[from:cuts[i].at], values[cuts[i].at:to]
}

// benjaminiHochberg returns the largest p that is a discovery, given those of
// tests and how many tests there were; a negative number if there is none. Of the
// discoveries, a share fdr is false on average.
func benjaminiHochberg(ps []float64, of int, fdr float64) float64 {
	ps = slices.Sorted(slices.Values(ps))
	for k := len(ps); k > 0; k-- {
		if ps[k-1] <= fdr*float64(k)/float64(of) {
			return ps[k-1]
		}
	}
	return -1
}

// correlation returns how alike a value is to the one before, from -1 to 1, as an
// autoregressive process of the first order has it. It goes by how far apart
// neighbours are, and neighbours but one, so that changes do not matter if they are
// few (as Chakar and others 2017, "A robust approach for estimating change-points
// in the mean of an AR(1) process"); and what is farther apart than three times the
// median counts as that.
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
