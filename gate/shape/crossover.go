package shape

import (
	"fmt"
	"math"

	"github.com/lockbench/lockbench/results"
)

// crossovers judges from which value on one lock is better than another.
func (j *judge) crossovers(head *results.File) ([]Finding, error) {
	var of [2]map[place]*sweep
	for i, lock := range []string{j.Lock, j.Than} {
		sweeps, err := j.sweeps(head, j.Along, j.Unit, func(name string) bool { return name == lock })
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", lock, err)
		}
		of[i] = sweeps
	}
	var all []Finding
	for _, p := range pairs(of[0], of[1]) {
		if p.than != nil {
			all = append(all, j.crossover(p))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s and %s were not measured in the same scenario", j.Lock, j.Than)
	}
	return all, nil
}

// crossover judges the crossover at one place.
func (j *judge) crossover(p pair) Finding {
	lo, hi := math.Inf(-1), math.Inf(+1)
	demand := j.Along
	if j.Min != nil {
		lo, demand = *j.Min, fmt.Sprintf("%v ≤ %s", *j.Min, demand)
	}
	if j.Max != nil {
		hi, demand = *j.Max, fmt.Sprintf("%s ≤ %v", demand, *j.Max)
	}
	both := j.gains(p.of, p.than)
	r := j.result(both, demand)
	r.Unit, r.Left, r.Minor = j.Along, p.of.left+p.than.left, p.minor
	if len(both.at) < 2 {
		return r.cannot("the two have samples of one round at %d of the values along %s: want 2 or more", len(both.at), j.Along)
	}
	g := both.grid()
	xs, medians := g.medians(g.all())
	at := crossing(xs, medians, j.Along != "reads")
	e := j.bootstrap(g.rounds, []float64{at}, func(drawn []int) []float64 {
		xs, medians := g.medians(drawn)
		if len(xs) < 2 {
			return nil
		}
		return []float64{crossing(xs, medians, j.Along != "reads")}
	})[0]
	// A crossover beyond the measured values may be anywhere there.
	first, last := xs[0], xs[len(xs)-1]
	if math.IsInf(e.hi, -1) {
		e.hi = first
	}
	if math.IsInf(e.lo, +1) {
		e.lo = math.Nextafter(last, math.Inf(+1))
	}
	r = r.within(e, lo, hi)
	switch {
	case math.IsInf(e.lo, -1) && math.IsInf(e.hi, +1) && r.N >= leastRounds:
		r.Why = "the rounds do not agree on where it is"
	case math.IsInf(at, +1):
		r.Why += fmt.Sprintf("; %s is not the better one anywhere up to %v", j.Lock, last)
	case math.IsInf(at, -1):
		r.Why += fmt.Sprintf("; %s is the better one everywhere from %v", j.Lock, first)
	}
	return r
}

// gains returns by how much s is better than another, as differences of
// logarithms, in the rounds in which both were measured.
func (j *judge) gains(s, than *sweep) *sweep {
	both := &sweep{place: s.place, at: make(map[int]map[int]float64)}
	better := float64(results.Better(j.Unit))
	for x, rounds := range s.at {
		of := make(map[int]float64)
		for r, v := range rounds {
			if w, ok := than.at[x][r]; ok {
				if of[r] = 0; v != w { // also where both are 0
					of[r] = better * (math.Log(v) - math.Log(w))
				}
			}
		}
		if len(of) > 0 {
			both.at[x] = of
		}
	}
	return both
}

// crossing returns from which x on all gains are above 0: +Inf if the last is not, -Inf
// if all are. Between two values of x it interpolates linearly, over the logarithm of x
// if log is set.
func crossing(xs, gains []float64, log bool) float64 {
	i := len(gains)
	for i > 0 && gains[i-1] > 0 {
		i--
	}
	switch i {
	case 0:
		return math.Inf(-1)
	case len(gains):
		return math.Inf(+1)
	}
	share := -gains[i-1] / (gains[i] - gains[i-1])
	if math.IsNaN(share) { // from infinitely worse to infinitely better
		share = 0.5
	}
	a, b := xs[i-1], xs[i]
	if log && a > 0 {
		return a * math.Pow(b/a, share)
	}
	return a + (b-a)*share
}
