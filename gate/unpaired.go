package gate

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/aclements/go-moremath/stats"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// This file judges readings that were not taken together: ten of the base, and then, or
// on another day, ten of the head. So it compares two samples. It estimates by how much
// one is shifted against the other, in logarithms, and bounds the shift by the ordered
// differences of all readings of the head and all of the base: the interval of Hodges
// and Lehmann, from the distribution of Mann and Whitney's U. It assumes no particular
// distribution, only that the readings of a side are independent, and that both sides
// have the same distribution except for the shift.
//
// The shift has a part of the code and a part of the machine, and no number of readings
// separates them: with a drift of 5 % between the halves a rank test flags three of
// four unchanged benchmarks at ten readings a side, and all of them at a hundred. So
// the machine is allowed a drift, d ([Files.Drift]):
//
//   - regressed, if the interval is beyond margin and drift. Then the code is
//     worse by more than the margin, whatever the machine did within d;
//   - pass, if the interval is within the margin. Then the code is worse by no
//     more than margin and drift: a weaker pass than that of pairs, and the
//     reason given says so. To ask of the interval that it be within the
//     margin less the drift would be as strong as pairs ([Files.Strict]), but
//     then nothing could pass unless the margin is above the drift, and a
//     gate that cannot pass is switched off;
//   - cannot tell otherwise. In particular what is worse by 3 % to 8 % is
//     never called regressed, nor passed.
//
// The allowance for a drift also covers that each side has only one layout of its code.
//
// Of all that are called regressed at most a share FDR is false. The p-values are those
// of the U test against the shift of margin and drift. A disturbance of the machine
// affects many benchmarks at once, and ns/op and ops/s in opposite directions, so
// nothing can be assumed about their dependence: this needs the procedure of Benjamini
// and Yekutieli 2001. (Benjamini and Hochberg's own needs positive dependence.) Here
// the number of readings does not depend on the data, so p-values are valid.

// minSamples is the least number of samples on each side. Five on both have 252 orders,
// all equally likely if nothing differs, so that at 99 % the bounds of the interval are
// the first differences from either end: for a verdict all samples of the head must be
// on one side of all of the base, and a single outlier prevents it. With five and
// twelve the bounds are the seventh differences, so one of the twelve may be an
// outlier. Four and six, or three and nine, would have enough orders as well; but
// samples are taken one after the other, and a disturbance of one affects the next:
// with so few it may affect all.
const minSamples = 5

// A shift is one comparison of two samples.
type shift struct {
	*series
	base, head []float64 // as they are
	builds     map[int]bool
	x, y       []float64 // their logarithms, or the values themselves if one is below 0, ordered, so that more is worse
	drift      float64   // as a share
	scale      float64   // the value of which a difference is a share, if one is below 0
	logP       float64   // logarithm of the p-value against a shift of at most margin and drift
	exact      bool
	found      bool
}

// judgeApart judges the benchmarks that were not measured together. It also returns the
// units without a direction.
func (s *fileSource) judgeApart(ctx context.Context, r Rules) (res []Result, unknown []string, err error) {
	if len(s.apart) == 0 {
		return nil, nil, nil
	}
	var all []*shift
	j, err := newJudge(r, apartSource{s})
	if err != nil {
		return nil, nil, err
	}
	mixed := 0
	for _, b := range s.apart {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		of, n := s.shiftsOf(j, b)
		all, mixed = append(all, of...), mixed+n
		if len(of) == 0 && n > 0 {
			res = append(res, untold(b, "", 0, "the CPUs came nearer to each other, or went farther apart, in the middle of all readings"))
		}
		res = append(res, j.notCompared(b, s.unitsOf(Base, b), s.unitsOf(Head, b))...)
	}
	if mixed > 0 {
		s.warn("%d readings left out: the CPUs came nearer to each other, or went farther apart, in the middle", mixed)
	}

	var tests []*shift
	for _, t := range all {
		t.signs()
		t.exact = t.series.exact || isCount(t.unit) && min(len(t.base), len(t.head)) >= minSamples && constant(t.base) && constant(t.head)
		if !t.exact {
			t.test()
			tests = append(tests, t)
		}
	}
	logs := make([]float64, len(tests))
	for i, t := range tests {
		logs[i] = t.logP
	}
	for i, found := range yekutieli(logs, r.FDR) {
		tests[i].found = found
	}

	most := make(map[seriesKey]*shift) // without a distance
	for _, t := range all {
		k := t.seriesKey
		k.distance = ""
		if m := most[k]; m == nil || t.n() > m.n() {
			most[k] = t
		}
	}
	drifted := 0
	for _, t := range all {
		result := t.result(r, s.Strict, len(tests))
		k := t.seriesKey
		k.distance = ""
		result.Minor = t != most[k] && result.Verdict != Regressed
		res = append(res, result)
		if t.drift > 0 && !t.exact {
			drifted++
		}
	}
	if drifted > 0 {
		s.warn("%s of readings that were not taken together: a drift of %s between them would look like a change",
			wording.Plural(drifted, "result")+" "+wording.Is(drifted), wording.Share(s.driftShare()))
	}
	return res, slices.Sorted(maps.Keys(j.unknown)), nil
}

// An apartSource is a fileSource with the benchmarks that are in no round.
type apartSource struct{ *fileSource }

func (s apartSource) Benchmarks() (both, onlyBase, onlyHead []Benchmark) { return s.apart, nil, nil }

// driftShare returns the drift that is allowed for.
func (f Files) driftShare() float64 {
	switch {
	case f.Drift == 0:
		return DefaultDrift
	case f.Drift < 0:
		return 0
	}
	return f.Drift
}

// shiftsOf returns the comparisons of b, and how many readings are left out because
// their distance changed.
func (s *fileSource) shiftsOf(j *judge, b Benchmark) (all []*shift, mixed int) {
	for side, file := range s.files() {
		for _, r := range s.records[side][b] {
			for _, v := range r.Values {
				j.check(b, v, func() string { return where(file, r) })
			}
		}
	}
	of := make(map[*series]*shift)
	for _, side := range []Side{Base, Head} {
		for _, r := range s.records[side][b] {
			if r.Distance == results.Mixed {
				mixed++
				continue
			}
			for _, v := range r.Values {
				if !s.has(Base, b, v.Unit) || !s.has(Head, b, v.Unit) {
					continue // reported elsewhere
				}
				sr := j.of(seriesKey{b, v.Unit, r.Distance})
				if sr == nil || j.nonsense(sr.seriesKey) != nil {
					continue
				}
				t := of[sr]
				if t == nil {
					t = &shift{series: sr, builds: make(map[int]bool)}
					if !isCount(v.Unit) {
						t.drift = s.driftShare()
					}
					of[sr] = t
					all = append(all, t)
				}
				if side == Base {
					t.base = append(t.base, v.Value)
				} else {
					t.head = append(t.head, v.Value)
					t.builds[r.Build] = true
				}
			}
		}
	}
	return all, mixed
}

func constant(values []float64) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v float64) bool { return v != values[0] })
}

// n returns the number of readings of the smaller side.
func (t *shift) n() int { return min(len(t.base), len(t.head)) }

// near returns the shift of a benchmark that is worse by the margin.
func (t *shift) near() float64 {
	if t.signed {
		return t.margin * t.scale
	}
	return t.limit()
}

// reach returns the largest shift that the allowed drift makes.
func (t *shift) reach() float64 {
	if t.signed {
		return t.drift * t.scale
	}
	return math.Log1p(t.drift)
}

// far returns the shift above which the head is worse.
func (t *shift) far() float64 { return t.near() + t.reach() }

// change returns a shift as a change of the value, a share. It is infinite if the shift
// is a difference of values around 0.
func (t *shift) change(shift float64) float64 {
	switch {
	case !t.signed:
		return t.measure.change(shift)
	case shift == 0:
		return 0
	}
	return -float64(t.better) * shift / t.scale
}

// signs finds out whether a reading is below 0.
func (t *shift) signs() {
	t.signed = slices.ContainsFunc(slices.Concat(t.base, t.head), func(v float64) bool { return v < 0 })
	t.scale = math.Abs(medianOf(t.base))
}

// order prepares the readings.
func (t *shift) order() {
	badness := func(values []float64) []float64 {
		bad := make([]float64, len(values))
		for i, v := range values {
			if !t.signed {
				v = logarithm(v)
			}
			bad[i] = -float64(t.better) * v
		}
		slices.Sort(bad)
		return bad
	}
	t.x, t.y = badness(t.base), badness(t.head)
}

// test tests the shift against its limit.
func (t *shift) test() {
	t.order()
	t.logP = 0
	if t.n() >= minSamples {
		// Differences equal to the limit count as evidence against a regression.
		t.logP = logUCDF(len(t.x), len(t.y), countUpTo(t.x, t.y, t.far()))
	}
}

// interval returns the shift and its bounds.
func (t *shift) interval(alpha float64) (d, lo, hi float64) {
	n := len(t.x) * len(t.y)
	if n == 0 {
		return math.NaN(), math.Inf(-1), math.Inf(+1)
	}
	d = median([]float64{kth(t.x, t.y, (n+1)/2), kth(t.x, t.y, n/2+1)})
	k := uCritical(len(t.x), len(t.y), alpha/2)
	if k == 0 {
		return d, math.Inf(-1), math.Inf(+1)
	}
	return d, kth(t.x, t.y, k), kth(t.x, t.y, n+1-k)
}

// Shift returns by how much the second of two samples is above the first, as a share,
// and its interval with the confidence 1-alpha: the median and the order statistics of
// the differences of all pairs (Hodges and Lehmann). It assumes that the two samples
// differ only by a shift. The differences are those of logarithms unless a value is
// below 0: then the change is signed, see [Result].
func Shift(before, after []float64, alpha float64) (change, lo, hi float64, signed bool) {
	t := shift{series: &series{measure: measure{better: -1}}, base: before, head: after}
	t.signs()
	t.order()
	d, lo, hi := t.interval(alpha)
	return t.change(d), t.change(lo), t.change(hi), t.signed
}

// result returns the result of t, which is one of tests tests.
func (t *shift) result(rules Rules, strict bool, tests int) Result {
	r := Result{
		Benchmark: t.Benchmark, Unit: t.unit, Better: t.better, Distance: t.distance,
		N: t.n(), Rounds: t.n(), Margin: t.margin,
		Old: medianOf(t.base), New: medianOf(t.head),
		Spread: math.NaN(), Within: math.NaN(),
	}
	if t.n() == 0 {
		has := Base
		if len(t.head) > 0 {
			has = Head
		}
		r.Unpaired = true
		r.Change, r.Lo, r.Hi = math.NaN(), math.NaN(), math.NaN()
		r.Verdict, r.Why = CannotTell, fmt.Sprintf("only the %v was measured at this distance of the CPUs", has)
		return r
	}
	if t.exact {
		t.resultExact(&r)
		return r
	}
	r.Unpaired, r.Drift, r.Signed = true, t.drift, t.signed
	d, lo, hi := t.interval(rules.alpha())
	if t.n() < minSamples {
		lo, hi = math.Inf(-1), math.Inf(+1)
	}
	r.setChange(t.change, d, lo, hi)
	// 1/√p - 1 is on average at most 1 if there is no shift, so it is evidence like
	// that of pairs, though not the strongest (Vovk and Wang 2021).
	r.Evidence = -t.logP/2 + math.Log(-math.Expm1(t.logP/2))

	hidden := ""
	if t.drift > 0 {
		most := math.Expm1(max(hi, 0) + t.reach())
		if t.signed {
			most = t.change(max(hi, 0) + t.reach())
		}
		hidden = fmt.Sprintf("; not measured together: a drift of %s could hide that it is worse by up to %s", wording.Share(r.Drift), wording.Percent(most))
	}
	switch {
	case t.n() < minSamples:
		r.Verdict, r.Why = CannotTell, fmt.Sprintf("%s, not measured together: want at least %d of each", t.samples(), t.bounding(rules.alpha()))
	case lo > t.far() && t.found:
		r.Verdict, r.Why = Regressed, "the whole interval is beyond the margin"
		if t.drift > 0 {
			r.Why += fmt.Sprintf(", and beyond a drift of %s besides", wording.Share(r.Drift))
		}
	case lo > t.far():
		r.Verdict, r.Why = CannotTell, fmt.Sprintf("it seems to be worse, but %s are too few to show it among %d comparisons: want at least %d of each", t.samples(), tests, enough(rules.FDR, tests, t.n()))
	case lo > t.near():
		r.Verdict, r.Why = CannotTell, fmt.Sprintf("worse by more than the margin, but not by more than a drift of %s could do: %s", wording.Share(r.Drift), t.more(d, lo, hi))
	case strict && hi < t.near() && hi+t.reach() >= t.near():
		r.Verdict, r.Why = CannotTell, "the whole interval is within the margin"+hidden
	case hi < t.near():
		r.Verdict, r.Why = Pass, "the whole interval is within the margin"+hidden
	case math.IsInf(lo, -1) && math.IsInf(hi, +1) && uCritical(len(t.x), len(t.y), rules.alpha()/2) == 0:
		r.Verdict, r.Why = CannotTell, fmt.Sprintf("%s bound nothing at this confidence: want at least %d of each", t.samples(), t.bounding(rules.alpha()))
	default:
		r.Verdict, r.Why = CannotTell, "the margin is within the interval: "+t.more(d, lo, hi)
	}
	return r
}

// samples writes the numbers of samples.
func (t *shift) samples() string {
	if len(t.base) == len(t.head) {
		return wording.Plural(t.n(), "sample") + " a side"
	}
	return fmt.Sprintf("%s of the base and %d of the head", wording.Plural(len(t.base), "sample"), len(t.head))
}

// bounding returns how many samples make the bounds at the confidence finite, if a side
// with fewer gets that many.
func (t *shift) bounding(alpha float64) int {
	n := minSamples
	for uCritical(max(n, len(t.base)), max(n, len(t.head)), alpha/2) == 0 {
		n++
	}
	return n
}

// more says how many samples would decide about the shift d, which is between lo and
// hi.
func (t *shift) more(d, lo, hi float64) string {
	const most = 1000
	gap := max(t.near()-d, d-t.far())
	if !(gap > 0) {
		if t.drift > 0 {
			return "want both sides measured together, for no number of samples would tell"
		}
		return "it is so near to it that no number of samples would tell"
	}
	// An interval narrows with the square root of the number of samples.
	half := max(hi-d, d-lo) / gap
	n := math.Ceil(float64(t.n()) * half * half)
	if !(n <= most) {
		return fmt.Sprintf("not even %d samples a side would tell, if they are as these", most)
	}
	return fmt.Sprintf("about %d samples a side would tell, if they are as these", max(int(n), t.n()+1))
}

// yekutieli says which hypotheses are refuted, given the logarithms of their p-values.
// On average at most a share fdr of those is refuted wrongly, however they depend on
// each other.
func yekutieli(logs []float64, fdr float64) []bool {
	order := make([]int, len(logs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case logs[a] < logs[b]:
			return -1
		case logs[a] > logs[b]:
			return +1
		}
		return 0
	})
	found := make([]bool, len(logs))
	for k := len(order); k > 0; k-- {
		if logs[order[k-1]] <= math.Log(threshold(fdr, len(logs), k)) {
			for _, i := range order[:k] {
				found[i] = true
			}
			break
		}
	}
	return found
}

// threshold returns the bound of the k'th of m p-values.
func threshold(fdr float64, m, k int) float64 {
	sum := 0.0
	for i := m; i > 0; i-- {
		sum += 1 / float64(i)
	}
	return fdr * float64(k) / (float64(m) * sum)
}

// enough returns how many readings a side, more than n, it takes to find one regression
// among m tests, if each reading of the head is worse than all of the base.
func enough(fdr float64, m, n int) int {
	limit := threshold(fdr, m, 1)
	for n++; n < 100; n++ {
		p := 1.0 // the probability of one way to draw n of 2n
		for i := 1; i <= n; i++ {
			p *= float64(i) / float64(n+i)
		}
		if p <= limit {
			return n
		}
	}
	return n
}

// difference returns y-x. If both are infinite, as logarithms of zeros, it is 0.
func difference(x, y float64) float64 {
	if x == y {
		return 0
	}
	return y - x
}

// countUpTo returns how many of the differences of all y and all x, both
// ordered, are no more than d.
func countUpTo(x, y []float64, d float64) int {
	n, i := 0, 0
	for _, b := range y {
		for i < len(x) && difference(x[i], b) > d {
			i++
		}
		n += len(x) - i
	}
	return n
}

// kth returns the k'th smallest difference, from 1. It makes no list of the
// differences, which may be many, but bisects over all floats, in the order of their
// bits as integers.
func kth(x, y []float64, k int) float64 {
	lo, hi := ordinal(math.Inf(-1)), ordinal(math.Inf(+1))
	for lo < hi {
		middle := lo + (hi-lo)/2
		if countUpTo(x, y, float(middle)) >= k {
			hi = middle
		} else {
			lo = middle + 1
		}
	}
	return float(lo)
}

const sign = 1 << 63

// ordinal numbers the floats in their order.
func ordinal(f float64) uint64 {
	bits := math.Float64bits(f)
	if bits&sign != 0 {
		return ^bits
	}
	return bits | sign
}

// float is the inverse of ordinal.
func float(n uint64) float64 {
	if n&sign == 0 {
		return math.Float64frombits(^n)
	}
	return math.Float64frombits(n &^ sign)
}

// mostExact is the product of the sizes of two samples up to which the distribution of
// U is computed exactly; above it is taken to be normal.
const mostExact = 2500

// logUCDF returns the logarithm of the probability that at most u of n1·n2 pairs, drawn
// from one distribution, are in a given order. With two large samples the probability
// itself may underflow.
func logUCDF(n1, n2, u int) float64 {
	if n1*n2 > mostExact {
		mean := float64(n1) * float64(n2) / 2
		return logNormalCDF((float64(u) + 0.5 - mean) / math.Sqrt(mean*float64(n1+n2+1)/6))
	}
	key := [3]int{n1, n2, u}
	if p, ok := logUCDFs.Load(key); ok {
		return p.(float64)
	}
	p := math.Log(stats.UDist{N1: n1, N2: n2}.CDF(float64(u)))
	logUCDFs.Store(key, p)
	return p
}

var logUCDFs sync.Map // by n1, n2 and u

// logNormalCDF returns the logarithm of the standard normal distribution function.
func logNormalCDF(z float64) float64 {
	if z > -5 {
		return math.Log(math.Erfc(-z/math.Sqrt2) / 2)
	}
	// Laplace's continued fraction, which converges faster farther out.
	mills := -z
	for k := 60.0; k > 0; k-- {
		mills = -z + k/mills
	}
	return -z*z/2 - math.Log(2*math.Pi)/2 - math.Log(mills)
}

// uCritical returns, plus one, the largest number of pairs that may be in a given order
// with a probability of at most alpha; it returns 0 if no number may.
func uCritical(n1, n2 int, alpha float64) int {
	lo, hi := 0, n1*n2/2+1
	for lo < hi {
		middle := lo + (hi-lo)/2
		if logUCDF(n1, n2, middle) <= math.Log(alpha) {
			lo = middle + 1
		} else {
			hi = middle
		}
	}
	return lo
}
