package results

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/lockbench/lockbench/internal/wording"
)

// A Ratio compares two locks in one scenario at one distance, in one unit, by
// the samples of each that were taken in the same round.
type Ratio struct {
	Cell               // the scenario, and the lock that is compared
	Reference string   // the lock that it is compared to
	Distance  Distance // see [Sample]
	Unit      string   // such as "ns/op"

	N      int     // pairs
	Median float64 // of the ratios of the pairs, lock over reference

	// Lo and Hi bound the median with the Confidence, as in [Summary].
	Lo, Hi, Confidence float64

	// Warnings is what a reader of the numbers should know.
	Warnings []error
}

// mayBeOne reports whether the interval includes 1, so that either lock may have more.
func (r Ratio) mayBeOne() bool { return r.Lo <= 1 && 1 <= r.Hi }

// errUnpaired warns of a ratio that drift may have changed.
var errUnpaired = errors.New("no pairs of one round: ratio of medians, without an interval")

// Ratios returns, for each lock except reference, in each scenario and at each distance
// at which both were measured, the ratio of its value in unit to the reference's. They
// are ordered by scenario, lock and distance.
//
// A sample is paired with that of the reference from the same round and at the same
// distance, because a machine drifts: the ratio of two samples taken close together has
// far less spread than the samples. If there are no such pairs, as in the output of go
// test, N is 0 and the Median is the ratio of the two medians.
func Ratios(samples []Sample, reference, unit string) []Ratio {
	type key struct {
		Cell
		distance Distance
	}
	// Values of each round; several if files were concatenated.
	rounds := make(map[key]map[int][]float64)
	for _, s := range samples {
		v, ok := s.Value(unit)
		if !ok {
			continue
		}
		k := key{s.Cell, s.Distance}
		if rounds[k] == nil {
			rounds[k] = make(map[int][]float64)
		}
		rounds[k][s.Round] = append(rounds[k][s.Round], v)
	}

	var ratios []Ratio
	for k, ours := range rounds {
		ref := k
		ref.Lock = reference
		theirs, ok := rounds[ref]
		if !ok || k == ref {
			continue
		}
		r, ok := ratio(ours, theirs)
		if !ok {
			continue
		}
		r.Cell, r.Reference, r.Distance, r.Unit = k.Cell, reference, k.distance, unit
		ratios = append(ratios, r)
	}
	slices.SortFunc(ratios, func(a, b Ratio) int {
		return cmp.Or(a.Cell.Compare(b.Cell), a.Distance.compare(b.Distance))
	})
	return ratios
}

// ratio compares values of two locks, each by round. ok is false if all values to
// compare to are zero.
func ratio(ours, theirs map[int][]float64) (r Ratio, ok bool) {
	var pairs []float64
	var zeros int
	for round, vs := range ours {
		if round == 0 {
			continue // the round is not known
		}
		for i := range min(len(vs), len(theirs[round])) {
			if theirs[round][i] == 0 {
				zeros++
				continue
			}
			pairs = append(pairs, vs[i]/theirs[round][i])
		}
	}

	if len(pairs) > 0 {
		slices.Sort(pairs)
		m := median(pairs)
		r = Ratio{N: len(pairs), Median: m.Center, Lo: m.Lo, Hi: m.Hi, Confidence: m.Confidence, Warnings: m.Warnings}
	} else {
		reference := median(sortedValues(theirs)).Center
		if reference == 0 {
			return Ratio{}, false
		}
		r = Ratio{
			Median:     median(sortedValues(ours)).Center / reference,
			Lo:         math.Inf(-1),
			Hi:         math.Inf(+1),
			Confidence: 1,
			Warnings:   []error{errUnpaired},
		}
	}
	if zeros > 0 {
		r.Warnings = append(r.Warnings, fmt.Errorf("%s left out: the reference is 0", wording.Count(zeros, "pair")))
	}
	return r, true
}

func sortedValues(rounds map[int][]float64) []float64 {
	return slices.Sorted(func(yield func(float64) bool) {
		for vs := range maps.Values(rounds) {
			for _, v := range vs {
				if !yield(v) {
					return
				}
			}
		}
	})
}
