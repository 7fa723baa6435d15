package results

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/montanaflynn/stats"
	"golang.org/x/perf/benchmath"
)

// confidence is the confidence of every interval here.
const confidence = 0.95

// A Summary is the statistics, in one unit, of the samples of one cell at one distance.
type Summary struct {
	Cell
	Distance       Distance // see [Sample]
	Oversubscribed bool     // see [Sample]
	Unit           string   // such as "ns/op": of Median, Lo, Hi, Q1, Q3, MAD, Min and Max

	N      int     // samples
	Median float64 // of the samples

	// Lo and Hi bound the median with the Confidence, which is at least 0.95,
	// making no assumption about the distribution. With fewer than 6
	// samples they are infinite, and Warnings says so.
	Lo, Hi, Confidence float64

	Q1, Q3   float64 // medians of the lower and of the upper half
	MAD      float64 // median absolute deviation from the median
	Min, Max float64
	Outliers int // samples further than 1.5 (Q3-Q1) from the nearer quartile

	// Warnings is what a reader of the numbers should know.
	Warnings []error
}

// Summarize returns a summary of each unit of each cell at each distance. They
// are ordered by scenario, lock, distance and unit, whatever the order of the
// samples.
func Summarize(samples []Sample) []Summary {
	type key struct {
		Cell
		distance       Distance
		oversubscribed bool
		unit           string
	}
	values := make(map[key][]float64)
	for _, s := range samples {
		for _, v := range s.Values {
			k := key{s.Cell, s.Distance, s.Oversubscribed, v.Unit}
			values[k] = append(values[k], v.Value)
		}
	}

	keys := slices.SortedFunc(maps.Keys(values), func(a, b key) int {
		return cmp.Or(
			a.Cell.Compare(b.Cell),
			a.distance.compare(b.distance),
			compareBool(a.oversubscribed, b.oversubscribed),
			compareUnits(a.unit, b.unit),
		)
	})
	summaries := make([]Summary, len(keys))
	for i, k := range keys {
		s := &summaries[i]
		*s = summarize(values[k])
		s.Cell, s.Distance, s.Oversubscribed, s.Unit = k.Cell, k.distance, k.oversubscribed, k.unit
	}
	return summaries
}

// summarize returns the statistics of values, of which there is at least one.
func summarize(values []float64) Summary {
	slices.Sort(values)
	n := len(values)
	m := median(values)
	s := Summary{
		N:          n,
		Median:     m.Center,
		Lo:         m.Lo,
		Hi:         m.Hi,
		Confidence: m.Confidence,
		Min:        values[0],
		Max:        values[n-1],
		Warnings:   m.Warnings,
	}
	// The errors below are for empty input only; one sample is its own quartiles.
	s.MAD, _ = stats.MedianAbsoluteDeviation(values)
	s.Q1, s.Q3 = m.Center, m.Center
	if n >= 2 {
		q, _ := stats.Quartile(values)
		s.Q1, s.Q3 = q.Q1, q.Q3
		o, _ := stats.QuartileOutliers(values)
		s.Outliers = len(o.Mild) + len(o.Extreme)
	}
	return s
}

// median returns the median of sorted values and an interval for it, from
// order statistics.
func median(values []float64) benchmath.Summary {
	m := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), confidence)
	if math.IsInf(m.Lo, 0) || math.IsInf(m.Hi, 0) {
		// Five samples have a bound on one side: more confusing than useful.
		m.Lo, m.Hi, m.Confidence = math.Inf(-1), math.Inf(+1), 1
		// benchmath says how many samples it needs, but not how many there were.
		for i, w := range m.Warnings {
			m.Warnings[i] = fmt.Errorf("%w, have %d", w, len(values))
		}
	}
	return m
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return +1
}

// compareUnits orders units by importance, the unknown ones last, by name.
func compareUnits(a, b string) int {
	return cmp.Or(cmp.Compare(unitRank(a), unitRank(b)), cmp.Compare(a, b))
}
