package plots

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/results"
)

// Throughput draws throughput over the number of CPUs.
//
// Over three and more CPU counts, a lock is a line with the band of its
// intervals, named at its end. Over one or two it is a row of dots, the best
// on top. CPU counts that the machine does not have are shaded, or named, as
// oversubscribed; locks are ranked at the highest count that is not.
//
// Cells belong to one figure if they have the same number of workers per CPU; or in
// total, if that gives several CPU counts and the former does not.
func Throughput(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "throughput over CPUs"
	all := cells(sums, o.Facts)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	looks := looks(sums, o)
	x := func(c cell) float64 { return float64(c.CPUs) }
	return drawShots(kind, shots(all, scalingScene(all)), func(s shot) ([]*Figure, []Skipped) {
		f := s.family(x, looks, o)
		if len(f.locks) == 0 {
			return nil, skipShot(kind, s, noThroughput)
		}
		return []*Figure{s.throughput(f, f.withOthers(s.scene, scalingScene, x, looks, o), o)}, nil
	})
}

// noThroughput is why a figure of throughput lacks its locks.
const noThroughput = "no lock has a throughput (ops/s or ns/op) above zero"

// scalingScene returns the scene of a cell in a figure over CPUs.
func scalingScene(all []cell) func(cell) scene {
	perCPU := func(c cell) scene {
		s := scene{Cell: c.Cell, over: "cpus"}
		s.Lock, s.CPUs = "", 0
		if c.CPUs > 0 && c.Workers%c.CPUs == 0 {
			s.perCPU, s.Workers = c.Workers/c.CPUs, 0
		}
		return s
	}
	inAll := func(c cell) scene {
		s := scene{Cell: c.Cell, over: "cpus"}
		s.Lock, s.CPUs = "", 0
		return s
	}
	counts := make(map[scene]map[int]bool)
	for _, c := range all {
		for _, s := range []scene{perCPU(c), inAll(c)} {
			if counts[s] == nil {
				counts[s] = make(map[int]bool)
			}
			counts[s][c.CPUs] = true
		}
	}
	return func(c cell) scene {
		if s := inAll(c); len(counts[perCPU(c)]) == 1 && len(counts[s]) > 1 {
			return s
		}
		return perCPU(c)
	}
}

// throughput draws one figure over CPUs, of f, which is own with what is of other
// machines.
func (s shot) throughput(own, f family, o Options) *Figure {
	over := oversubscribed(s.cells)
	at := own.xs[len(own.xs)-1] // where locks are ranked
	for _, x := range slices.Backward(own.xs) {
		if !over[x] {
			at = x
			break
		}
	}
	sc := opsScale(f.top())
	where := "at " + count(int(at), "CPU")
	fig := &Figure{Name: s.name("throughput"), Width: figureWidth, Subtitle: s.subtitle(o), blind: s.blind, Notes: slices.Concat(f.othersNote(o), f.notes(sc, at, where), s.missing())}
	if len(over) > 0 {
		fig.Notes = append(fig.Notes, "Oversubscribed: the machine has fewer CPUs than that, and workers take turns on them.")
	}
	var loud []string
	fig.Title, loud = headline(f.ranked(at), at, where, sc)

	if len(f.xs) <= 2 {
		ch := f.rowsOf(at, loud, sc, cpuMarks(f.xs, over), o)
		for i, x := range f.xs {
			ch.columns = append(ch.columns, f.column(ch, i, count(int(x), "CPU")))
		}
		if len(f.xs) == 2 {
			ch.columns = append(ch.columns, gains(ch, fmt.Sprintf("%v → %v", f.xs[0], f.xs[1])))
		}
		fig.Panels = []*plot.Plot{ch.plot()}
		fig.Body = rowsHeight(len(ch.rows))
		return fig
	}

	ch := f.lines(at, loud, sc, o)
	ch.xLabel = "CPUs"
	ch.xTicks = ticksAt(f.xs, short)
	if ch.xLog = f.xs[len(f.xs)-1] >= 8*f.xs[0]; ch.xLog {
		ch.xLabel = "CPUs (log scale)"
	}
	ch.head = fmt.Sprintf("%s at %s", sc.unit, count(int(f.xs[len(f.xs)-1]), "CPU"))
	for _, l := range ch.lines {
		if l.end().X != f.xs[len(f.xs)-1] {
			ch.head = sc.unit + " at its end"
		}
	}
	for _, x := range slices.Backward(f.xs) {
		if over[x] {
			ch.shaded = x
		} else {
			break
		}
	}
	fig.Panels = []*plot.Plot{ch.plot()}
	fig.Body = linesHeight(len(ch.lines))
	return fig
}

// oversubscribed returns the CPU counts that the machine does not have.
func oversubscribed(cells []cell) map[float64]bool {
	over := make(map[float64]bool)
	for _, c := range cells {
		if c.oversubscribed {
			over[float64(c.CPUs)] = true
		}
	}
	return over
}

// cpuMarks returns the marks of one or two CPU counts: hollow, then full.
func cpuMarks(xs []float64, over map[float64]bool) []mark {
	marks := make([]mark, len(xs))
	for i, x := range xs {
		m := mark{name: count(int(x), "CPU"), shape: circle, radius: 4}
		if i < len(xs)-1 {
			m.hollow, m.radius, m.slim = true, 3.2, true
		}
		if over[x] {
			m.name += " (oversubscribed)"
			m.shape = square
		}
		marks[i] = m
	}
	return marks
}
