package plots

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/results"
)

// Fairness draws, for each lock, its throughput and how evenly the workers shared it:
// Jain's index, and the ratio of the worker that got the least to the one that got the
// most. The fastest lock is on top, so that the right panel shows what its speed costs.
//
// Cells with one worker have no figure, since they are always fair.
func Fairness(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "fairness"
	all := cells(sums, o.Facts)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	all = slices.DeleteFunc(all, func(c cell) bool { return c.Workers < 2 })
	if len(all) == 0 {
		return nil, skip(kind, "all cells have one worker, which shares with no other: run with --cpus 2 or --workers 2")
	}
	all = slices.DeleteFunc(all, func(c cell) bool {
		_, jain := c.units["jain"]
		_, share := c.units["share-min-max"]
		return !jain && !share
	})
	if len(all) == 0 {
		return nil, skip(kind, "no jain or share-min-max in these results")
	}
	return drawShots(kind, shots(all, cellScene), func(s shot) ([]*Figure, []Skipped) {
		fig := s.fairness(o)
		if fig == nil {
			return nil, skipShot(kind, s, "no lock has both a throughput above zero and a fairness")
		}
		return []*Figure{fig}, nil
	})
}

// A sharing is how fast a lock is and how evenly its workers share it.
type sharing struct {
	name  string
	speed point // operations per second
	jain  point // Jain's index
	share point // the slowest worker's throughput, as a share of the fastest's
}

// sharings returns the sharings of a shot, the fastest first, and the locks that have
// none.
func (s shot) sharings(o Options) (locks []sharing, dropped []string) {
	for _, c := range s.cells {
		if c.Lock == o.empty() {
			continue
		}
		speed, ok := c.throughput()
		jain, hasJain := c.in("jain", true)
		share, hasShare := c.in("share-min-max", true)
		if !ok || !hasJain && !hasShare {
			dropped = append(dropped, c.Lock)
			continue
		}
		locks = append(locks, sharing{c.Lock, speed, jain, share})
	}
	slices.SortStableFunc(locks, func(a, b sharing) int {
		return cmp.Or(cmp.Compare(b.speed.Y, a.speed.Y), cmp.Compare(a.name, b.name))
	})
	return locks, dropped
}

// fairness draws one figure, or nil if no lock has the values for it.
func (s shot) fairness(o Options) *Figure {
	locks, dropped := s.sharings(o)
	if len(locks) == 0 {
		return nil
	}
	sc := opsScale(locks[0].speed.Y)
	title, loud := fairnessTitle(locks)

	speeds := rowChart{
		marks:  []mark{{name: "throughput", shape: circle, radius: 4}},
		names:  true,
		xLabel: "throughput",
		xUnit:  sc.unit,
		log:    spanning(locks[len(locks)-1].speed.Y, locks[0].speed.Y),
		tick:   short,
	}
	shares := rowChart{
		marks: []mark{
			{name: "Jain's index", shape: circle, radius: 3.4, hollow: true, slim: true},
			{name: "slowest worker / fastest worker", shape: diamond, radius: 3.3},
		},
		joined: true,
		xLabel: "fairness (1: all workers got the same)",
		scope:  []float64{0, 1},
		tick:   short,
	}
	speed, share := column{head: sc.unit}, column{head: "slowest / fastest"}
	for _, l := range locks {
		p := l.speed.scaled(sc.factor)
		e := emphasisOf(l.name, loud, o)
		speeds.rows = append(speeds.rows, row{name: l.name, emphasis: e, dots: []point{p}})
		shares.rows = append(shares.rows, row{name: l.name, emphasis: e, dots: []point{l.jain, l.share}})
		speed.cells = append(speed.cells, number(p.Y))
		share.cells = append(share.cells, hundredths(l.share.Y))
		share.alarm = append(share.alarm, l.share.Y < .5)
	}
	speeds.columns, shares.columns = []column{speed}, []column{share}
	return &Figure{
		Name:     s.name("fairness"),
		Title:    title,
		Subtitle: s.subtitle(o),
		blind:    s.blind,
		Notes:    append(leftOut(dropped, "no throughput above zero or no fairness"), s.missing()...),
		Panels:   []*plot.Plot{speeds.plot(), shares.plot()},
		Width:    figureWidth,
		Body:     rowsHeight(len(locks)),
	}
}

// fairnessTitle says what speed costs: which of the locks that may be the fastest is
// the fairest, and whether there is a much fairer one. It returns the name of the
// fairest, and those of the other fast ones.
func fairnessTitle(locks []sharing) (title string, loud []string) {
	fairness, words := func(l sharing) point { return l.share }, "its slowest worker gets %s of what its fastest gets"
	if !slices.ContainsFunc(locks, func(l sharing) bool { return finite(l.share.Y) }) {
		fairness, words = func(l sharing) point { return l.jain }, "its Jain index is %s"
	}
	fast := slices.DeleteFunc(slices.Clone(locks), func(l sharing) bool {
		return l.name != locks[0].name && !l.speed.overlaps(locks[0].speed)
	})
	// The fairest of some locks: the fastest of those that are nearly as fair as the
	// fairest.
	fairest := func(of []sharing) sharing {
		top := slices.MaxFunc(of, func(a, b sharing) int { return cmp.Compare(fairness(a).Y, fairness(b).Y) })
		return of[slices.IndexFunc(of, func(l sharing) bool {
			return l.name == top.name || fairness(l).Y >= .99*fairness(top).Y
		})]
	}
	chosen := fairest(fast)
	switch {
	case len(locks) == 1:
		title = chosen.name
	case !locks[0].speed.hasInterval():
		return "Fairness: too few samples to tell which lock is fastest", nil
	case len(fast) == 1:
		title = chosen.name + " is fastest"
	default:
		title = fmt.Sprintf("Of the %d fastest, %s is fairest", len(fast), chosen.name)
	}
	got := fairness(chosen).Y
	if finite(got) {
		title += ": " + fmt.Sprintf(words, hundredths(got))
	}
	other := fairest(locks)
	if most := fairness(other).Y; finite(most) && !(got >= .9*most) {
		title += fmt.Sprintf("; %s: %s", other.name, hundredths(most))
	}
	loud = []string{chosen.name}
	if most(len(fast), len(locks)) {
		return title, loud
	}
	for _, l := range fast {
		loud = append(loud, l.name)
	}
	return title, loud
}
