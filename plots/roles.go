package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/lockbench/lockbench/results"
)

// Roles draws what readers do and what writers do, side by side, if each worker has one
// role: at the lowest number of readers and at the highest. The lock whose writers do
// the most next to many readers is on top, so that the bottom shows which locks let
// writers starve.
func Roles(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "readers and writers"
	all := slices.DeleteFunc(cells(sums, o.Facts), func(c cell) bool { return c.Readers == 0 || c.Writers == 0 })
	if len(all) == 0 {
		return nil, skip(kind, "no cells of both readers and writers: run with --readers 1,7 --writers 1")
	}
	return drawShots(kind, shots(all, rolesScene), func(s shot) ([]*Figure, []Skipped) {
		fig, left := s.roles(o)
		if fig == nil {
			return nil, skipShot(kind, s, "no lock has read-ops/s and write-ops/s")
		}
		return []*Figure{fig}, left
	})
}

// rolesScene returns the scene of a cell in a figure over readers.
func rolesScene(c cell) scene {
	s := scene{Cell: c.Cell, over: "readers"}
	s.Readers, s.Workers = 0, 0
	return s
}

// A pair is what the readers and the writers of a lock do in a second, at each
// number of readers that is drawn.
type pair struct {
	name          string
	reads, writes []point
}

// pairs returns the pairs of a shot, the one whose writers do the most next to the most
// readers first, and the empty lock's.
func (s shot) pairs(readers []int, o Options) (pairs []pair, empty *pair, dropped []string) {
	last := len(readers) - 1
	for _, c := range s.cells {
		at := slices.Index(readers, c.Readers)
		if at < 0 {
			continue
		}
		reads, hasReads := c.in("read-ops/s", true)
		writes, hasWrites := c.in("write-ops/s", true)
		if !hasReads || !hasWrites {
			dropped = append(dropped, c.Lock)
			continue
		}
		i := slices.IndexFunc(pairs, func(p pair) bool { return p.name == c.Lock })
		if i < 0 {
			none := func() []point { return slices.Repeat([]point{unmeasured}, len(readers)) }
			i, pairs = len(pairs), append(pairs, pair{c.Lock, none(), none()})
		}
		pairs[i].reads[at], pairs[i].writes[at] = reads, writes
	}
	if i := slices.IndexFunc(pairs, func(p pair) bool { return p.name == o.empty() }); i >= 0 {
		p := pairs[i]
		empty, pairs = &p, slices.Delete(pairs, i, i+1)
	}
	height := func(p pair) float64 {
		if y := p.writes[last].Y; finite(y) {
			return y
		}
		return -1
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(height(b), height(a)), cmp.Compare(a.name, b.name))
	})
	return pairs, empty, dropped
}

// roles draws one figure, or nil if there is nothing to draw. It says which
// numbers of readers are not in it.
func (s shot) roles(o Options) (*Figure, []Skipped) {
	var readers []int
	for _, c := range s.cells {
		readers = append(readers, c.Readers)
	}
	slices.Sort(readers)
	readers = slices.Compact(readers)
	var left []Skipped
	if n := len(readers); n > 2 {
		left = append(left, skipShot("readers and writers", s, fmt.Sprintf("%d of %d numbers of readers lie between the lowest and the highest: they are in the table", n-2, n))...)
		readers = []int{readers[0], readers[n-1]}
	}
	pairs, empty, dropped := s.pairs(readers, o)
	if len(pairs) == 0 {
		return nil, nil
	}
	most := readers[len(readers)-1]
	title, loud := s.rolesTitle(pairs, most)
	fig := &Figure{
		Name:     s.name("roles"),
		Title:    title,
		Subtitle: s.subtitle(o),
		blind:    s.blind,
		Notes:    append(leftOut(dropped, "no read-ops/s or write-ops/s"), s.missing()...),
		Width:    figureWidth,
		Body:     rowsHeight(len(pairs)),
	}
	if empty != nil {
		last := len(readers) - 1
		fig.Notes = append(fig.Notes, fmt.Sprintf("%s, an empty lock: readers reach %s, writers %s, with %s.", empty.name,
			perSecond(empty.reads[last]), perSecond(empty.writes[last]), count(most, "reader")))
	}
	for i, of := range []func(pair) []point{func(p pair) []point { return p.writes }, func(p pair) []point { return p.reads }} {
		what := []string{count(s.Writers, "writer"), "readers"}[i]
		ch := rowChart{names: i == 0, joined: true, title: what, xLabel: "throughput of the " + []string{"writers", "readers"}[i], tick: short}
		var lo, hi float64 = math.Inf(1), 0
		for _, p := range pairs {
			for _, d := range of(p) {
				if d.Y > 0 {
					lo, hi = min(lo, d.Y), max(hi, d.Y)
				}
			}
		}
		sc := opsScale(hi)
		ch.xUnit, ch.log = sc.unit, spanning(lo, hi)
		for j, n := range readers {
			m := mark{name: "beside " + count(n, "reader"), shape: circle, radius: 4}
			if i == 1 {
				m.name = count(n, "reader")
			}
			if j < len(readers)-1 {
				m.hollow, m.radius, m.slim = true, 3.2, true
			}
			ch.marks = append(ch.marks, m)
		}
		for _, p := range pairs {
			r := row{name: p.name, emphasis: emphasisOf(p.name, loud, o)}
			for _, d := range of(p) {
				r.dots = append(r.dots, d.scaled(sc.factor))
			}
			ch.rows = append(ch.rows, r)
		}
		col := column{head: fmt.Sprintf("%s, %s", sc.unit, count(most, "reader"))}
		for _, r := range ch.rows {
			col.cells = append(col.cells, number(r.dots[len(r.dots)-1].Y))
		}
		ch.columns = []column{col}
		if i == 0 && len(readers) > 1 {
			ch.columns = append(ch.columns, gains(ch, fmt.Sprintf("%d → %d", readers[0], most)))
		}
		fig.Panels = append(fig.Panels, ch.plot())
	}
	return fig, left
}

func perSecond(p point) string {
	sc := opsScale(p.Y)
	return number(p.Y*sc.factor) + noBreak + sc.unit
}

// rolesTitle says whose writers do the most next to the most readers, and whose do
// nothing at all. It returns the names of the best, in order.
func (s shot) rolesTitle(pairs []pair, most int) (title string, loud []string) {
	last := len(pairs[0].writes) - 1
	first := pairs[0].writes[last]
	beside := fmt.Sprintf("%s beside %s", count(s.Writers, "writer"), count(most, "reader"))
	switch {
	case !finite(first.Y) || !first.hasInterval() && len(pairs) > 1:
		return beside + ": too few samples to tell which lock lets writers do most", nil
	case len(pairs) == 1:
		title = fmt.Sprintf("%s lets %s do %s", pairs[0].name, beside, perSecond(first))
	default:
		for _, p := range pairs {
			if p.name == pairs[0].name || p.writes[last].overlaps(first) {
				loud = append(loud, p.name)
			}
		}
		verb := "lets"
		if len(loud) > 1 {
			verb = "let"
		}
		title = fmt.Sprintf("%s %s %s do most: %s", list(loud), verb, beside, perSecond(first))
	}
	var starved []string
	for _, p := range pairs {
		if p.writes[last].Y == 0 {
			starved = append(starved, p.name)
		}
	}
	if len(starved) > 0 {
		title += "; with " + list(starved) + " writers starve"
	}
	return title, loud
}
