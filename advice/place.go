package advice

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lockbench/lockbench/results"
)

// An axis is one of the numbers of a workload.
type axis struct {
	name string
	of   func(results.Cell) float64       // the number
	set  func(c *results.Cell, v float64) // sets it, and nothing else
	at   func(v float64) float64          // where it is on the axis, for interpolation
	says func(v float64) string

	linear bool // ns/op is interpolated linearly, and not by its logarithm
}

var axes = []axis{
	{
		name: "cpus",
		of:   func(c results.Cell) float64 { return float64(c.CPUs) },
		set: func(c *results.Cell, v float64) {
			c.Workers, c.CPUs = int(math.Round(perCPU(*c)*v)), int(v)
		},
		at:   math.Log,
		says: func(v float64) string { return strconv.Itoa(int(v)) },
	},
	{
		name: "workers",
		of:   perCPU,
		set:  func(c *results.Cell, v float64) { c.Workers = int(math.Round(v * float64(c.CPUs))) },
		at:   math.Log,
		says: func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) + " per CPU" },
	},
	{
		name:   "reads",
		of:     func(c results.Cell) float64 { return float64(c.Reads) },
		set:    func(c *results.Cell, v float64) { c.Reads = int(v) },
		at:     func(v float64) float64 { return v },
		says:   func(v float64) string { return fmt.Sprintf("%d%%", int(v)) },
		linear: true,
	},
	{
		name: "hold",
		of:   func(c results.Cell) float64 { return float64(c.Hold) },
		set:  func(c *results.Cell, v float64) { c.Hold = time.Duration(v) },
		at:   logDuration,
		says: func(v float64) string { return time.Duration(v).String() },
	},
	{
		name: "think",
		of:   func(c results.Cell) float64 { return float64(c.Think) },
		set:  func(c *results.Cell, v float64) { c.Think = time.Duration(v) },
		at:   logDuration,
		says: func(v float64) string { return time.Duration(v).String() },
	},
}

func perCPU(c results.Cell) float64 { return float64(c.Workers) / float64(c.CPUs) }

// logDuration gives 0 a place: the bare section itself takes some nanoseconds.
func logDuration(ns float64) float64 { return math.Log(ns + 10) }

// A place is a point of the axes.
type place [5]float64

func placeOf(c results.Cell) (p place) {
	for i, a := range axes {
		p[i] = a.of(c)
	}
	return p
}

// A node is where a workload is between scenarios: a leaf is a scenario itself, and any
// other node is between two nodes that differ on one axis.
type node struct {
	cell   results.Cell // of a leaf
	lo, hi *node        // otherwise
	share  float64      // of hi; that of lo is the rest
	linear bool
}

// tries is how many neighbours on each side of a place are tried, the nearest first:
// scenarios need not be a grid.
const tries = 3

// around returns where p is between the scenarios. The error says on which axis it is
// beyond them.
func around(scenarios []results.Cell, p place) (*node, *NoDataError) {
	return aroundFrom(0, scenarios, p)
}

// aroundFrom is around for the axes from the i'th on: on the others all scenarios are at
// the same place.
func aroundFrom(i int, scenarios []results.Cell, p place) (*node, *NoDataError) {
	if len(scenarios) == 0 {
		return nil, new(NoDataError)
	}
	if i == len(axes) {
		return &node{cell: scenarios[0]}, nil
	}
	a := axes[i]
	values := valuesOn(a, scenarios)
	only := func(v float64) (*node, *NoDataError) {
		var there []results.Cell
		for _, c := range scenarios {
			if a.of(c) == v {
				there = append(there, c)
			}
		}
		return aroundFrom(i+1, there, p)
	}
	at, exact := slices.BinarySearch(values, p[i])
	if exact {
		return only(p[i])
	}
	if at == 0 || at == len(values) {
		beyond := &NoDataError{Axis: a.name, Want: a.says(p[i])}
		for _, v := range values {
			beyond.Have = append(beyond.Have, a.says(v))
		}
		return nil, beyond
	}
	var lo, hi *node
	var low, high float64
	var why, err *NoDataError
	for j := at - 1; j >= max(0, at-tries) && lo == nil; j-- {
		low = values[j]
		if lo, err = only(low); why == nil {
			why = err
		}
	}
	for j := at; j < min(len(values), at+tries) && hi == nil; j++ {
		high = values[j]
		if hi, err = only(high); why == nil {
			why = err
		}
	}
	if lo == nil || hi == nil {
		return nil, why
	}
	share := (a.at(p[i]) - a.at(low)) / (a.at(high) - a.at(low))
	return &node{lo: lo, hi: hi, share: share, linear: a.linear}, nil
}

// valuesOn returns the places of scenarios on an axis, ascending.
func valuesOn(a axis, scenarios []results.Cell) []float64 {
	values := make([]float64, len(scenarios))
	for i, c := range scenarios {
		values[i] = a.of(c)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// value interpolates a value of each scenario.
func (n *node) value(of func(results.Cell) float64) float64 {
	if n.lo == nil {
		return of(n.cell)
	}
	a, b := n.lo.value(of), n.hi.value(of)
	if n.linear || !(a > 0 && b > 0) {
		return a + n.share*(b-a)
	}
	return a * math.Pow(b/a, n.share)
}

// cells returns the scenarios that n is between, in their order.
func (n *node) cells() []results.Cell {
	var all []results.Cell
	var add func(*node)
	add = func(n *node) {
		if n.lo == nil {
			all = append(all, n.cell)
			return
		}
		add(n.lo)
		add(n.hi)
	}
	add(n)
	slices.SortFunc(all, results.Cell.Compare)
	return slices.Compact(all)
}
