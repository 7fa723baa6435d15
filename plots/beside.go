package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/results"
)

// ReadsBeside draws throughput over the percentage of reads as [Reads] does, for all
// CPU counts, near and far CPUs, in panels side by side that share their axis. It shows
// how much a second CPU gains for readers, and how much of that remains if the CPUs are
// far from each other.
func ReadsBeside(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "throughput over reads, side by side"
	all := cells(sums, o.Facts)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	looks := looks(sums, o)
	var order []scene
	panels := make(map[scene][]panel)
	for _, s := range shots(all, readsScene) {
		f := s.family(func(c cell) float64 { return float64(c.Reads) }, looks, o)
		if len(f.xs) < 3 || len(f.locks) == 0 {
			continue
		}
		common := s.scene
		common.over, common.distance = "reads and cpus", results.Unknown
		common.perCPU, common.Workers, common.CPUs = cmp.Or(s.Workers/max(s.CPUs, 1), 1), 0, 0
		if panels[common] == nil {
			order = append(order, common)
		}
		panels[common] = append(panels[common], panel{s, f})
	}
	var figures []*Figure
	var skipped []Skipped
	for _, s := range order {
		slices.SortStableFunc(panels[s], func(a, b panel) int { return cmp.Compare(a.shot.CPUs, b.shot.CPUs) })
		locks := 0
		for _, p := range panels[s] {
			locks = max(locks, len(p.locks))
		}
		switch {
		case locks > mostBeside:
			skipped = append(skipped, Skipped{kind + " (" + s.conditions() + ")", fmt.Sprintf("%d locks, of which a narrow panel can show %d: choose some with --locks", locks, mostBeside)})
		case len(panels[s]) > 1:
			figures = append(figures, s.beside(panels[s], o))
		}
	}
	if len(skipped) > 0 {
		return figures, skipped
	}
	if len(figures) == 0 {
		return nil, skip(kind, "no three percentages of reads on several CPU counts: run with --cpus 1,2 --reads 0,50,90,99,100")
	}
	return figures, nil
}

// ThroughputBeside draws throughput over the number of CPUs as [Throughput] does
// for one or two counts, for near and far CPUs side by side. The rows are in the
// order of the near ones.
func ThroughputBeside(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "throughput over CPUs, side by side"
	all := cells(sums, o.Facts)
	if len(all) == 0 {
		return nil, skip(kind, "no samples")
	}
	looks := looks(sums, o)
	var order []scene
	panels := make(map[scene][]panel)
	for _, s := range shots(all, scalingScene(all)) {
		f := s.family(func(c cell) float64 { return float64(c.CPUs) }, looks, o)
		if s.distance != results.Near && s.distance != results.Far || len(f.xs) > 2 || len(f.locks) == 0 {
			continue
		}
		common := s.scene
		common.distance = results.Unknown
		if panels[common] == nil {
			order = append(order, common)
		}
		panels[common] = append(panels[common], panel{s, f}) // near first, as shots are
	}
	var figures []*Figure
	for _, s := range order {
		if len(panels[s]) == 2 {
			figures = append(figures, s.rowsBeside(panels[s], o))
		}
	}
	if len(figures) == 0 {
		return nil, skip(kind, "no one or two CPU counts at which CPUs were both near and far")
	}
	return figures, nil
}

// rowsBeside draws one figure, with a panel for near CPUs and one for far ones.
func (s scene) rowsBeside(panels []panel, o Options) *Figure {
	fig := &Figure{Name: s.name("throughput-beside"), Width: besideWidth}
	all := shot{scene: s}
	near := panels[0]
	at := near.xs[len(near.xs)-1]
	sc := opsScale(max(near.top(), panels[1].top()))
	whole := family{locks: slices.Concat(near.locks, panels[1].locks)}
	lo, hi := math.Inf(1), math.Inf(-1)
	var titles []string
	rank := make(map[string]int)
	for i, c := range near.ranked(at) {
		rank[c.name] = i
	}
	for i, p := range panels {
		all.cells = append(all.cells, p.shot.cells...)
		all.mixed, all.busy = max(all.mixed, p.shot.mixed), max(all.busy, p.shot.busy)
		for _, note := range p.shot.missing() {
			fig.Notes = append(fig.Notes, string(p.shot.distance)+" CPUs: "+note)
		}
		title, loud := headline(p.ranked(at), at, fmt.Sprintf("on %s, %s", strings.ReplaceAll(count(int(at), "CPU"), " ", noBreak), p.shot.distance), sc)
		titles = append(titles, title)
		p.locks = slices.DeleteFunc(p.locks, func(c course) bool { _, ok := rank[c.name]; return !ok })
		ch := p.rowsOf(at, loud, sc, cpuMarks(p.xs, oversubscribed(p.shot.cells)), o)
		for _, c := range near.locks {
			if !slices.ContainsFunc(ch.rows, func(r row) bool { return r.name == c.name }) {
				ch.rows = append(ch.rows, row{name: c.name, dots: slices.Repeat([]point{unmeasured}, len(p.xs))})
			}
		}
		slices.SortStableFunc(ch.rows, func(a, b row) int { return cmp.Compare(rank[a.name], rank[b.name]) })
		ch.title, ch.names, ch.log = string(p.shot.distance), i == 0, whole.spanning()
		for j, x := range p.xs {
			ch.columns = append(ch.columns, p.column(ch, j, count(int(x), "CPU")))
		}
		if len(p.xs) == 2 {
			ch.columns = append(ch.columns, gains(ch, fmt.Sprintf("%v → %v", p.xs[0], p.xs[1])))
		}
		drawn := ch.plot()
		fig.Panels = append(fig.Panels, drawn)
		fig.Body = rowsHeight(len(ch.rows))
		lo, hi = min(lo, drawn.X.Min), max(hi, drawn.X.Max)
	}
	for _, p := range fig.Panels {
		p.X.Min, p.X.Max = lo, hi
	}
	fig.Title = strings.Join(titles, "; ")
	fig.Subtitle = all.subtitle(o)
	if p, ok := near.limit.at(at); ok {
		fig.Notes = append(fig.Notes, fmt.Sprintf("%s, an empty lock, reaches %s %s on %s: what the harness itself allows.", near.limit.name, number(p.Y*sc.factor), sc.unit, count(int(at), "CPU")))
	}
	return fig
}

// mostBeside is how many lines can be distinguished in a third of a figure.
const mostBeside = 12

// A panel is one of several in a figure.
type panel struct {
	shot shot
	family
}

// where returns what distinguishes a panel from the others.
func (p panel) where() string {
	where := count(p.shot.CPUs, "CPU")
	switch p.shot.distance {
	case results.Near, results.Far:
		where += ", " + string(p.shot.distance)
	case results.Unknown:
		if p.shot.blind {
			where += ", at an unknown distance"
		}
	}
	return where
}

// beside draws one figure, with a panel for each.
func (s scene) beside(panels []panel, o Options) *Figure {
	fig := &Figure{Name: s.name("reads-beside"), Width: besideWidth}
	all := shot{scene: s}
	var whole family // of all panels
	for _, p := range panels {
		all.cells = append(all.cells, p.shot.cells...)
		all.mixed, all.busy = max(all.mixed, p.shot.mixed), max(all.busy, p.shot.busy)
		whole.locks = append(whole.locks, p.locks...)
		if top := p.family.limit; len(top.pts) > 0 {
			whole.limit = top
		}
		for _, note := range p.shot.missing() {
			fig.Notes = append(fig.Notes, p.where()+": "+note)
		}
	}
	sc := opsScale(whole.top())
	fig.Title = besideTitle(panels, sc)
	fig.Subtitle = all.subtitle(o)

	charts := make([]lineChart, len(panels))
	most := 0
	for i, p := range panels {
		last := p.xs[len(p.xs)-1]
		ch := p.lines(last, nil, sc, o)
		ch.yLog = whole.spanning()
		ch.panel = p.where()
		ch.unnamed = i < len(panels)-1
		ch.head = fmt.Sprintf("at %v %%", last)
		for j := range ch.lines {
			if ch.lines[j].emphasis == muted {
				ch.lines[j].emphasis = tied // the best of a panel need not be the best of all
			}
			p.step(ch.lines[j].pts)
		}
		p.step(ch.limit.pts)
		for j, x := range p.xs {
			ch.xTicks = append(ch.xTicks, plot.Tick{Value: float64(j), Label: short(x)})
		}
		ch.xLabel = "reads (%)"
		charts[i] = ch
		most = max(most, len(ch.lines))
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, ch := range charts {
		p := ch.plot()
		fig.Panels = append(fig.Panels, p)
		lo, hi = min(lo, p.Y.Min), max(hi, p.Y.Max)
	}
	for _, p := range fig.Panels {
		p.Y.Min, p.Y.Max = lo, hi
	}
	axis := "throughput in " + sc.unit
	if whole.spanning() {
		axis += ", log scale"
	} else if lo > 0 {
		axis += ", not from 0"
	}
	fig.Subtitle[0] += " · " + strings.ReplaceAll(axis, " ", noBreak)
	if slices.ContainsFunc(charts, func(ch lineChart) bool { return len(ch.limit.pts) > 0 }) {
		fig.Notes = append(fig.Notes, fmt.Sprintf("Dotted: %s, an empty lock. That is what the harness itself allows.", whole.limit.name))
	}
	fig.Body = besideHeight(most)
	return fig
}

// besideWidth is the width of a figure with panels side by side.
const besideWidth = 900

func besideHeight(n int) vg.Length { return max(300, vg.Length(n)*labelHeight+80) }

// besideTitle says which lock is the fastest at the most reads on the most CPUs,
// where they are near and where they are far.
func besideTitle(panels []panel, sc scale) string {
	cpus := panels[len(panels)-1].shot.CPUs
	type finding struct{ where, who, value string }
	var found []finding
	last := 0.0
	for _, p := range panels {
		if p.shot.CPUs != cpus {
			continue
		}
		last = p.xs[len(p.xs)-1]
		ranked := p.ranked(last)
		first := leaders(ranked, last)
		f := finding{where: string(p.shot.distance), value: values(first, last, sc)}
		switch {
		case !tellable(ranked, last):
			continue
		case most(len(first), len(ranked)):
			f.who = fmt.Sprintf("%d of %d locks cannot be told apart", len(first), len(ranked))
		case len(first) == 1:
			f.who = first[0].name + " is fastest"
		default:
			var names []string
			for _, c := range first {
				names = append(names, c.name)
			}
			f.who = list(names) + " tie for fastest"
		}
		found = append(found, f)
	}
	at := fmt.Sprintf("%s at %s%s%%"+noBreak+"reads", count(cpus, "CPU"), short(last), noBreak)
	switch {
	case len(found) == 0:
		return "Throughput on " + at + ": too few samples to tell which lock is fastest"
	case len(found) == 1:
		return strings.TrimSpace(fmt.Sprintf("%s on %s: %s %s", found[0].who, at, found[0].value, found[0].where))
	case found[0].who == found[1].who:
		return fmt.Sprintf("%s on %s: %s %s, %s %s", found[0].who, at, found[0].value, found[0].where, found[1].value, found[1].where)
	}
	return fmt.Sprintf("On %s, %s: %s, %s; %s: %s, %s", at,
		found[0].where, found[0].who, found[0].value, found[1].where, found[1].who, found[1].value)
}

// A panelName is the name of one of several panels, above it.
type panelName struct{ text string }

// GlyphBoxes reserves the strip above the data.
func (panelName) GlyphBoxes(*plot.Plot) []plot.GlyphBox { return above(strip) }

// Plot writes the name.
func (n panelName) Plot(c draw.Canvas, p *plot.Plot) {
	sansBold(10.5).write(c, vg.Point{X: c.Min.X, Y: headBase(c)}, 0, ink, n.text)
}
