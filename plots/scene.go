package plots

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A cell is all measurements of one results.Cell at one distance.
type cell struct {
	results.Cell
	distance       results.Distance
	oversubscribed bool
	units          map[string]results.Summary
	exact          bool // one simulated sample, which does not vary: its interval is its value
}

// cells gathers the summaries of each cell, of the machine of facts. A cell that was
// measured both oversubscribed and not, on two machines, gives two.
func cells(sums []results.Summary, facts results.Facts) []cell {
	_, simulated := facts.Simulated()
	type key struct {
		results.Cell
		distance       results.Distance
		oversubscribed bool
	}
	all := make(map[key]cell)
	for _, s := range sums {
		k := key{s.Cell, s.Distance, s.Oversubscribed}
		c, ok := all[k]
		if !ok {
			c = cell{s.Cell, s.Distance, s.Oversubscribed, make(map[string]results.Summary), simulated && s.N == 1}
			all[k] = c
		}
		if c.exact {
			s.Lo, s.Hi = s.Median, s.Median
		}
		c.units[s.Unit] = s
	}
	return slices.SortedFunc(maps.Values(all), func(a, b cell) int {
		return cmp.Or(
			a.Cell.Compare(b.Cell),
			cmp.Compare(a.distance, b.distance),
			cmp.Compare(fmt.Sprint(a.oversubscribed), fmt.Sprint(b.oversubscribed)),
		)
	})
}

// samples returns the number of samples of the cell.
func (c cell) samples() (n int) {
	for _, s := range c.units {
		n = max(n, s.N)
	}
	return n
}

// in returns the value of the cell in unit. ok is false if it has none, or if the
// median is not above zero, unless it is zero and zero is set. Numbers that no clock
// can have measured do not count either, since they would leave no room for the others.
func (c cell) in(unit string, zero bool) (p point, ok bool) {
	const least, most = 1e-9, 1e18
	s, ok := c.units[unit]
	if !ok || !(s.Median >= least && s.Median <= most || s.Median == 0 && zero) {
		return unmeasured, false
	}
	p = point{Y: s.Median, Lo: s.Lo, Hi: s.Hi}
	if !p.hasInterval() || p.Lo > p.Y || p.Hi < p.Y || !zero && p.Lo < least || p.Hi > most {
		p.Lo, p.Hi = math.NaN(), math.NaN()
	}
	return p, true
}

// throughput returns the cell's operations per second.
func (c cell) throughput() (p point, ok bool) {
	if p, ok := c.in("ops/s", false); ok {
		return p, true
	}
	p, ok = c.in("ns/op", false)
	if !ok {
		return unmeasured, false
	}
	// The shorter the time, the higher the throughput: the bounds are swapped.
	return point{Y: 1e9 / p.Y, Lo: 1e9 / p.Hi, Hi: 1e9 / p.Lo}, true
}

// A scene is what all cells of a figure share. Its cell has zeros for the lock and for
// the dimensions over which the figure is drawn.
type scene struct {
	results.Cell
	perCPU   int // workers per CPU, if the cells share that; otherwise 0
	distance results.Distance

	over string // the dimensions that the figure is drawn over: "cpus", "reads", "reads and cpus", "load", "rate" or ""
}

// cellScene returns the scene of a cell in a figure of the locks of one scenario.
func cellScene(c cell) scene { return scene{Cell: c.Cell} }

// isOver reports whether the figure is drawn over a dimension.
func (s scene) isOver(dimension string) bool { return strings.Contains(s.over, dimension) }

// name returns the conditions in the form of a file name.
func (s scene) name(kind string) string {
	parts := []string{kind}
	add := func(key, value string) { parts = append(parts, key+"="+fileWord(value)) }
	if !s.isOver("cpus") {
		add("cpus", fmt.Sprint(s.CPUs))
	}
	if !s.isOver("reads") && !s.Roles() {
		add("reads", fmt.Sprint(s.Reads))
	}
	switch {
	case s.Roles():
		if !s.isOver("readers") {
			add("readers", fmt.Sprint(s.Readers))
		}
		add("writers", fmt.Sprint(s.Writers))
	case s.perCPU > 0:
		add("workers", fmt.Sprintf("%d-per-cpu", s.perCPU))
	default:
		add("workers", fmt.Sprint(s.Workers))
	}
	add("hold", s.Hold.String())
	add("think", s.Think.String())
	for _, opt := range []struct{ key, value string }{
		{"workload", s.Workload}, {"work", s.Work}, {"mode", s.Mode}, {"load", s.Load}, {"gc", s.GC}, {"place", s.Place},
	} {
		if opt.value != "" {
			add(opt.key, opt.value)
		}
	}
	if s.distance != results.Unknown {
		parts = append(parts, fileWord(string(s.distance)))
	}
	return strings.Join(parts, "_")
}

// fileWord returns s with only those characters that all file systems allow.
func fileWord(s string) string {
	s = strings.ReplaceAll(s, "µ", "u")
	return strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', r == '.', r == '-':
			return r
		}
		return '-'
	}, s)
}

// conditions returns the conditions in words.
func (s scene) conditions() string {
	var words []string
	add := func(format string, args ...any) {
		words = append(words, strings.ReplaceAll(fmt.Sprintf(format, args...), " ", noBreak))
	}
	if !s.isOver("cpus") {
		add("%s", count(s.CPUs, "CPU"))
	}
	if !s.isOver("reads") && !s.Roles() {
		add("%d %% reads", s.Reads)
	}
	switch {
	case s.Roles():
		if !s.isOver("readers") {
			add("%s", count(s.Readers, "reader"))
		}
		add("%s", count(s.Writers, "writer"))
	case s.perCPU > 0:
		add("%s per CPU", count(s.perCPU, "worker"))
	default:
		add("%s", count(s.Workers, "worker"))
	}
	add("hold %s", duration(s.Hold))
	add("think %s", duration(s.Think))
	if s.Workload != "" {
		add("workload %s", s.Workload)
	}
	if s.Work != "" {
		add("work %s", s.Work)
	}
	if s.Mode != "" {
		add("%s mode", s.Mode)
	}
	if s.Open() {
		add("%s", s.LoadWords())
	}
	if s.GC != "" {
		add("GC %s", s.GC)
	}
	if s.Place != "" {
		add("place %s", s.Place)
	}
	switch s.distance {
	case results.Near, results.Far:
		add("%s CPUs", s.distance)
	}
	return strings.Join(words, " · ")
}

func duration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return nanosTick(float64(d))
}

// A shot is a scene with its cells, and what was left out of it.
type shot struct {
	scene
	cells  []cell
	mixed  int      // samples left out because the distance changed during them
	busy   int      // samples left out because their distance is unknown while that of others is known
	absent []string // locks of the scene that have no cell at this distance
	blind  bool     // the distance of this shot is unknown, although that of others is known
	few    []string // locks left out because they have too few samples for an interval, unlike others
	thin   bool     // all locks have too few samples, and the scene has other shots
}

// shots divides cells by scene, and each scene by distance. Cells for which the
// distance cannot matter (one CPU) belong to both near and far. A results.Cell is in a
// shot once.
//
// Samples at an unknown distance are left out of a scenario that has samples of near or
// far CPUs, unless only the former are enough for intervals: they would make more
// figures whose conditions are unknown.
//
// The shots with the most CPUs come first, and those with more CPUs than the machine
// has last.
func shots(all []cell, sceneOf func(cell) scene) []shot {
	var order []scene
	byScene := make(map[scene][]cell)
	for _, c := range all {
		s := sceneOf(c)
		s.Lock = ""
		if byScene[s] == nil {
			order = append(order, s)
		}
		byScene[s] = append(byScene[s], c)
	}
	probed := slices.ContainsFunc(all, func(c cell) bool { return c.distance != results.Unknown })
	var out []shot
	for _, s := range order {
		first := len(out)
		told := make(map[results.Cell]bool) // scenarios that have near or far samples
		blindly := slices.ContainsFunc(byScene[s], func(c cell) bool { return c.distance == results.Unknown && c.sure() })
		for _, c := range byScene[s] {
			if (c.distance == results.Near || c.distance == results.Far) && (c.sure() || !blindly) {
				told[c.Scenario()] = true
			}
		}
		mixed, busy := 0, 0
		have := make(map[results.Distance]bool)
		for _, c := range byScene[s] {
			switch {
			case c.distance == results.Mixed:
				mixed += c.samples()
			case c.distance == results.Unknown && told[c.Scenario()]:
				busy += c.samples()
			default:
				have[c.distance] = true
			}
		}
		elsewhere := have[results.Near] || have[results.Far] || have[results.Unknown]
		for _, d := range []results.Distance{results.Near, results.Far, results.Unknown, results.Local} {
			if !have[d] || d == results.Local && elsewhere {
				continue
			}
			shot := shot{scene: s, mixed: mixed, busy: busy, blind: d == results.Unknown && probed}
			shot.distance = d
			taken := make(map[results.Cell]bool)
			locks := make(map[string]bool)
			for _, d := range []results.Distance{d, results.Local} {
				for _, c := range byScene[s] {
					if d == results.Unknown && told[c.Scenario()] {
						continue
					}
					if c.distance == d && !taken[c.Cell] {
						shot.cells = append(shot.cells, c)
						taken[c.Cell], locks[c.Lock] = true, true
					}
				}
			}
			for _, c := range byScene[s] {
				if !locks[c.Lock] {
					shot.absent = append(shot.absent, c.Lock)
				}
			}
			shot.drop()
			out = append(out, shot)
		}
		seldom(out[first:])
		if len(have) == 0 { // all were mixed: a shot without cells, to report that
			s.distance = results.Mixed
			out = append(out, shot{scene: s, mixed: mixed})
		}
	}
	slices.SortStableFunc(out, func(a, b shot) int {
		return cmp.Or(
			cmp.Compare(fmt.Sprint(a.onlyOver()), fmt.Sprint(b.onlyOver())),
			cmp.Compare(b.CPUs, a.CPUs),
		)
	})
	return out
}

// sure reports whether a cell has enough samples for an interval.
func (c cell) sure() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(c.units)), func(s results.Summary) bool { return finite(s.Lo) && finite(s.Hi) })
}

// drop leaves out the cells with too few samples if another lock has enough: otherwise
// they would be ranked against it.
func (s *shot) drop() {
	sure := make(map[results.Cell]bool) // scenarios
	for _, c := range s.cells {
		sure[c.Scenario()] = sure[c.Scenario()] || c.sure()
	}
	s.cells = slices.DeleteFunc(s.cells, func(c cell) bool {
		out := sure[c.Scenario()] && !c.sure()
		if out {
			s.few = append(s.few, c.Lock)
		}
		return out
	})
}

// seldom leaves out shots of a scene that have too few samples of every lock, if there
// are other shots: that distance occurred only for a moment.
func seldom(shots []shot) {
	if !slices.ContainsFunc(shots, func(s shot) bool { return slices.ContainsFunc(s.cells, cell.contended) }) {
		return
	}
	for i := range shots {
		s := &shots[i]
		if s.distance != results.Local && !slices.ContainsFunc(s.cells, cell.contended) {
			s.cells, s.thin = nil, true
		}
	}
}

// contended reports whether a cell is of more than one CPU, and sure.
func (c cell) contended() bool { return c.distance != results.Local && c.sure() }

// onlyOver reports whether all CPU counts of the shot are oversubscribed.
func (s shot) onlyOver() bool {
	return !slices.ContainsFunc(s.cells, func(c cell) bool { return !c.oversubscribed })
}

// subtitle returns the lines below the title of a figure of the shot.
func (s shot) subtitle(o Options) []string {
	line := medians(s.cells)
	if m := o.machine(); m != "" {
		line += " " + m + "."
	}
	lines := []string{s.conditions(), line}
	if s.blind {
		lines[0] += " · CPUs" + noBreak + "at" + noBreak + "an" + noBreak + "unknown" + noBreak + "distance"
	}
	var out []string
	if s.mixed > 0 {
		out = append(out, count(s.mixed, "sample")+" during which the CPUs' distance changed")
	}
	if s.busy > 0 {
		out = append(out, count(s.busy, "sample")+" of unknown distance, taken while the machine was busy")
	}
	if len(out) > 0 {
		lines = append(lines, "Left out: "+list(out)+".")
	}
	return lines
}

// missing says which locks have no samples at the shot's distance.
func (s shot) missing() []string {
	why := "no samples of such CPUs"
	if s.distance == results.Near || s.distance == results.Far {
		why = fmt.Sprintf("no sample of %s CPUs", s.distance)
	}
	return append(leftOut(s.absent, why), leftOut(s.few, "fewer than the 6 samples that an interval needs")...)
}

// medians says of how many samples the medians are, and whether those suffice for
// intervals.
func medians(cells []cell) string {
	if len(cells) > 0 && !slices.ContainsFunc(cells, func(c cell) bool { return !c.exact }) {
		return "Simulated with one seed: exact for it, and another may differ; run with --count 6 for intervals."
	}
	lo, hi := math.MaxInt, 0
	without := 0
	for _, c := range cells {
		n := c.samples()
		lo, hi = min(lo, n), max(hi, n)
		for _, s := range c.units {
			if !finite(s.Lo) || !finite(s.Hi) {
				without++
				break
			}
		}
	}
	s := "Median of " + fmt.Sprint(lo)
	if hi != lo {
		s += "–" + fmt.Sprint(hi)
	}
	s += noBreak + wording.Noun(hi, "sample")
	switch {
	case without == 0:
		s += ", with 95" + noBreak + "% interval (shaded)."
	case without == len(cells):
		s += ", too few for a 95" + noBreak + "% interval."
	default:
		s += ", with 95" + noBreak + "% interval where they suffice for one."
	}
	return s
}
