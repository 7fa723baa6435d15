package doctor

import (
	"math"
	"slices"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// each is how many samples of each side a comparison has: as many as lockbench run takes
// of a cell.
const each = 20

// noise returns how much each lock differs from itself, at each distance at which it was
// measured.
func (s *sight) noise() []Noise {
	all := []Noise{}
	for _, of := range s.sections {
		series := times(of.samples)
		apart := apart(series)
		for _, d := range []results.Distance{results.Local, results.Near, results.Far, results.Unknown} {
			pairs := pairs(series, d)
			if len(pairs) == 0 {
				continue
			}
			turns := inTurns(pairs)
			all = append(all, Noise{
				Cells: of.cells, Lock: of.Name, Distance: d, Pairs: len(pairs),
				InTurns: wording.JSONNumber(turns), Apart: wording.JSONNumber(apart), Margin: wording.JSONNumber(margin(turns)),
			})
		}
	}
	return all
}

// A timed is a sample's time for an operation.
type timed struct {
	ns float64
	at results.Distance
}

func times(samples []results.Sample) (all []timed) {
	for _, s := range samples {
		if ns, ok := s.Value("ns/op"); ok && ns > 0 {
			all = append(all, timed{ns, s.Distance})
		}
	}
	return all
}

// pairs returns the ratios of neighbours at one distance: every other pair is turned
// around, so that a machine that gets slower favours neither side.
func pairs(series []timed, at results.Distance) (ratios []float64) {
	for i := 0; i+1 < len(series); i += 2 {
		a, b := series[i], series[i+1]
		if a.at != at || b.at != at {
			continue
		}
		if len(ratios)%2 == 1 {
			a, b = b, a
		}
		ratios = append(ratios, b.ns/a.ns)
	}
	return ratios
}

// inTurns returns the share by which 95 of 100 comparisons differ from 0: of all stretches
// of so many pairs, the medians of their ratios. The stretches overlap. It is NaN if
// there are too few pairs for one.
func inTurns(ratios []float64) float64 {
	var off []float64
	for i := 0; i+each <= len(ratios); i++ {
		off = append(off, distance(median(ratios[i:i+each])))
	}
	return quantile95(off)
}

// apart is inTurns for comparisons of so many samples with as many that follow, as two
// benchmarks that run one after the other.
func apart(series []timed) float64 {
	ns := make([]float64, len(series))
	for i, t := range series {
		ns[i] = t.ns
	}
	var off []float64
	for i := 0; i+2*each <= len(ns); i++ {
		off = append(off, distance(median(ns[i+each:i+2*each])/median(ns[i:i+each])))
	}
	return quantile95(off)
}

// distance returns how far a ratio is from 1, as a share; that of its inverse is the
// same.
func distance(ratio float64) float64 { return max(ratio, 1/ratio) - 1 }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// quantile95 returns the value that 95 of 100 do not exceed, NaN if there are none.
func quantile95(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return values[int(math.Ceil(0.95*float64(len(values))))-1]
}

// leastMargin is the default of the gate: below it, binaries of the same code differ by
// their layout alone.
const leastMargin = 0.03

// margins are the margins to choose from.
var margins = []float64{leastMargin, 0.04, 0.05, 0.06, 0.08, 0.10, 0.12, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75, 1}

// margin returns the least margin of which the noise, in turns, is no more than half, so
// that a change of the margin stands out. Above 100 % it is +Inf: no margin helps. It is
// a lower bound: the noise is of one binary in one process, and the gate compares
// binaries that differ by their layout, too.
func margin(noise float64) float64 {
	if math.IsNaN(noise) {
		return math.NaN()
	}
	for _, m := range margins {
		if noise <= m/2 {
			return m
		}
	}
	return math.Inf(+1)
}
