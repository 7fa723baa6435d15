package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/results"
)

// Fairness draws, for each lock, its throughput and beside it how evenly the
// workers shared it: Jain's index, and what the worker that got the least got
// of what the one that got the most did. The fastest lock is on top, so that
// the right panel shows what its speed costs.
//
// One worker alone is always treated fairly: such cells have no figure.
func Fairness(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "fairness"
	all := cells(sums)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	all = slices.DeleteFunc(all, func(c cell) bool { return c.Workers < 2 })
	if len(all) == 0 {
		return nil, skip(kind, "all cells have one worker, who shares with nobody: run with --cpus 2 or --workers 2")
	}
	all = slices.DeleteFunc(all, func(c cell) bool {
		_, jain := c.units["jain"]
		_, share := c.units["share-min-max"]
		return !jain && !share
	})
	if len(all) == 0 {
		return nil, skip(kind, "no jain or share-min-max in these results")
	}
	var figures []*Figure
	var skipped []Skipped
	for _, s := range shots(all, func(c cell) scene { return scene{Cell: c.Cell} }) {
		if len(s.cells) == 0 {
			skipped = append(skipped, skipShot(kind, s, allMixed(s)))
			continue
		}
		fig := s.fairness(o)
		if fig == nil {
			skipped = append(skipped, skipShot(kind, s, "no lock has both a throughput above zero and a fairness"))
			continue
		}
		figures = append(figures, fig)
	}
	return figures, skipped
}

// fairness draws one figure, or nil if no lock has what it takes.
func (s shot) fairness(o Options) *Figure {
	type lock struct {
		name               string
		speed, jain, share point
	}
	var locks []lock
	var dropped []string
	none := point{Y: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	for _, c := range s.cells {
		if c.Lock == o.empty() {
			continue
		}
		l := lock{name: c.Lock}
		var speed, jain, share bool
		l.speed, speed = c.throughput()
		if l.jain, jain = c.in("jain", true); !jain {
			l.jain = none
		}
		if l.share, share = c.in("share-min-max", true); !share {
			l.share = none
		}
		if !speed || !jain && !share {
			dropped = append(dropped, c.Lock)
			continue
		}
		locks = append(locks, l)
	}
	if len(locks) == 0 {
		return nil
	}
	slices.SortStableFunc(locks, func(a, b lock) int {
		return cmp.Or(cmp.Compare(b.speed.Y, a.speed.Y), cmp.Compare(a.name, b.name))
	})
	sc := opsScale(locks[0].speed.Y)
	fig := &Figure{Name: s.name("fairness"), Width: figureWidth, Subtitle: s.subtitle(o), Notes: append(leftOut(dropped, "no throughput above zero or no fairness"), s.missing()...)}

	// The title says what speed costs: the fairest of those that may be the
	// fastest, and the fairest of all.
	fairness, words := func(l lock) point { return l.share }, "its slowest worker gets %s of what its fastest gets"
	if !slices.ContainsFunc(locks, func(l lock) bool { return finite(l.share.Y) }) {
		fairness, words = func(l lock) point { return l.jain }, "its Jain index is %s"
	}
	first := locks[0].speed
	fast := locks[:1:1]
	for _, l := range locks[1:] {
		if l.speed.hasInterval() && first.hasInterval() && l.speed.Hi >= first.Lo {
			fast = append(fast, l)
		}
	}
	fairest := func(of []lock) lock { // the fastest of those that may be
		top := fairness(slices.MaxFunc(of, func(a, b lock) int { return cmp.Compare(fairness(a).Y, fairness(b).Y) }))
		return of[slices.IndexFunc(of, func(l lock) bool {
			p := fairness(l)
			return p.Y == top.Y || p.hasInterval() && top.hasInterval() && p.Hi >= top.Lo || !finite(top.Y)
		})]
	}
	chosen, other := fairest(fast), fairest(locks)
	switch {
	case len(locks) == 1:
		fig.Title = chosen.name
	case len(fast) == 1:
		fig.Title = chosen.name + " is fastest"
	default:
		fig.Title = fmt.Sprintf("Of the %d fastest, %s is fairest", len(fast), chosen.name)
	}
	of, best := fairness(chosen).Y, fairness(other).Y
	if finite(of) {
		fig.Title += ": " + fmt.Sprintf(words, hundredths(of))
	}
	if finite(best) && !(of >= .9*best) {
		fig.Title += fmt.Sprintf("; %s: %s", other.name, hundredths(best))
	}
	loud := []string{chosen.name}
	for _, l := range fast {
		loud = append(loud, l.name)
	}

	speeds := rowChart{
		marks:  []mark{{name: "throughput", shape: circle, radius: 4}},
		names:  true,
		xLabel: "throughput (" + sc.unit + ")",
		tick:   short,
	}
	shares := rowChart{
		marks: []mark{
			{name: "Jain's index", shape: circle, radius: 3.4, hollow: true},
			{name: "slowest worker / fastest worker", shape: diamond, radius: 3.3},
		},
		joined: true,
		xLabel: "fairness (1: all workers got the same)",
		scope:  []float64{0, 1},
		tick:   short,
	}
	speed, share := column{head: sc.unit}, column{head: "slowest / fastest"}
	lo, hi := math.Inf(1), 0.0
	for _, l := range locks {
		lo, hi = min(lo, l.speed.Y), max(hi, l.speed.Y)
		p := course{pts: []point{l.speed}}.scaled(sc.factor).pts[0]
		e := emphasisOf(l.name, loud, o)
		speeds.rows = append(speeds.rows, row{l.name, e, []point{p}})
		shares.rows = append(shares.rows, row{l.name, e, []point{l.jain, l.share}})
		speed.cells = append(speed.cells, number(p.Y))
		share.cells = append(share.cells, hundredths(l.share.Y))
		share.alarm = append(share.alarm, l.share.Y < .5)
	}
	if speeds.log = hi > 60*lo; speeds.log {
		speeds.xLabel = "throughput (" + sc.unit + ", log scale)"
	}
	speeds.columns, shares.columns = []column{speed}, []column{share}
	fig.Panels = []*plot.Plot{speeds.plot(), shares.plot()}
	fig.Body = rowsHeight(len(locks))
	return fig
}
