package results

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/montanaflynn/stats"

	"github.com/lockbench/lockbench/internal/wording"
)

// A Spread says how much the processes that measured a cell differ, and how much the
// samples of one process do.
type Spread struct {
	Cell
	Distance       Distance // see [Sample]
	Oversubscribed bool     // see [Sample]
	Unit           string   // such as "ns/op"

	Forks int // processes
	N     int // samples of all processes

	// Within and Between are standard deviations, as shares of the value: that of the
	// samples of one process, and that of the processes beyond what the spread of their
	// samples explains.
	Within, Between float64
}

// Spreads returns the spread of each cell at each distance that at least two
// processes measured at least twice, in unit. They are in the order of
// [Summarize].
//
// Within is 1.4826 times the median distance of a sample from the median of its
// process, so that a few outliers do not count; Between is the root of the variance of
// the processes' medians minus the variance that a median of that many samples has.
func Spreads(samples []Sample, unit string) []Spread {
	type key struct {
		Cell
		distance       Distance
		oversubscribed bool
	}
	cells := make(map[key]map[int][]float64)
	for _, s := range samples {
		v, ok := s.Value(unit)
		if !ok || s.Fork == 0 || !(v > 0) {
			continue
		}
		k := key{s.Cell, s.Distance, s.Oversubscribed}
		if cells[k] == nil {
			cells[k] = make(map[int][]float64)
		}
		cells[k][s.Fork] = append(cells[k][s.Fork], math.Log(v))
	}
	var all []Spread
	for _, k := range slices.SortedFunc(maps.Keys(cells), func(a, b key) int {
		return cmp.Or(a.Cell.Compare(b.Cell), a.distance.compare(b.distance), compareBool(a.oversubscribed, b.oversubscribed))
	}) {
		var medians, apart []float64
		n, inverse := 0, 0.0
		for _, fork := range slices.Sorted(maps.Keys(cells[k])) {
			logs := cells[k][fork]
			if len(logs) < 2 {
				continue
			}
			slices.Sort(logs)
			m := median(logs).Center
			medians = append(medians, m)
			for _, l := range logs {
				apart = append(apart, math.Abs(l-m))
			}
			n += len(logs)
			inverse += 1 / float64(len(logs))
		}
		if len(medians) < 2 {
			continue
		}
		slices.Sort(apart)
		within := 1.4826 * median(apart).Center
		// The variance of a median of n normal values is about π/2 σ²/n.
		explained := math.Pi / 2 * within * within * inverse / float64(len(medians))
		spread, _ := stats.SampleVariance(medians) // of at least two
		between := math.Sqrt(max(0, spread-explained))
		all = append(all, Spread{Cell: k.Cell, Distance: k.distance, Oversubscribed: k.oversubscribed, Unit: unit,
			Forks: len(medians), N: n, Within: math.Expm1(within), Between: math.Expm1(between)})
	}
	return all
}

// allSpreads returns those of all samples in the units by which their cells are ranked,
// without samples during which the distance changed.
func allSpreads(samples []Sample) (all []Spread) {
	for _, unit := range []string{"ns/op", "read-ns/op", "write-ns/op", "read-p99-ns", "write-p99-ns"} {
		all = append(all, Spreads(slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool {
			return s.Distance == Mixed || !slices.Contains(s.rankings(), unit)
		}), unit)...)
	}
	return all
}

// forkLine says in one line how much processes differ, "" if there were no forks.
func forkLine(samples []Sample) string {
	all := allSpreads(samples)
	if len(all) == 0 {
		return ""
	}
	var between, within []float64
	worst, forks := all[0], 0
	for _, s := range all {
		between, within = append(between, s.Between), append(within, s.Within)
		forks = max(forks, s.Forks)
		if s.Between > worst.Between {
			worst = s
		}
	}
	slices.Sort(between)
	slices.Sort(within)
	return fmt.Sprintf("forks: %d processes differ by %s (median of %s; most, %s: %s at %s), samples within one by %s",
		forks, percent(median(between).Center), wording.Count(len(all), "cell"), percent(worst.Between), worst.Lock, worst.where(), percent(median(within).Center))
}

// WriteForks writes a line for each cell that several processes measured: how much they
// differ, and how much the samples of one do. It writes nothing if there is no such
// cell.
func WriteForks(w io.Writer, samples []Sample) error {
	all := allSpreads(samples)
	if len(all) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "spread between processes, beyond what their samples explain, and between the samples of one\n\n")
	wide := len("lock")
	for _, s := range all {
		wide = max(wide, len(s.Lock))
	}
	fmt.Fprintf(&b, "%-*s  %8s  %8s  %5s  %7s  where\n", wide, "lock", "between", "within", "forks", "samples")
	for _, s := range all {
		mark := " "
		if s.Between > s.Within {
			mark = "!"
		}
		fmt.Fprintf(&b, "%-*s  %7s%s  %8s  %5d  %7d  %s\n", wide, s.Lock, percent(s.Between), mark, percent(s.Within), s.Forks, s.N, s.where())
	}
	fmt.Fprintf(&b, "\n! processes differ more than samples: more samples of one process would say little more\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// where says what was measured, and where.
func (s Spread) where() string {
	c := column{scenario: s.Cell.Scenario(), distance: s.Distance, oversubscribed: s.Oversubscribed}
	text := section(c).String()
	if !s.Roles() {
		text += fmt.Sprintf(", %d%% reads", s.Reads)
	}
	if s.Unit != "ns/op" {
		text += ", " + s.Unit
	}
	return text
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }
