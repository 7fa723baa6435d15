package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/lockbench/lockbench/results"
)

// percentiles are the units of a role, and how they are drawn.
var percentiles = []struct {
	unit string // after "read-" or "write-"
	mark mark
}{
	{"p50-ns", mark{name: "median", shape: circle, radius: 3.4, hollow: true}},
	{"p99-ns", mark{name: "99 %", shape: circle, radius: 4}},
	{"p999-ns", mark{name: "99.9 %", shape: diamond, radius: 3.3}},
	{"max-ns", mark{name: "longest", shape: bar, radius: 3.8}},
}

// tail is the percentile that locks are ranked by: p99.
const tail = 1

// roles are those of workers that wait for a lock, the more telling first.
var roles = []struct{ unit, noun string }{
	{"write-", "writers"},
	{"read-", "readers"},
}

// Latency draws how long workers wait to acquire a lock: the median, the
// 99th and the 99.9th percentile and the longest wait, on a logarithmic axis,
// for writers and for readers beside each other. The lock whose writers wait
// the least, by the 99th percentile, is on top.
//
// Each is the median of what the samples measured, with its interval.
func Latency(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "latency"
	all := cells(sums)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	all = slices.DeleteFunc(all, func(c cell) bool {
		for _, role := range roles {
			if _, ok := c.units[role.unit+percentiles[tail].unit]; ok {
				return false
			}
		}
		return true
	})
	if len(all) == 0 {
		return nil, skip(kind, "no write-p99-ns or read-p99-ns in these results: run with --latency")
	}
	var figures []*Figure
	var skipped []Skipped
	for _, s := range shots(all, func(c cell) scene { return scene{Cell: c.Cell} }) {
		if len(s.cells) == 0 {
			skipped = append(skipped, skipShot(kind, s, allMixed(s)))
			continue
		}
		fig := s.latency(o)
		if fig == nil {
			skipped = append(skipped, skipShot(kind, s, "no 99th percentile is above zero"))
			continue
		}
		figures = append(figures, fig)
	}
	return figures, skipped
}

// latency draws one figure, or nil if no lock has a p99.
func (s shot) latency(o Options) *Figure {
	type waits struct {
		name string
		dots [2][]point // by role, by percentile
	}
	var locks []waits
	var dropped []string
	var has [2]bool
	for _, c := range s.cells {
		w := waits{name: c.Lock}
		any := false
		for r, role := range roles {
			for i, pc := range percentiles {
				p, ok := c.in(role.unit+pc.unit, false)
				if !ok {
					p = point{Y: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
				} else if i == tail {
					any, has[r] = true, true
				}
				w.dots[r] = append(w.dots[r], p)
			}
		}
		if !any {
			dropped = append(dropped, c.Lock)
		} else if c.Lock != o.empty() {
			locks = append(locks, w)
		}
	}
	if len(locks) == 0 {
		return nil
	}
	by := 0 // writers
	if !has[by] {
		by = 1
	}
	// NaN sorts first with cmp.Compare; here it must come last.
	key := func(w waits) float64 {
		if y := w.dots[by][tail].Y; finite(y) {
			return y
		}
		return math.Inf(1)
	}
	slices.SortStableFunc(locks, func(a, b waits) int {
		return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.name, b.name))
	})

	first, last := locks[0], locks[0]
	var loud []string
	longest := 0.0 // of what the best and those tied with it have
	for _, w := range locks {
		p := w.dots[by][tail]
		if !finite(p.Y) {
			continue
		}
		last = w
		if w.name == first.name || p.hasInterval() && first.dots[by][tail].hasInterval() && p.Lo <= first.dots[by][tail].Hi {
			loud = append(loud, w.name)
			longest = max(longest, p.Y)
		}
	}
	fig := &Figure{Name: s.name("latency"), Width: figureWidth, Subtitle: s.subtitle(o), Notes: append(leftOut(dropped, "no 99th percentile above zero"), s.missing()...)}
	fig.Title = fmt.Sprintf("%s: 99"+noBreak+"%% of %s wait at most %s", list(loud), roles[by].noun, nanos(longest))
	if !slices.Contains(loud, last.name) {
		fig.Title += fmt.Sprintf("; %s: %s", last.name, nanos(key(last)))
	}

	var all []float64
	for _, w := range locks {
		for r := range roles {
			for _, p := range w.dots[r] {
				all = append(all, p.Y)
				if p.hasInterval() {
					all = append(all, p.Lo, p.Hi)
				}
			}
		}
	}
	for r, role := range roles {
		if !has[r] {
			continue
		}
		ch := rowChart{
			names:  len(fig.Panels) == 0,
			joined: true,
			title:  role.noun,
			xLabel: "time to acquire the lock (log scale)",
			log:    true,
			scope:  all,
			tick:   nanosTick,
		}
		for _, pc := range percentiles {
			ch.marks = append(ch.marks, pc.mark)
		}
		col := column{head: "99 %"}
		for _, w := range locks {
			ch.rows = append(ch.rows, row{w.name, emphasisOf(w.name, loud, o), w.dots[r]})
			col.cells = append(col.cells, nanos(w.dots[r][tail].Y))
		}
		ch.columns = []column{col}
		fig.Panels = append(fig.Panels, ch.plot())
	}
	fig.Body = rowsHeight(len(locks))
	return fig
}
