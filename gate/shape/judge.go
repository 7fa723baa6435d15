package shape

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"github.com/aclements/go-moremath/stats"
	"golang.org/x/perf/benchmath"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Finding is the outcome of one demand of a [Spec], for one lock in one scenario at
// one distance.
type Finding struct {
	Shape  string // the spec's name
	Place  string // where the spec is written
	Kind   string // scaling, crossover, ratio, floor or ceiling
	Demand string // such as "sigma ≤ 0.1"

	Lock  string // its name
	Where string // the scenario and the distance, for people

	Verdict gate.Verdict // on this demand, there
	Why     string       // for people

	// Value is what was found, in Unit or, if that is "", a plain number. Lo and Hi bound
	// it with the confidence asked for. They are infinite if there are too few samples,
	// or if a crossover is beyond what was measured. Value is NaN if it cannot be
	// computed.
	Value, Lo, Hi float64
	Unit          string

	N      int  // rounds that it is based on; of several numbers, the smallest
	Points int  // CPU counts, shares of reads or numbers of workers
	Left   int  // samples left out: the distance changed, or too few CPUs
	Minor  bool // there are more samples at another distance, which decides
}

// Verdict returns the verdict on all findings: the worst of those that are not Minor.
// It is [gate.CannotTell] if there are none.
func Verdict(fs []Finding) gate.Verdict {
	if len(fs) == 0 {
		return gate.CannotTell
	}
	v := gate.Pass
	for _, f := range fs {
		if !f.Minor {
			v = max(v, f.Verdict)
		}
	}
	return v
}

// Judge says for each spec whether the sweep head has the shape, with intervals of that
// confidence; 0 means [gate.DefaultConfidence]. base is the sweep to which specs with a
// margin compare; it may be nil if there are none.
//
// Near and far are judged separately: if a scenario has both, the one with more samples
// decides, and the other is Minor unless it regressed. Samples during which the
// distance changed are left out; so are those of an unknown distance if others are
// known and, along CPUs, those with more CPUs than the machine has.
//
// The result is the worst first. A spec that selects nothing is an error, since it
// could never fail.
func Judge(specs []Spec, confidence float64, head, base *results.File) ([]Finding, error) {
	alpha := 1 - cmp.Or(confidence, gate.DefaultConfidence)
	var all []Finding
	var errs []error
	for i := range specs {
		s := &specs[i]
		j := &judge{Spec: s, alpha: alpha, exact: simulated(head)}
		of, err := j.judge(head, base)
		if err != nil {
			errs = append(errs, &results.SyntaxError{File: s.File, Line: s.Line, Msg: fmt.Sprintf("shape %q: %v", s, err)})
		}
		all = append(all, of...)
	}
	slices.SortStableFunc(all, func(a, b Finding) int {
		minor := func(f Finding) int { return map[bool]int{true: 1}[f.Minor] }
		return cmp.Or(cmp.Compare(b.Verdict, a.Verdict), cmp.Compare(minor(a), minor(b)))
	})
	return all, errors.Join(errs...)
}

// simulated reports whether the samples have no noise.
func simulated(f *results.File) bool {
	_, ok := f.Simulated()
	return ok
}

// match reports whether f selects s, for a shape along an axis.
func (f *Filter) match(s results.Sample, axis string) bool {
	if s.Roles() {
		if f.Reads != nil || f.Workers != nil || axis == "reads" || axis == "workers" {
			return false
		}
	} else if f.Readers != nil || f.Writers != nil {
		return false
	}
	return is(f.Reads, s.Reads) && is(f.Workers, s.Workers) && is(f.CPUs, s.CPUs) &&
		is(f.Readers, s.Readers) && is(f.Writers, s.Writers) &&
		is(f.Hold, s.Hold) && is(f.Think, s.Think) &&
		is(f.Workload, s.Workload) && is(f.Mode, s.Mode) && is(f.Load, s.Load) &&
		(is(f.Distance, s.Distance) || axis == "cpus" && s.Distance == results.Local)
}

func is[T comparable](want *T, have T) bool { return want == nil || *want == have }

// A judge judges one spec.
type judge struct {
	*Spec
	alpha float64
	exact bool // one sample is as good as many
}

func (j *judge) judge(head, base *results.File) ([]Finding, error) {
	if j.Margin > 0 && base == nil {
		return nil, errors.New("margin: there is no base to compare to")
	}
	if j.Kind == Crossover {
		return j.crossovers(head)
	}
	locks, err := regexp.Compile(j.Lock)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if j.Kind == Ratio {
		return j.ratios(head, locks.MatchString)
	}
	axis, unit := "", j.Unit
	if j.Kind == Scaling {
		axis, unit = "cpus", "ops/s"
	}
	sweeps, err := j.sweeps(head, axis, unit, locks.MatchString)
	if err != nil {
		return nil, err
	}
	var bases map[place]*sweep
	if j.Margin > 0 {
		// What is missing in base is reported for each lock.
		bases, _ = j.sweeps(base, axis, unit, locks.MatchString)
	}
	var all []Finding
	for _, s := range ordered(sweeps) {
		var of []Finding
		switch j.Kind {
		case Scaling:
			of = j.scaling(s, bases)
		default:
			of = []Finding{j.bound(s)}
		}
		all = append(all, of...)
	}
	return all, nil
}

// A place is the parameters that the samples of a sweep share; the one that varies is
// 0.
type place struct {
	results.Cell
	perCPU         int // workers per CPU, if the samples share that; otherwise 0
	distance       results.Distance
	oversubscribed bool
}

// where describes the place in words.
func (p place) where() string {
	var words []string
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	switch {
	case p.CPUs > 0 && p.distance != results.Unknown:
		add("%s %s", wording.Plural(p.CPUs, "CPU"), p.distance)
	case p.CPUs > 0:
		add("%s", wording.Plural(p.CPUs, "CPU"))
	case p.distance != results.Unknown:
		add("%s", p.distance)
	}
	if p.oversubscribed {
		add("oversubscribed")
	}
	switch {
	case p.Roles():
		add("%s", wording.Plural(p.Readers, "reader"))
		add("%s", wording.Plural(p.Writers, "writer"))
	case p.perCPU > 0:
		add("%s per CPU", wording.Plural(p.perCPU, "worker"))
	case p.Workers > 0:
		add("%s", wording.Plural(p.Workers, "worker"))
	}
	add("hold %v, think %v", p.Hold, p.Think)
	if p.Reads >= 0 && !p.Roles() {
		add("%d%% reads", p.Reads)
	}
	for _, w := range []string{p.Workload, p.Mode, p.Load} {
		if w != "" {
			add("%s", w)
		}
	}
	if p.GC != "" {
		add("gc %s", p.GC)
	}
	if p.Place != "" {
		add("place %s", p.Place)
	}
	return strings.Join(words, ", ")
}

// A sweep is the samples at a place, by the value along the axis, and by round.
type sweep struct {
	place
	at    map[int]map[int]float64
	n     int // samples
	left  int // samples left out, here and at the other distances
	minor bool
}

// ordered returns sweeps in a fixed order.
func ordered(sweeps map[place]*sweep) []*sweep {
	return slices.SortedFunc(maps.Values(sweeps), func(a, b *sweep) int {
		return cmp.Or(a.Cell.Compare(b.Cell), cmp.Compare(a.perCPU, b.perCPU), cmp.Compare(a.distance, b.distance))
	})
}

// xs returns the values along the axis, ascending.
func (s *sweep) xs() []int { return slices.Sorted(maps.Keys(s.at)) }

// least returns the number of rounds of the value with the fewest.
func (s *sweep) least() int {
	n := math.MaxInt
	for _, at := range s.at {
		n = min(n, len(at))
	}
	return n
}

// A grid is a sweep in a form from which rounds can be drawn many times.
type grid struct {
	xs     []float64   // ascending
	values [][]float64 // by x and by number of the round, NaN if it was not measured there
	rounds int
	buffer []float64
}

func (s *sweep) grid() *grid {
	number := make(map[int]int)
	for _, x := range s.xs() {
		for _, r := range slices.Sorted(maps.Keys(s.at[x])) {
			if _, ok := number[r]; !ok {
				number[r] = len(number)
			}
		}
	}
	g := &grid{rounds: len(number)}
	for _, x := range s.xs() {
		of := slices.Repeat([]float64{math.NaN()}, g.rounds)
		for r, v := range s.at[x] {
			of[number[r]] = v
		}
		g.xs, g.values = append(g.xs, float64(x)), append(g.values, of)
	}
	return g
}

// all is all rounds once.
func (g *grid) all() []int {
	all := make([]int, g.rounds)
	for i := range all {
		all[i] = i
	}
	return all
}

// medians returns the medians over the rounds drawn, which may have some rounds more
// than once, for each x that was measured in one of them.
func (g *grid) medians(drawn []int) (xs, medians []float64) {
	for i, x := range g.xs {
		b := g.buffer[:0]
		for _, r := range drawn {
			if v := g.values[i][r]; !math.IsNaN(v) {
				b = append(b, v)
			}
		}
		if g.buffer = b; len(b) > 0 {
			xs, medians = append(xs, x), append(medians, gate.Median(b))
		}
	}
	return xs, medians
}

// sweeps gathers what the shape selects of f: unit along axis, of locks.
func (j *judge) sweeps(f *results.File, axis, unit string, locks func(string) bool) (map[place]*sweep, error) {
	var selected []results.Sample
	have := make(map[string]bool)
	units := false
	for _, s := range f.Samples {
		have[s.Lock] = true
		if !locks(s.Lock) || !j.Filter.match(s, axis) {
			continue
		}
		v, ok := valueOf(s, unit)
		if !ok {
			units = true
			continue
		}
		// Leaving out invalid values would let the others pass for all.
		if math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 && (unit == "ops/s" || unit == "ns/op") {
			return nil, fmt.Errorf("%s: want a number above 0", s)
		}
		selected = append(selected, s)
	}
	if len(selected) == 0 {
		if units {
			return nil, fmt.Errorf("none of the samples it selects has %s", unit)
		}
		return nil, fmt.Errorf("it selects no samples of %s, which has the locks %s", f.Name, strings.Join(slices.Sorted(maps.Keys(have)), ", "))
	}

	// By place, without and with the distance.
	byDistance := make(map[place]map[results.Distance][]results.Sample)
	placeOf := placing(selected, axis)
	for _, s := range selected {
		p := placeOf(s)
		if byDistance[p] == nil {
			byDistance[p] = make(map[results.Distance][]results.Sample)
		}
		d := s.Distance
		if axis == "cpus" && s.Oversubscribed {
			d = results.Mixed // left out like mixed ones
		}
		byDistance[p][d] = append(byDistance[p][d], s)
	}
	sweeps := make(map[place]*sweep)
	for p, at := range byDistance {
		left := len(at[results.Mixed])
		var distances []results.Distance
		for _, d := range []results.Distance{results.Near, results.Far, results.Unknown, results.Local} {
			switch {
			case len(at[d]) == 0, d == results.Local && len(distances) > 0:
			case d == results.Unknown && len(distances) > 0:
				left += len(at[d])
			default:
				distances = append(distances, d)
			}
		}
		if len(distances) == 0 {
			distances = append(distances, results.Mixed) // to report that
		}
		most := -1
		for _, d := range distances {
			s := &sweep{place: p, at: make(map[int]map[int]float64), left: left}
			s.distance = d
			if d != results.Mixed {
				s.add(at[d], axis, unit)
				s.n = len(at[d])
				if d != results.Local {
					s.add(at[results.Local], axis, unit)
				}
			}
			sweeps[s.place] = s
			most = max(most, s.n)
		}
		decided := false
		for _, d := range distances {
			q := p
			q.distance = d
			s := sweeps[q]
			s.minor = decided || s.n < most
			decided = decided || !s.minor
		}
	}
	return sweeps, nil
}

// placing returns where a sample belongs. Along CPUs, those with the same number of
// workers per CPU belong together; or those with the same number in total, if that
// gives several CPU counts and the former does not.
func placing(samples []results.Sample, axis string) func(results.Sample) place {
	plain := func(s results.Sample) place {
		p := place{Cell: s.Cell, oversubscribed: s.Oversubscribed}
		switch axis {
		case "cpus":
			p.CPUs, p.oversubscribed = 0, false
		case "workers":
			p.Workers = 0
		case "reads":
			p.Reads = -1
		}
		return p
	}
	if axis != "cpus" {
		return plain
	}
	perCPU := func(s results.Sample) place {
		p := plain(s)
		if s.Workers%s.CPUs == 0 && !s.Roles() {
			p.perCPU, p.Workers = s.Workers/s.CPUs, 0
		}
		return p
	}
	counts := make(map[place]map[int]bool)
	for _, s := range samples {
		for _, p := range []place{plain(s), perCPU(s)} {
			if counts[p] == nil {
				counts[p] = make(map[int]bool)
			}
			counts[p][s.CPUs] = true
		}
	}
	return func(s results.Sample) place {
		if p := plain(s); len(counts[perCPU(s)]) == 1 && len(counts[p]) > 1 {
			return p
		}
		return perCPU(s)
	}
}

// add adds samples. Without rounds, the first sample of each value along the axis
// counts as the first round, and so on: any pairing is as good as another.
func (s *sweep) add(samples []results.Sample, axis, unit string) {
	values := make(map[int]map[int][]float64)
	for _, sample := range samples {
		v, _ := valueOf(sample, unit)
		x := map[string]int{"cpus": sample.CPUs, "workers": sample.Workers, "reads": sample.Reads}[axis]
		if values[x] == nil {
			values[x] = make(map[int][]float64)
		}
		round := sample.Round
		if round == 0 {
			round = -1 - len(values[x])
		}
		values[x][round] = append(values[x][round], v)
	}
	for x, rounds := range values {
		s.at[x] = make(map[int]float64)
		for r, vs := range rounds {
			s.at[x][r] = gate.Median(vs)
		}
	}
}

// valueOf returns the value of s in unit, and whether it has one. ns/op and ops/s
// follow from each other.
func valueOf(s results.Sample, unit string) (v float64, ok bool) {
	if v, ok = s.Value(unit); ok {
		return v, true
	}
	if other := map[string]string{"ops/s": "ns/op", "ns/op": "ops/s"}[unit]; other != "" {
		v, ok = s.Value(other)
	}
	return 1e9 / v, ok
}

// result returns a result without a verdict.
func (j *judge) result(s *sweep, demand string) Finding {
	return Finding{
		Shape: j.String(), Place: j.Place(), Kind: j.Kind, Demand: demand,
		Lock: s.Lock, Where: s.where(), Unit: j.Unit,
		Value: math.NaN(), Lo: math.Inf(-1), Hi: math.Inf(+1),
		N: s.least(), Points: len(s.at), Left: s.left, Minor: s.minor,
	}
}

// cannot returns r with the verdict cannot tell and its reason.
func (r Finding) cannot(format string, args ...any) Finding {
	r.Verdict, r.Why = gate.CannotTell, fmt.Sprintf(format, args...)
	if r.N == math.MaxInt {
		r.N = 0
	}
	return r
}

// The reasons of most verdicts.
const (
	isWithin = "the whole interval is within the limit"
	isBeyond = "the whole interval is beyond the limit"
)

// Plain reports whether Why says no more than the interval and the limit do.
func (r Finding) Plain() bool { return r.Why == isWithin || r.Why == isBeyond }

// within gives the verdict of an interval that must be within limits.
func (r Finding) within(e estimate, lo, hi float64) Finding {
	r.Value, r.Lo, r.Hi = e.v, e.lo, e.hi
	switch {
	case math.IsNaN(e.v):
		return r.cannot("it cannot be estimated")
	case lo <= e.lo && e.hi <= hi:
		r.Verdict, r.Why = gate.Pass, isWithin
	case e.hi < lo || hi < e.lo:
		r.Verdict, r.Why, r.Minor = gate.Regressed, isBeyond, false
	case math.IsInf(e.lo, -1) && math.IsInf(e.hi, +1):
		return r.cannot("%s: too few for an interval", wording.Plural(r.N, "round"))
	default:
		return r.cannot("the limit is within the interval")
	}
	return r
}

// An estimate is a number with its interval.
type estimate struct{ v, lo, hi float64 }

// bound judges a floor or a ceiling.
func (j *judge) bound(s *sweep) Finding {
	lo, hi := math.Inf(-1), math.Inf(+1)
	demand := ""
	if j.Min != nil {
		lo, demand = *j.Min, fmt.Sprintf("%s ≥ %v", j.Unit, *j.Min)
	} else {
		hi, demand = *j.Max, fmt.Sprintf("%s ≤ %v", j.Unit, *j.Max)
	}
	r := j.result(s, demand)
	if len(s.at) == 0 {
		return r.cannot("%s left out: the CPUs' distance changed meanwhile", wording.Plural(s.left, "sample"))
	}
	return r.within(j.median(slices.Collect(maps.Values(s.at[0]))), lo, hi)
}

// median returns the median of values, and an interval that assumes nothing about their
// distribution.
func (j *judge) median(values []float64) estimate {
	if len(values) == 0 {
		return estimate{math.NaN(), math.Inf(-1), math.Inf(+1)}
	}
	if j.exact {
		m := gate.Median(values)
		return estimate{m, m, m}
	}
	m := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 1-j.alpha)
	if math.IsInf(m.Lo, 0) || math.IsInf(m.Hi, 0) {
		m.Lo, m.Hi = math.Inf(-1), math.Inf(+1)
	}
	return estimate{m.Center, m.Lo, m.Hi}
}

// leastRounds is how many rounds a bootstrap needs: with fewer, there are only few
// different draws.
const leastRounds = 6

// bootstrap returns intervals of numbers that are functions of some of n rounds. They
// come from many draws of n rounds with replacement: whole rounds, since samples of one
// moment belong together.
//
// Of the distribution of the draws it takes a wider part than the confidence says, as
// small samples need: it allows for Student's distribution, and for a sample's spread
// being smaller than that of its population (Hesterberg 2015, "What teachers should
// know about the bootstrap", section 5.3).
func (j *judge) bootstrap(n int, values []float64, of func(drawn []int) []float64) []estimate {
	estimates := make([]estimate, len(values))
	for i, v := range values {
		estimates[i] = estimate{v, math.Inf(-1), math.Inf(+1)}
		if j.exact {
			estimates[i] = estimate{v, v, v}
		}
	}
	if n < leastRounds || j.exact {
		return estimates
	}
	const draws = 2000
	random := rand.New(rand.NewPCG(1, uint64(n)))
	drawn := make([]int, n)
	all := make([][]float64, len(values))
	for range draws {
		for i := range drawn {
			drawn[i] = random.IntN(n)
		}
		for i, v := range of(drawn) {
			if !math.IsNaN(v) {
				all[i] = append(all[i], v)
			}
		}
	}
	t := stats.InvCDF(stats.TDist{V: float64(n - 1)})(1 - j.alpha/2)
	tail := stats.StdNormal.CDF(-t * math.Sqrt(float64(n)/float64(n-1)))
	for i, vs := range all {
		if len(vs) < draws*9/10 {
			continue // too many draws have no value
		}
		slices.Sort(vs)
		k := int(tail * float64(len(vs)))
		estimates[i].lo = min(vs[k], values[i])
		estimates[i].hi = max(vs[len(vs)-1-k], values[i])
	}
	return estimates
}
