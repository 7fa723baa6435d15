package plots

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/results"
)

// Load draws how long workers wait over the load, if operations arrive on a schedule:
// the median at the left, the 99th percentile at the right, on one logarithmic axis,
// with separate figures for writers and readers. The lock whose workers wait least at
// the highest load is drawn most prominently.
//
// A lock that is saturated at a load has no point there, since its wait depends only on
// how long was measured. The figure names it.
func Load(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "latency over load"
	all := slices.DeleteFunc(cells(sums, o.Facts), func(c cell) bool { return !c.Open() })
	if len(all) == 0 {
		return nil, nil // not asked for, so not missing
	}
	looks := looks(sums, o)
	return drawShots(kind, shots(all, loadScene), func(s shot) (figures []*Figure, skipped []Skipped) {
		loads := make(map[string]bool)
		for _, c := range s.cells {
			loads[c.Cell.Load] = true
		}
		if len(loads) < 2 {
			return nil, skipShot(kind, s, "only one load: run with --load 0.5,0.8,0.95")
		}
		for _, role := range roles {
			if fig := s.load(role.unit, role.noun, looks, o); fig != nil {
				figures = append(figures, fig)
			}
		}
		return figures, nil
	})
}

// loadScene returns the scene of a cell in a figure over loads, or over rates.
func loadScene(c cell) scene {
	s := scene{Cell: c.Cell, over: "load"}
	if _, rate, _ := c.Arrivals(); rate {
		s.over = "rate"
	}
	s.Load = ""
	return s
}

// saturated reports whether operations arrived faster than they were served.
func (c cell) saturated() bool { return c.units["saturated"].Saturated() }

// withoutSaturated returns the cells that are not saturated, and notes on the others.
func withoutSaturated(all []cell) (rest []cell, notes []string) {
	at := make(map[string]string)
	for _, c := range all {
		switch words, ok := at[c.Lock]; {
		case !c.saturated():
			rest = append(rest, c)
		case !ok:
			at[c.Lock] = c.Lock + " at " + strings.ReplaceAll(c.LoadWords(), " ", noBreak)
		default:
			at[c.Lock] = words + " and " + strings.TrimPrefix(c.LoadWords(), "load ")
		}
	}
	if len(at) == 0 {
		return rest, nil
	}
	words := slices.Sorted(maps.Values(at))
	return rest, []string{"Left out, as the queue grew without end: " + strings.Join(words, "; ") + "."}
}

// load draws one figure, or nil if no lock has a wait in the role.
func (s shot) load(unit, noun string, looks map[string]look, o Options) *Figure {
	served, notes := withoutSaturated(s.cells)
	var xs, ys []float64
	course := func(i int) (lines []line, limit []point) {
		by := make(map[string]*line)
		for _, c := range served {
			p, ok := c.in(unit+percentiles[i].unit, false)
			if !ok {
				continue
			}
			p.X, _, _ = c.Arrivals()
			xs, ys = append(xs, p.X), append(ys, p.Y)
			if p.hasInterval() {
				ys = append(ys, p.Lo, p.Hi)
			}
			if c.Lock == o.empty() {
				limit = append(limit, p)
				continue
			}
			if by[c.Lock] == nil {
				by[c.Lock] = &line{name: c.Lock, look: looks[c.Lock]}
			}
			by[c.Lock].pts = append(by[c.Lock].pts, p)
		}
		for _, l := range by {
			sortPoints(l.pts)
			lines = append(lines, *l)
		}
		sortPoints(limit)
		return lines, limit
	}
	medians, medianLimit := course(0)
	tails, tailLimit := course(tail)
	if len(tails) == 0 {
		return nil
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	last := xs[len(xs)-1]
	// Lines that go furthest come first, and among these those with the shortest waits.
	slices.SortFunc(tails, func(a, b line) int {
		return cmp.Or(cmp.Compare(b.end().X, a.end().X), cmp.Compare(a.end().Y, b.end().Y), cmp.Compare(a.name, b.name))
	})
	var loud []string
	for _, l := range tails {
		if !tails[0].end().hasInterval() && len(tails) > 1 {
			break
		}
		if l.end().X == tails[0].end().X && (len(loud) == 0 || l.end().overlaps(tails[0].end())) {
			loud = append(loud, l.name)
		}
	}
	rank := make(map[string]int)
	for i, l := range tails {
		rank[l.name] = i
	}

	word := func(x float64) string {
		if s.over == "rate" {
			return short(x*opsScale(x).factor) + strings.TrimSuffix(opsScale(x).unit, "ops/s")
		}
		return short(x)
	}
	fig := &Figure{
		Name:     s.name(s.over + "-" + noun),
		Title:    loadTitle(tails, loud, noun, s.arrival(tails[0].end().X, word)),
		Subtitle: s.subtitle(o),
		blind:    s.blind,
		Notes:    append(notes, s.missing()...),
		Width:    figureWidth,
		Body:     linesHeight(len(tails)),
	}
	if len(tailLimit) > 0 {
		fig.Notes = append(fig.Notes, fmt.Sprintf("Dotted: %s, an empty lock, by which the harness and the machine let operations wait.", o.empty()))
	}
	for i, lines := range [][]line{medians, tails} {
		ch := lineChart{
			xLabel:  "load (share of what the lock reaches)",
			xTicks:  ticksAt(xs, word),
			yLabel:  percentiles[i*tail].mark.name + " of waits",
			yLog:    true,
			yTick:   nanosTick,
			scope:   ys,
			value:   nanos,
			shaded:  math.NaN(),
			head:    "at " + s.arrival(last, word),
			unnamed: i == 0,
		}
		if s.over == "rate" {
			ch.xLabel, ch.xLog = "arrivals in a second (log scale)", true
		}
		ch.limit.pts = medianLimit
		if i == 1 {
			ch.limit.pts = tailLimit
		}
		for _, l := range lines {
			if l.end().X != last {
				ch.head = "at its end"
			}
			l.rank, l.emphasis = rank[l.name], emphasisOf(l.name, loud, o)
			ch.lines = append(ch.lines, l)
		}
		slices.SortFunc(ch.lines, func(a, b line) int { return cmp.Compare(a.rank, b.rank) })
		fig.Panels = append(fig.Panels, ch.plot())
	}
	return fig
}

// arrival says how operations arrive at x.
func (s scene) arrival(x float64, word func(float64) string) string {
	if s.over == "rate" {
		return word(x) + noBreak + "arrivals/s"
	}
	return "load" + noBreak + word(x)
}

// loadTitle says how long workers wait for the best lock and those tied with it, and
// for the worst.
func loadTitle(tails []line, loud []string, noun, where string) string {
	first, last := tails[0], tails[0]
	longest := 0.0
	for _, l := range tails {
		if l.end().X != first.end().X {
			break
		}
		last = l
		if slices.Contains(loud, l.name) {
			longest = max(longest, l.end().Y)
		}
	}
	subject := list(loud)
	if most(len(loud), len(tails)) {
		subject = fmt.Sprintf("%d of %d locks", len(loud), len(tails))
	}
	if len(loud) == 0 {
		return fmt.Sprintf("At %s, 99"+noBreak+"%% of %s wait %s or longer; too few samples to tell for which lock the least", where, noun, nanos(first.end().Y))
	}
	title := fmt.Sprintf("%s: at %s, 99"+noBreak+"%% of %s wait at most %s", subject, where, noun, nanos(longest))
	if !slices.Contains(loud, last.name) {
		title += fmt.Sprintf("; %s: %s", last.name, nanos(last.end().Y))
	}
	return title
}

// Distribution draws how all waits of a role are distributed, up to the longest: each
// wait over the share of operations that wait no longer, in steps of nines. All samples
// count together. A share is drawn if at least ten operations wait longer.
func Distribution(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "distribution of waits"
	if len(o.Waits) == 0 {
		return nil, nil // what is not asked for is not missing
	}
	type key struct {
		results.Cell
		distance       results.Distance
		oversubscribed bool
		role           string
	}
	waits := make(map[key]results.Wait)
	for _, d := range o.Waits {
		waits[key{d.Cell, d.Distance, d.Oversubscribed, d.Role}] = d.Wait
	}
	all := slices.DeleteFunc(cells(sums, o.Facts), func(c cell) bool {
		return !slices.ContainsFunc(roles, func(r role) bool {
			_, ok := waits[key{c.Cell, c.distance, c.oversubscribed, r.key()}]
			return ok
		})
	})
	looks := looks(sums, o)
	return drawShots(kind, shots(all, cellScene), func(s shot) (figures []*Figure, skipped []Skipped) {
		for _, r := range roles {
			of := func(c cell) (results.Wait, bool) {
				w, ok := waits[key{c.Cell, c.distance, c.oversubscribed, r.key()}]
				return w, ok
			}
			if fig := s.distribution(r, of, looks, o); fig != nil {
				figures = append(figures, fig)
			}
		}
		return figures, nil
	})
}

// nines are the shares at which a distribution has ticks, by their number of nines;
// after the last comes the longest wait.
var nines = []plot.Tick{
	{Value: 0, Label: "0"}, {Value: math.Log10(2), Label: "50 %"}, {Value: 1, Label: "90 %"}, {Value: 2, Label: "99 %"},
	{Value: 3, Label: "99.9 %"}, {Value: 4, Label: "99.99 %"}, {Value: 4.6, Label: "longest"},
}

// distribution draws one figure, or nil if no lock has waits.
func (s shot) distribution(r role, of func(cell) (results.Wait, bool), looks map[string]look, o Options) *Figure {
	served, notes := withoutSaturated(s.cells)
	longest := nines[len(nines)-1].Value
	ch := lineChart{
		xLabel: "share of " + r.noun + " that wait no longer",
		xTicks: nines,
		yLabel: "wait",
		yUnit:  s.waitKind(),
		yLog:   true,
		yTick:  nanosTick,
		value:  nanos,
		shaded: math.NaN(),
		head:   "longest",
		curves: true,
	}
	operations := int64(math.MaxInt64)
	at := make(map[string]results.Wait)
	for _, c := range served {
		w, ok := of(c)
		if !ok {
			continue
		}
		l := line{name: c.Lock, look: looks[c.Lock]}
		n := w.Operations()
		for x := 0.0; x <= min(4, math.Log10(float64(n)/10))+1e-9; x += .05 {
			l.pts = append(l.pts, point{X: x, Y: float64(w.Quantile(1 - math.Pow(10, -x))), Lo: math.NaN(), Hi: math.NaN()})
		}
		l.pts = append(l.pts, point{X: longest, Y: float64(w.Quantile(1)), Lo: math.NaN(), Hi: math.NaN()})
		if c.Lock == o.empty() {
			ch.limit.pts = l.pts
			notes = append(notes, fmt.Sprintf("Dotted: %s, an empty lock, by which the harness and the machine let operations wait.", c.Lock))
			continue
		}
		operations = min(operations, n)
		at[c.Lock] = w
		ch.lines = append(ch.lines, l)
	}
	if len(ch.lines) == 0 {
		return nil
	}
	// Locks are ranked by the last of the nines that all have.
	p, word := .5, "50"
	for _, nine := range []struct {
		p    float64
		word string
	}{{.9, "90"}, {.99, "99"}, {.999, "99.9"}} {
		if float64(operations)*(1-nine.p) >= 10 {
			p, word = nine.p, nine.word
		}
	}
	slices.SortFunc(ch.lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(at[a.name].Quantile(p), at[b.name].Quantile(p)), cmp.Compare(a.name, b.name))
	})
	first, last := ch.lines[0].name, ch.lines[len(ch.lines)-1].name
	wait := func(name string) string { return nanos(float64(at[name].Quantile(p))) }
	for i := range ch.lines {
		ch.lines[i].rank, ch.lines[i].emphasis = i, emphasisOf(ch.lines[i].name, []string{first}, o)
	}
	title := fmt.Sprintf("%s: %s"+noBreak+"%% of %s wait at most %s", first, word, r.noun, wait(first))
	if last != first {
		title += fmt.Sprintf("; %s: %s", last, wait(last))
	}
	subtitle := s.subtitle(o)
	subtitle[1] = strings.Replace(subtitle[1], medians(s.cells), fmt.Sprintf("All operations of all samples: %s or more of each lock.", count(int(operations), "operation")), 1)
	return &Figure{
		Name:     s.name("waits-" + r.noun),
		Title:    title,
		Subtitle: subtitle,
		blind:    s.blind,
		Notes:    append(notes, s.missing()...),
		Width:    figureWidth,
		Panels:   []*plot.Plot{ch.plot()},
		Body:     linesHeight(len(ch.lines)),
	}
}

// waitKind says what a wait means in the scene.
func (s scene) waitKind() string {
	if s.Open() {
		return "from the scheduled arrival"
	}
	return "service time to acquire"
}
