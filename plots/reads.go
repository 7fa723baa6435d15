package plots

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/results"
)

// Reads draws throughput over the percentage of operations that only read.
//
// The percentages that were measured are at equal distances, since the range from 90 to
// 100 matters most. Two of them give rows of dots, more give lines; a single one gives
// no figure.
func Reads(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "throughput over reads"
	all := cells(sums, o.Facts)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	looks := looks(sums, o)
	x := func(c cell) float64 { return float64(c.Reads) }
	figures, skipped := drawShots(kind, shots(all, readsScene), func(s shot) ([]*Figure, []Skipped) {
		f := s.family(x, looks, o)
		switch {
		case len(f.locks) == 0:
			return nil, skipShot(kind, s, noThroughput)
		case len(f.xs) < 2:
			return nil, skipShot(kind, s, onePercentage)
		}
		sceneOf := func([]cell) func(cell) scene { return readsScene }
		return []*Figure{s.reads(f, f.withOthers(s.scene, sceneOf, x, looks, o), o)}, nil
	})
	if len(figures) == 0 && !slices.ContainsFunc(skipped, func(s Skipped) bool { return s.Why != onePercentage }) {
		skipped = skip(kind, onePercentage)
	}
	return figures, skipped
}

const onePercentage = "only one percentage of reads: run with --reads 0,50,90,99,100"

// readsScene returns the scene of a cell in a figure over reads.
func readsScene(c cell) scene {
	s := scene{Cell: c.Cell, over: "reads"}
	s.Reads = 0
	return s
}

// reads draws one figure over reads, of f, which is own with what is of other machines.
func (s shot) reads(own, f family, o Options) *Figure {
	last := own.xs[len(own.xs)-1] // where locks are ranked
	sc := opsScale(f.top())
	where := fmt.Sprintf("at %v"+noBreak+"%%"+noBreak+"reads", last)
	fig := &Figure{Name: s.name("reads"), Width: figureWidth, Subtitle: s.subtitle(o), blind: s.blind, Notes: slices.Concat(f.othersNote(o), f.notes(sc, last, where), s.missing())}
	var loud []string
	fig.Title, loud = own.readsTitle(sc)

	if len(f.xs) == 2 {
		marks := []mark{
			{name: fmt.Sprintf("%v %% reads", f.xs[0]), shape: circle, hollow: true, radius: 3.2, slim: true},
			{name: fmt.Sprintf("%v %% reads", f.xs[1]), shape: circle, radius: 4},
		}
		ch := f.rowsOf(last, loud, sc, marks, o)
		ch.columns = []column{
			f.column(ch, 0, fmt.Sprintf("%v %%", f.xs[0])),
			f.column(ch, 1, fmt.Sprintf("%v %%", f.xs[1])),
			gains(ch, fmt.Sprintf("%v → %v", f.xs[0], f.xs[1])),
		}
		fig.Panels = []*plot.Plot{ch.plot()}
		fig.Body = rowsHeight(len(ch.rows))
		return fig
	}

	// With equal steps, x is the index of the percentage among those measured.
	ch := f.lines(last, loud, sc, o)
	ch.xLabel = "reads (% of operations, in steps as measured)"
	ch.head = fmt.Sprintf("%s at %v %%", sc.unit, last)
	for i := range ch.lines {
		pts := ch.lines[i].pts
		if pts[len(pts)-1].X != last {
			ch.head = sc.unit + " at its end"
		}
		f.step(pts)
	}
	f.step(ch.limit.pts)
	for i, x := range f.xs {
		ch.xTicks = append(ch.xTicks, plot.Tick{Value: float64(i), Label: short(x)})
	}
	fig.Panels = []*plot.Plot{ch.plot()}
	fig.Body = linesHeight(len(ch.lines))
	return fig
}

// step replaces the X of points by its index in f.xs.
func (f family) step(pts []point) {
	for i := range pts {
		pts[i].X = float64(slices.Index(f.xs, pts[i].X))
	}
}

// readsTitle says which lock is the best at the most reads, and down to which share of
// reads it is the best or tied with it; and which one is the best at the fewest reads,
// if that is another. It returns the names of the locks that it mentions, the best
// first.
func (f family) readsTitle(sc scale) (title string, loud []string) {
	last := len(f.xs) - 1
	leading := func(i int) (names []string) {
		for _, c := range leaders(f.ranked(f.xs[i]), f.xs[i]) {
			names = append(names, c.name)
		}
		return names
	}
	percent := func(i int) string { return short(f.xs[i]) + noBreak + "%" }
	loud = leading(last)
	winner := loud[0]
	p, _ := f.ranked(f.xs[last])[0].at(f.xs[last])
	value := values(leaders(f.ranked(f.xs[last]), f.xs[last]), f.xs[last], sc)

	from := last
	for from > 0 && slices.Contains(leading(from-1), winner) {
		from--
	}
	switch {
	case len(f.locks) == 1:
		return fmt.Sprintf("%s reaches %s at %s reads", winner, value, percent(last)), loud
	case !p.hasInterval():
		return fmt.Sprintf("Throughput at %s reads: too few samples to tell which lock is fastest", percent(last)), nil
	case most(len(loud), len(f.locks)):
		return fmt.Sprintf("%d of %d locks cannot be told apart at %s reads: %s", len(loud), len(f.locks), percent(last), value), nil
	case len(loud) > 1:
		title = fmt.Sprintf("%s tie for fastest at %s reads: %s", list(loud), percent(last), value)
	case from == 0:
		title = fmt.Sprintf("%s is fastest at every share of reads: %s at %s", winner, value, percent(last))
	case from == last:
		title = fmt.Sprintf("%s is fastest at %s reads: %s", winner, percent(last), value)
	default:
		title = fmt.Sprintf("%s is fastest from %s reads on: %s at %s", winner, percent(from), value, percent(last))
	}
	if first := leading(0); len(first) > 0 && !slices.Contains(first, winner) && f.ranked(f.xs[0])[0].pts[0].hasInterval() {
		title += fmt.Sprintf("; %s at%s%s", first[0], noBreak, percent(0))
		if !slices.Contains(loud, first[0]) {
			loud = append(loud, first[0])
		}
	}
	return title, loud
}
