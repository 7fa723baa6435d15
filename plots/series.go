package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/lockbench/lockbench/results"
)

// A course is the throughput of one lock along a dimension.
type course struct {
	name    string
	machine string // another than that of the figure, "" if it is that
	look    look
	pts     []point // by X
}

// label returns the name for a legend, with the machine if it is another.
func (c course) label() string {
	if c.machine == "" {
		return ""
	}
	return elide(c.name) + " (" + c.machine + ")"
}

// at returns the point at x. ok is false if there is none.
func (c course) at(x float64) (point, bool) {
	for _, p := range c.pts {
		if p.X == x {
			return p, true
		}
	}
	return unmeasured, false
}

// A family is the courses of all locks of a shot.
type family struct {
	xs      []float64 // ascending
	locks   []course
	others  []course // of other machines
	limit   course   // of the empty lock
	dropped []string
}

// withOthers adds the courses of other machines in the same scene, whatever the distance
// of their CPUs: those of each machine in the order of their names. No lock of f is
// ranked against them.
func (f family) withOthers(in scene, sceneOf func([]cell) func(cell) scene, x func(cell) float64, looks map[string]look, o Options) family {
	in.distance = results.Unknown
	f.xs = slices.Clone(f.xs)
	for _, other := range o.Others {
		all := cells(other.Summaries, other.Facts)
		of := sceneOf(all)
		all = slices.DeleteFunc(all, func(c cell) bool {
			s := of(c)
			s.Lock = ""
			return s != in
		})
		g := shot{cells: all}.family(x, looks, o)
		for _, c := range g.locks {
			c.machine = other.machine()
			f.others = append(f.others, c)
		}
		f.xs = append(f.xs, g.xs...)
	}
	slices.Sort(f.xs)
	f.xs = slices.Compact(f.xs)
	return f
}

// othersNote says what the lines of other machines are.
func (f family) othersNote(o Options) []string {
	if len(f.others) == 0 {
		return nil
	}
	var words []string
	for _, other := range o.Others {
		if slices.ContainsFunc(f.others, func(c course) bool { return c.machine == other.machine() }) {
			words = append(words, other.describe())
		}
	}
	return []string{"Dashed, with hollow marks: " + strings.Join(words, "; ") + "."}
}

// family gathers throughput along x.
func (s shot) family(x func(cell) float64, looks map[string]look, o Options) family {
	var f family
	byLock := make(map[string]*course)
	var order []string
	for _, c := range s.cells {
		p, ok := c.throughput()
		if !ok {
			f.dropped = append(f.dropped, c.Lock)
			continue
		}
		p.X = x(c)
		if c.Lock == o.empty() {
			f.limit.name = c.Lock
			f.limit.pts = append(f.limit.pts, p)
			continue
		}
		if byLock[c.Lock] == nil {
			byLock[c.Lock] = &course{name: c.Lock, look: looks[c.Lock]}
			order = append(order, c.Lock)
		}
		if _, dup := byLock[c.Lock].at(p.X); dup {
			continue // measured on another machine
		}
		byLock[c.Lock].pts = append(byLock[c.Lock].pts, p)
		f.xs = append(f.xs, p.X)
	}
	slices.Sort(order)
	for _, name := range order {
		c := *byLock[name]
		sortPoints(c.pts)
		f.locks = append(f.locks, c)
	}
	sortPoints(f.limit.pts)
	slices.Sort(f.xs)
	f.xs = slices.Compact(f.xs)
	return f
}

func sortPoints(pts []point) {
	slices.SortFunc(pts, func(a, b point) int { return cmp.Compare(a.X, b.X) })
}

// ranked sorts the locks by their throughput at x, the best first; those without a
// point there come last, by their point nearest below x.
func (f family) ranked(x float64) []course {
	height := func(c course) (here bool, y float64) {
		if p, ok := c.at(x); ok {
			return true, p.Y
		}
		return false, c.pts[len(c.pts)-1].Y
	}
	locks := slices.Clone(f.locks)
	slices.SortStableFunc(locks, func(a, b course) int {
		ha, ya := height(a)
		hb, yb := height(b)
		if ha != hb {
			if ha {
				return -1
			}
			return 1
		}
		return cmp.Compare(yb, ya)
	})
	return locks
}

// leaders returns the locks, ranked at x, that may be the best: the first, and all
// whose interval overlaps the first's.
func leaders(ranked []course, x float64) []course {
	if len(ranked) == 0 {
		return nil
	}
	first, ok := ranked[0].at(x)
	if !ok {
		return nil
	}
	out := ranked[:1:1]
	for _, c := range ranked[1:] {
		if p, ok := c.at(x); ok && p.overlaps(first) {
			out = append(out, c)
		}
	}
	return out
}

// top returns the highest throughput of any lock.
func (f family) top() (hi float64) {
	for _, c := range f.locks {
		for _, p := range c.pts {
			hi = max(hi, p.Y)
		}
	}
	return hi
}

// scaled returns the course with its values multiplied.
func (c course) scaled(by float64) course {
	c.pts = slices.Clone(c.pts)
	for i := range c.pts {
		c.pts[i] = c.pts[i].scaled(by)
	}
	return c
}

// spanning reports whether throughputs differ so much that only a logarithmic
// scale shows the low ones.
func spanning(lo, hi float64) bool { return hi > 60*lo }

// spanning reports whether the throughputs of f do.
func (f family) spanning() bool {
	lo, hi := math.Inf(1), 0.0
	for _, c := range slices.Concat(f.locks, f.others) {
		for _, p := range c.pts {
			lo, hi = min(lo, p.Y), max(hi, p.Y)
		}
	}
	return spanning(lo, hi)
}

// limitIn returns the empty lock's throughput if it can be drawn without compressing
// the others.
func (f family) limitIn() []point {
	if len(f.limit.pts) == 0 {
		return nil
	}
	for _, p := range f.limit.pts {
		if p.Y > 1.6*f.top() {
			return nil
		}
	}
	return f.limit.pts
}

// notes explains the empty lock's throughput, and says what was left out.
func (f family) notes(sc scale, x float64, where string) []string {
	var notes []string
	if p, ok := f.limit.at(x); ok {
		s := fmt.Sprintf("%s, an empty lock, reaches %s %s %s: what the harness itself allows", f.limit.name, number(p.Y*sc.factor), sc.unit, where)
		if f.limitIn() != nil {
			s += " (dotted)"
		}
		notes = append(notes, s+".")
	}
	return append(notes, leftOut(f.dropped, "no throughput above zero")...)
}

// leftOut says which locks are missing from a figure.
func leftOut(names []string, why string) []string {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []string{fmt.Sprintf("Left out, with %s: %s.", why, strings.Join(slices.Compact(names), ", "))}
}

// emphasisOf returns how prominently to draw the lock with that name; the first of loud
// is the best, and the others are tied with it.
func emphasisOf(name string, loud []string, o Options) emphasis {
	switch {
	case len(loud) > 0 && name == loud[0]:
		return best
	case name == o.reference():
		return reference
	case slices.Contains(loud, name):
		return tied
	}
	return muted
}

// lines draws the family as a line chart. at is the x at which locks are ranked, loud
// the names of the best.
func (f family) lines(at float64, loud []string, sc scale, o Options) lineChart {
	ch := lineChart{
		yLabel: "throughput",
		yUnit:  sc.unit,
		yLog:   f.spanning(),
		value:  number,
		shaded: math.NaN(),
	}
	for i, c := range slices.Concat(f.ranked(at), f.others) {
		l := line{
			name:     c.name,
			label:    c.label(),
			look:     c.look,
			emphasis: emphasisOf(c.name, loud, o),
			rank:     i,
			pts:      c.scaled(sc.factor).pts,
		}
		switch {
		case c.machine != "":
			l.origin, l.emphasis = another, min(l.emphasis, tied)
		case len(f.others) > 0:
			l.origin = itself
		}
		ch.lines = append(ch.lines, l)
	}
	ch.limit.pts = course{pts: f.limitIn()}.scaled(sc.factor).pts
	return ch
}

// linesHeight returns the height of a line chart of n lines that has room for
// all their labels.
func linesHeight(n int) vg.Length { return max(340, vg.Length(n)*labelHeight+80) }

// rowsOf draws the family as rows, with a dot for each x, ranked at x = at.
func (f family) rowsOf(at float64, loud []string, sc scale, marks []mark, o Options) rowChart {
	ch := rowChart{
		marks:  marks,
		names:  true,
		joined: true,
		xLabel: "throughput",
		xUnit:  sc.unit,
		log:    f.spanning(),
		tick:   short,
	}
	if p, ok := (course{pts: f.limitIn()}).at(at); ok {
		ch.limit, ch.limited = p.Y*sc.factor, f.limit.name
	}
	add := func(c course, e emphasis) {
		c = c.scaled(sc.factor)
		r := row{name: c.name, label: c.label(), emphasis: e}
		for _, x := range f.xs {
			p, _ := c.at(x)
			r.dots = append(r.dots, p)
		}
		ch.rows = append(ch.rows, r)
	}
	ranked := f.ranked(at)
	for _, c := range ranked {
		add(c, emphasisOf(c.name, loud, o))
		for _, other := range f.others { // below the same lock
			if other.name == c.name {
				add(other, muted)
			}
		}
	}
	for _, other := range f.others {
		if !slices.ContainsFunc(ranked, func(c course) bool { return c.name == other.name }) {
			add(other, muted)
		}
	}
	return ch
}

// column returns the column of the values at f.xs[i].
func (f family) column(ch rowChart, i int, head string) column {
	col := column{head: head}
	for _, r := range ch.rows {
		col.cells = append(col.cells, number(r.dots[i].Y))
	}
	return col
}

// gains returns the column of the last dot's value as a multiple of the first's. It is
// an alarm if the intervals show a loss.
func gains(ch rowChart, head string) column {
	col := column{head: head}
	for _, r := range ch.rows {
		a, b := r.dots[0], r.dots[len(r.dots)-1]
		cell, loss := "–", false
		if finite(a.Y) && finite(b.Y) && a.Y > 0 {
			cell = "×" + hundredths(b.Y/a.Y)
			loss = b.hasInterval() && b.Hi < a.Lo
		}
		col.cells = append(col.cells, cell)
		col.alarm = append(col.alarm, loss)
	}
	return col
}

// values writes the values at x of locks, the first of which has the highest: "18.6
// Mops/s", or "17.8–18.6 Mops/s".
func values(locks []course, x float64, sc scale) string {
	hi, _ := locks[0].at(x)
	lo := hi
	for _, c := range locks {
		if p, _ := c.at(x); p.Y < lo.Y {
			lo = p
		}
	}
	s := number(hi.Y * sc.factor)
	if low := number(lo.Y * sc.factor); low != s {
		s = low + "–" + s
	}
	return s + noBreak + sc.unit
}

// headline says which locks are the best, and how good they are.
func headline(ranked []course, x float64, where string, sc scale) (title string, loud []string) {
	first := leaders(ranked, x)
	if len(first) == 0 {
		return "throughput", nil
	}
	for _, c := range first {
		loud = append(loud, c.name)
	}
	value := values(first, x, sc)
	switch {
	case most(len(first), len(ranked)):
		return fmt.Sprintf("%d of %d locks cannot be told apart %s: %s", len(first), len(ranked), where, value), nil
	case len(ranked) == 1:
		title = fmt.Sprintf("%s reaches %s %s", loud[0], value, where)
	case !tellable(ranked, x):
		return "Throughput " + where + ": too few samples to tell which lock is fastest", nil
	case len(first) == 1:
		title = fmt.Sprintf("%s is fastest %s: %s", loud[0], where, value)
	default:
		title = fmt.Sprintf("%s tie for fastest %s: %s", list(loud), where, value)
	}
	return title, loud
}

// tellable reports whether the samples suffice to say that the first of the ranked
// locks is the fastest at x: it and another one have intervals.
func tellable(ranked []course, x float64) bool {
	n := 0
	for _, c := range ranked {
		if p, _ := c.at(x); p.hasInterval() {
			n++
		}
	}
	first, _ := ranked[0].at(x)
	return first.hasInterval() && n > 1
}

// most reports whether n of all are so many that being one of them means little.
func most(n, all int) bool { return n > 3 && n > all/2 }

// ticksAt returns ticks exactly at xs.
func ticksAt(xs []float64, label func(float64) string) []plot.Tick {
	var ticks []plot.Tick
	for _, x := range xs {
		ticks = append(ticks, plot.Tick{Value: x, Label: label(x)})
	}
	return ticks
}

// skip says that nothing of a kind was drawn.
func skip(kind, why string) []Skipped { return []Skipped{{kind, why}} }

// skipShot says that one figure was not drawn.
func skipShot(kind string, s shot, why string) []Skipped {
	return skip(kind+" ("+s.conditions()+")", why)
}

// drawShots draws the figures of a kind: for each shot those that draw returns, or the
// reasons why it has none. draw is not called for a shot without cells.
func drawShots(kind string, all []shot, draw func(shot) ([]*Figure, []Skipped)) (figures []*Figure, skipped []Skipped) {
	for _, s := range all {
		if len(s.cells) == 0 {
			skipped = append(skipped, skipShot(kind, s, s.nothing())...)
			continue
		}
		drawn, lacking := draw(s)
		figures, skipped = append(figures, drawn...), append(skipped, lacking...)
	}
	return figures, skipped
}

// nothing returns why a shot without cells has no figure.
func (s shot) nothing() string {
	if s.thin {
		return fmt.Sprintf("%s CPUs came up too seldom for an interval: run again, or with a larger --count", s.distance)
	}
	return fmt.Sprintf("the CPUs' distance changed during all %s: run again, or with a larger --count", count(s.mixed, "sample"))
}
