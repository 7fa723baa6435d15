package shape

import (
	"fmt"
	"math"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A pair is the sweeps of two locks at the same place.
type pair struct {
	of, than *sweep // than is nil if the other lock was not measured there
	n        int    // samples of the two that belong to the same round
	minor    bool   // there are more such samples at another distance
}

// pairs puts each of the sweeps beside that of another lock at the same place. Of the
// distances at a place, the one with the most pairs of samples decides: the locks may
// have most of their samples at different distances.
func pairs(of, than map[place]*sweep) []pair {
	elsewhere := make(map[place]*sweep)
	for p, s := range than {
		p.Lock = ""
		elsewhere[p] = s
	}
	var all []pair
	most := make(map[place]int) // by place without the distance: the index in all
	for _, s := range ordered(of) {
		p := s.place
		p.Lock = ""
		one := pair{of: s, than: elsewhere[p]}
		if one.than != nil {
			one.n = common(s, one.than)
		}
		p = s.place
		p.distance = results.Unknown
		switch first, ok := most[p]; {
		case !ok:
			most[p] = len(all)
		case one.n > all[first].n:
			most[p] = len(all)
			all[first].minor = true
		default:
			one.minor = true
		}
		all = append(all, one)
	}
	return all
}

// common counts the samples of s that have one of the other lock in the same round.
func common(s, than *sweep) (n int) {
	for x, rounds := range s.at {
		for r := range rounds {
			if _, ok := than.at[x][r]; ok {
				n++
			}
		}
	}
	return n
}

// ratios judges the values of locks as multiples of another lock's.
func (j *judge) ratios(head *results.File, locks func(string) bool) ([]Finding, error) {
	of, err := j.sweeps(head, "", j.Unit, func(name string) bool { return name != j.Than && locks(name) })
	if err != nil {
		return nil, err
	}
	than, err := j.sweeps(head, "", j.Unit, func(name string) bool { return name == j.Than })
	if err != nil {
		return nil, fmt.Errorf("than %s: %w", j.Than, err)
	}
	var all []Finding
	for _, p := range pairs(of, than) {
		all = append(all, j.ratio(p))
	}
	return all, nil
}

// ratio judges the ratio at one place.
func (j *judge) ratio(p pair) Finding {
	lo, hi := math.Inf(-1), math.Inf(+1)
	demand := fmt.Sprintf("%s / %s", j.Unit, j.Than)
	if j.Min != nil {
		lo, demand = *j.Min, fmt.Sprintf("%v ≤ %s", *j.Min, demand)
	}
	if j.Max != nil {
		hi, demand = *j.Max, fmt.Sprintf("%s ≤ %v", demand, *j.Max)
	}
	r := j.result(p.of, demand)
	r.Unit, r.Minor, r.N = "", p.minor, p.n
	if p.than == nil {
		return r.cannot("%s was not measured there", j.Than)
	}
	r.Left += p.than.left
	var ratios []float64
	odd := 0
	for round, v := range p.of.at[0] {
		w, ok := p.than.at[0][round]
		switch {
		case !ok:
		case v < 0 || w <= 0:
			odd++
		default:
			ratios = append(ratios, v/w)
		}
	}
	switch {
	case odd > 0:
		return r.cannot("there is no ratio in %s of %d: %s is 0, or one of the two is negative", wording.Plural(odd, "round"), p.n, j.Than)
	case p.n == 0 && r.Left > 0:
		return r.cannot("no samples of one round; %s left out: the CPUs' distance changed meanwhile, or was not known", wording.Plural(r.Left, "sample"))
	case p.n == 0:
		return r.cannot("no samples of one round")
	}
	return r.within(j.median(ratios), lo, hi)
}
