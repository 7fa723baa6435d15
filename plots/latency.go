package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/results"
)

// percentiles are the units of a role, with the way they are drawn.
var percentiles = []struct {
	unit string // after "read-" or "write-"
	mark mark
}{
	{"p50-ns", mark{name: "median", shape: circle, radius: 3.4, hollow: true, slim: true}},
	{"p99-ns", mark{name: "99 %", shape: circle, radius: 4}},
	{"p999-ns", mark{name: "99.9 %", shape: diamond, radius: 3.3, slim: true}},
	{"max-ns", mark{name: "longest", shape: bar, radius: 3.8, slim: true}},
}

// tail is the percentile by which locks are ranked: p99.
const tail = 1

// roles are the roles of workers that wait for a lock, the more important first.
var roles = []role{
	{"write-", "writers"},
	{"read-", "readers"},
}

// A role is what its units begin with, and what its workers are called.
type role struct{ unit, noun string }

// key returns the Role of a [results.Wait].
func (r role) key() string { return strings.TrimSuffix(r.unit, "-") }

// Latency draws how long workers wait to acquire a lock: the median, the 99th and the
// 99.9th percentile and the longest wait, on a logarithmic axis, for writers and for
// readers side by side. The lock whose writers wait least, by the 99th percentile, is
// on top.
//
// Each is the median over the samples, with its interval.
func Latency(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "latency"
	all := cells(sums, o.Facts)
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
	return drawShots(kind, shots(all, cellScene), func(s shot) ([]*Figure, []Skipped) {
		fig := s.latency(o)
		if fig == nil {
			return nil, skipShot(kind, s, "no 99th percentile is above zero")
		}
		return []*Figure{fig}, nil
	})
}

// A waits is how long the workers of a lock wait for it.
type waits struct {
	name string
	dots [2][]point // by role, by percentile
}

// waits returns the waits of a shot: the locks whose workers of a role wait least, by
// p99, come first, and those without a wait in that role last. The role is the first of
// roles that any lock has. dropped are the locks with none.
func (s shot) waits(o Options) (locks []waits, role int, dropped []string) {
	role = len(roles) - 1
	for _, c := range s.cells {
		if c.Lock == o.empty() {
			continue
		}
		w := waits{name: c.Lock}
		any := false
		for r := range roles {
			for i, pc := range percentiles {
				p, ok := c.in(roles[r].unit+pc.unit, false)
				w.dots[r] = append(w.dots[r], p)
				if ok && i == tail {
					any, role = true, min(role, r)
				}
			}
		}
		if any {
			locks = append(locks, w)
		} else {
			dropped = append(dropped, c.Lock)
		}
	}
	slices.SortStableFunc(locks, func(a, b waits) int {
		return cmp.Or(cmp.Compare(a.rank(role), b.rank(role)), cmp.Compare(a.name, b.name))
	})
	return locks, role, dropped
}

// rank returns the role's p99, and infinity if there is none.
func (w waits) rank(role int) float64 {
	if y := w.dots[role][tail].Y; finite(y) {
		return y
	}
	return math.Inf(1)
}

// latency draws one figure, or nil if no lock has a p99.
func (s shot) latency(o Options) *Figure {
	var notes []string
	s.cells, notes = withoutSaturated(s.cells)
	locks, by, dropped := s.waits(o)
	if len(locks) == 0 {
		return nil
	}
	title, loud := latencyTitle(locks, by)
	fig := &Figure{
		Name:     s.name("latency"),
		Title:    title,
		Subtitle: s.subtitle(o),
		blind:    s.blind,
		Notes:    slices.Concat(notes, leftOut(dropped, "no 99th percentile above zero"), s.missing()),
		Width:    figureWidth,
		Body:     rowsHeight(len(locks)),
	}

	var scope []float64 // both panels have the same axis
	for _, w := range locks {
		for _, dots := range w.dots {
			for _, p := range dots {
				scope = append(scope, p.Y, p.Lo, p.Hi)
			}
		}
	}
	for r, role := range roles {
		ch := rowChart{
			title:  role.noun,
			names:  len(fig.Panels) == 0,
			joined: true,
			xLabel: s.waitKind(),
			log:    true,
			scope:  scope,
			tick:   nanosTick,
		}
		for _, pc := range percentiles {
			ch.marks = append(ch.marks, pc.mark)
		}
		col := column{head: percentiles[tail].mark.name}
		measured := false
		for _, w := range locks {
			ch.rows = append(ch.rows, row{name: w.name, emphasis: emphasisOf(w.name, loud, o), dots: w.dots[r]})
			col.cells = append(col.cells, nanos(w.dots[r][tail].Y))
			measured = measured || finite(w.dots[r][tail].Y)
		}
		if measured {
			ch.columns = []column{col}
			fig.Panels = append(fig.Panels, ch.plot())
		}
	}
	return fig
}

// latencyTitle says how long the workers of a role wait for the best lock and
// those tied with it, whose names it returns, and for the worst.
func latencyTitle(locks []waits, role int) (title string, loud []string) {
	first, last := locks[0], locks[0]
	longest := 0.0 // of the best and the tied
	for _, w := range locks {
		p := w.dots[role][tail]
		if !finite(p.Y) {
			continue
		}
		last = w
		if w.name == first.name || p.overlaps(first.dots[role][tail]) {
			loud = append(loud, w.name)
			longest = max(longest, p.Y)
		}
	}
	subject := list(loud)
	if most(len(loud), len(locks)) {
		subject = fmt.Sprintf("%d of %d locks", len(loud), len(locks))
	}
	title = fmt.Sprintf("%s: 99"+noBreak+"%% of %s wait at most %s", subject, roles[role].noun, nanos(longest))
	if !slices.Contains(loud, last.name) {
		title += fmt.Sprintf("; %s: %s", last.name, nanos(last.rank(role)))
	}
	if most(len(loud), len(locks)) {
		loud = nil
	}
	return title, loud
}
