package advice

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/lockbench/lockbench/results"
)

// A view is the samples at one distance of the CPUs, and those of one CPU, as a question
// sees them.
type view struct {
	Question
	distance  results.Distance
	samples   []results.Sample
	summaries map[results.Cell]map[string]results.Summary // by unit
	longest   map[results.Cell]float64                    // median of the longest run's share of a sample's operations
	pairs     map[string]map[results.Cell]results.Ratio   // by reference

	locks     []string          // that may be the answer
	out       map[string]string // the others, with the reason
	scenarios []results.Cell    // in which some of locks can be compared, in order
}

// at returns the answer at a distance.
func (q Question) at(d results.Distance, samples []results.Sample) Answer {
	v := q.view(d, samples)
	if len(v.locks) == 0 && len(v.out) > 0 {
		return Answer{Distance: d, NoData: &NoDataError{LeftOut: v.leftOut()}}
	}
	n, why := around(v.scenarios, placeOf(q.Cell))
	if why != nil {
		return Answer{Distance: d, NoData: why}
	}
	a := Answer{Distance: d, Cells: n.cells(), Scenarios: len(v.scenarios)}
	a.Ranked = v.rank(n)
	if len(a.Ranked) == 0 {
		return Answer{Distance: d, NoData: &NoDataError{LeftOut: v.leftOut()}}
	}
	if v.local(a.Cells) {
		a.Distance = results.Local
	}
	a.Take = v.choose(a.Ranked, n)
	for i := range a.Ranked {
		e := &a.Ranked[i]
		e.Times, e.TimesLo, e.TimesHi = v.times(e.Lock, a.Take, n)
		a.Surely = a.Surely || v.known(e.Lock).Standard
	}
	a.Surely = a.Surely && !v.known(a.Take).Standard
	a.Flips = v.flips(a.Take)
	a.LeftOut = v.leftOut()
	return a
}

// leftOut returns the locks that cannot be the answer, by name.
func (v *view) leftOut() (all []LeftOut) {
	for _, lock := range slices.Sorted(maps.Keys(v.out)) {
		all = append(all, LeftOut{lock, v.out[lock]})
	}
	return all
}

func (q Question) view(d results.Distance, samples []results.Sample) *view {
	v := &view{
		Question:  q,
		distance:  d,
		summaries: make(map[results.Cell]map[string]results.Summary),
		longest:   make(map[results.Cell]float64),
		pairs:     make(map[string]map[results.Cell]results.Ratio),
		out:       make(map[string]string),
	}
	runs := make(map[results.Cell][]float64)
	for _, s := range samples {
		if s.Distance != d && s.Distance != results.Local {
			continue
		}
		v.samples = append(v.samples, s)
		if run, ok := s.Value("max-run"); ok && s.Ops > 0 {
			runs[s.Cell] = append(runs[s.Cell], run/float64(s.Ops))
		}
	}
	for c, shares := range runs {
		slices.Sort(shares)
		v.longest[c] = shares[len(shares)/2]
	}
	for _, s := range results.Summarize(v.samples) {
		units := v.summaries[s.Cell]
		if units == nil {
			units = make(map[string]results.Summary)
			v.summaries[s.Cell] = units
		}
		if old, ok := units[s.Unit]; !ok || old.Distance != d {
			units[s.Unit] = s
		}
	}

	judged := make(map[string]bool)
	for c := range v.summaries {
		if judged[c.Lock] {
			continue
		}
		judged[c.Lock] = true
		if why := q.unsuited(c.Lock); why != "" {
			v.out[c.Lock] = why
		} else if !v.known(c.Lock).Control {
			v.locks = append(v.locks, c.Lock)
		}
	}
	slices.Sort(v.locks)

	candidates := make(map[results.Cell]int)
	for c := range v.summaries {
		if _, ok := v.interval(c); ok && slices.Contains(v.locks, c.Lock) {
			candidates[c.Scenario()]++
		}
	}
	for c, n := range candidates {
		if n >= min(2, len(v.locks)) { // a cell of one lock alone compares nothing
			v.scenarios = append(v.scenarios, c)
		}
	}
	slices.SortFunc(v.scenarios, results.Cell.Compare)
	return v
}

// known returns what is known about a lock.
func (q Question) known(lock string) Lock {
	i := slices.IndexFunc(q.Locks, func(l Lock) bool { return l.Name == lock })
	if i < 0 {
		return Lock{}
	}
	return q.Locks[i]
}

// unsuited says why a lock cannot be the answer, whatever its samples say; "" if it can,
// or if it is no lock.
func (q Question) unsuited(lock string) string {
	l := q.known(lock)
	switch {
	case l.Control:
		return ""
	case q.Fair && l.Name == "":
		return "not known to serve in order"
	case q.Fair && !l.FIFO:
		return "does not serve in order"
	case q.MayBlock && l.Name == "":
		return "not known to park its waiters"
	case q.MayBlock && !l.Parks:
		return "its waiters spin, or its holder must not block"
	case q.MaxBytes > 0 && l.Bytes == 0:
		return "its size is not known"
	case q.MaxBytes > 0 && l.Bytes > q.MaxBytes:
		return fmt.Sprintf("takes %d bytes", l.Bytes)
	}
	return ""
}

// The fairness that Fair demands of a cell with several workers: with two of them, one
// did less than twice what the other did, and none did more than half of all
// operations in one run.
const (
	leastJain = 0.9
	mostRun   = 0.5
)

// unfair reports whether, in one of the scenarios, the samples say that a lock is unfair.
func (v *view) unfair(lock string, scenarios []results.Cell) bool {
	return slices.ContainsFunc(scenarios, func(c results.Cell) bool {
		c.Lock = lock
		jain, ok := v.summaries[c]["jain"]
		return c.Workers > 1 && (ok && jain.Median < leastJain || v.longest[c] > mostRun)
	})
}

// local reports whether all samples in the scenarios are of one CPU.
func (v *view) local(scenarios []results.Cell) bool {
	for _, c := range scenarios {
		for _, c.Lock = range v.locks {
			if s, ok := v.summaries[c][v.unit()]; ok && s.Distance != results.Local {
				return false
			}
		}
	}
	return true
}

// interval returns the statistics of a cell in the unit, and whether it has an interval.
func (v *view) interval(c results.Cell) (s results.Summary, ok bool) {
	s, ok = v.summaries[c][v.unit()]
	if ok && v.Exact && math.IsInf(s.Lo, 0) {
		s.Lo, s.Hi = s.Min, s.Max
	}
	return s, ok && s.Lo > 0 && !math.IsInf(s.Hi, 0)
}

// measured reports whether a lock has an interval in each of the scenarios.
func (v *view) measured(lock string, scenarios []results.Cell) bool {
	return !slices.ContainsFunc(scenarios, func(c results.Cell) bool {
		c.Lock = lock
		_, ok := v.interval(c)
		return !ok
	})
}

// rank returns the estimates of all locks that were measured around n, the fastest
// first, without the ratios to the lock to take.
func (v *view) rank(n *node) (ranked []Estimate) {
	cells := n.cells()
	for _, lock := range v.locks {
		switch {
		case !v.measured(lock, cells):
			v.out[lock] = TooFew
		case v.Fair && v.unfair(lock, cells):
			v.out[lock] = "one worker did far more than others"
		default:
			ranked = append(ranked, v.estimate(lock, n))
		}
	}
	slices.SortFunc(ranked, func(a, b Estimate) int {
		return cmp.Or(cmp.Compare(a.NS, b.NS), cmp.Compare(a.Lock, b.Lock))
	})
	for i := range ranked {
		e := &ranked[i]
		times, lo, _ := v.times(e.Lock, ranked[0].Lock, n)
		e.Tied = lo <= 1 || times <= 1+v.Margin
	}
	return ranked
}

func (v *view) estimate(lock string, n *node) Estimate {
	ns := func(of func(results.Summary) float64) float64 {
		return n.value(func(c results.Cell) float64 {
			c.Lock = lock
			s, _ := v.interval(c)
			return of(s)
		})
	}
	other := func(unit string) float64 {
		return n.value(func(c results.Cell) float64 {
			c.Lock = lock
			if s, ok := v.summaries[c][unit]; ok {
				return s.Median
			}
			return math.NaN()
		})
	}
	return Estimate{
		Lock:  lock,
		NS:    ns(func(s results.Summary) float64 { return s.Median }),
		Lo:    ns(func(s results.Summary) float64 { return s.Lo }),
		Hi:    ns(func(s results.Summary) float64 { return s.Hi }),
		Jain:  other("jain"),
		CPUNS: other("cpu-ns/op"),
	}
}

// choose returns the lock to take: of those that are tied with the fastest, the first of
// package sync in the order of what is known. If none of package sync is, it is the
// fastest of those that ask for nothing and are surely faster than these, too, or else
// the fastest.
func (v *view) choose(ranked []Estimate, n *node) string {
	tied := func(lock string) bool {
		return slices.ContainsFunc(ranked, func(e Estimate) bool { return e.Tied && e.Lock == lock })
	}
	for _, l := range v.Locks {
		if l.Standard && tied(l.Name) {
			return l.Name
		}
	}
	for _, e := range ranked {
		beats := func(other Estimate) bool {
			times, lo, _ := v.times(other.Lock, e.Lock, n)
			return lo > 1 && times > 1+v.Margin
		}
		if e.Tied && v.known(e.Lock).Needs == "" && !slices.ContainsFunc(ranked, func(other Estimate) bool { return v.known(other.Lock).Standard && !beats(other) }) {
			return e.Lock
		}
	}
	return ranked[0].Lock
}

// times returns the time of a lock over that of another: the interpolated ratio, and the
// least and the greatest bound of its interval in all scenarios, since in between it may
// be any of these.
func (v *view) times(lock, reference string, n *node) (times, lo, hi float64) {
	lo, hi = math.Inf(+1), math.Inf(-1)
	for _, c := range n.cells() {
		r := v.ratio(lock, reference, c)
		lo, hi = min(lo, r.Lo), max(hi, r.Hi)
	}
	times = n.value(func(c results.Cell) float64 { return v.ratio(lock, reference, c).Median })
	return times, lo, hi
}

// ratio returns the time of a lock over that of another in a scenario: by pairs of one
// round, or else by the two medians and their intervals.
func (v *view) ratio(lock, reference string, scenario results.Cell) results.Ratio {
	if lock == reference {
		return results.Ratio{Median: 1, Lo: 1, Hi: 1}
	}
	ours, theirs := scenario, scenario
	ours.Lock, theirs.Lock = lock, reference
	if r, ok := v.paired(reference)[ours]; ok {
		return r
	}
	a, _ := v.interval(ours)
	b, _ := v.interval(theirs)
	return results.Ratio{Median: a.Median / b.Median, Lo: a.Lo / b.Hi, Hi: a.Hi / b.Lo}
}

// paired returns the ratios to a lock that have an interval, by cell.
func (v *view) paired(reference string) map[results.Cell]results.Ratio {
	if all, ok := v.pairs[reference]; ok {
		return all
	}
	all := make(map[results.Cell]results.Ratio)
	for _, r := range results.Ratios(v.samples, reference, v.unit()) {
		if old, ok := all[r.Cell]; r.N > 0 && !math.IsInf(r.Lo, 0) && !math.IsInf(r.Hi, 0) && (!ok || old.Distance != v.distance) {
			all[r.Cell] = r
		}
	}
	v.pairs[reference] = all
	return all
}

// steps is how many places on each side of the workload flips are looked for.
const steps = 20

// flips returns the nearest places on each axis, below and above the workload, at which
// another lock is surely faster than the one to take.
func (v *view) flips(take string) (flips []Flip) {
	p := placeOf(v.Cell)
	for i, a := range axes {
		values := valuesOn(a, v.scenarios)
		at, exact := slices.BinarySearch(values, p[i])
		below := slices.Clone(values[max(0, at-steps):at])
		slices.Reverse(below)
		if exact {
			at++
		}
		above := values[at:min(len(values), at+steps)]
		for _, side := range [][]float64{below, above} {
			for _, there := range side {
				if f, ok := v.flip(i, there, take); ok {
					flips = append(flips, f)
					break
				}
			}
		}
	}
	return flips
}

// flip returns the fastest lock that is surely faster than the one to take where the
// i'th number of the workload is another, if there is one.
func (v *view) flip(i int, there float64, take string) (f Flip, ok bool) {
	p := placeOf(v.Cell)
	p[i] = there
	n, why := around(v.scenarios, p)
	if why != nil || !v.measured(take, n.cells()) {
		return Flip{}, false
	}
	for _, lock := range v.locks {
		if lock == take || !v.measured(lock, n.cells()) || v.Fair && v.unfair(lock, n.cells()) {
			continue
		}
		times, lo, hi := v.times(lock, take, n)
		if hi < 1 && times*(1+v.Margin) < 1 && (!ok || times < f.Times) {
			f, ok = Flip{Axis: axes[i].name, Cell: v.Cell, Lock: lock, Times: times, TimesLo: lo, TimesHi: hi}, true
			axes[i].set(&f.Cell, there)
		}
	}
	return f, ok
}
