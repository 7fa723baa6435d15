package main

import (
	"encoding/csv"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	glyph "gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/plots"
)

// simData is what the simulator gives, beside what was published, and simPage the page with
// its tables.
const (
	simData  = "docs/data/sim.csv"
	simMaker = "go test -tags virtual ./sim/validation -run TestRecorded -record"
	simPage  = "docs/simulator.md"
)

// A simCurve is a time over CPU counts.
type simCurve struct {
	subject, machine, series, unit string
	points                         []simPoint
}

// A simPoint is one time.
type simPoint struct {
	cpus      int
	simulated float64
	published float64 // 0 if none was
}

// at returns the point of a CPU count.
func (c simCurve) at(cpus int) (p simPoint, ok bool) {
	i := slices.IndexFunc(c.points, func(p simPoint) bool { return p.cpus == cpus })
	if i < 0 {
		return simPoint{}, false
	}
	return c.points[i], true
}

// simulated is all curves, in the order of the file.
type simulated []simCurve

// of returns the curves of a subject on a machine, or on all if machine is empty.
func (s simulated) of(subject, machine string) (all simulated) {
	for _, c := range s {
		if c.subject == subject && (machine == "" || c.machine == machine) {
			all = append(all, c)
		}
	}
	return all
}

// readSimulated reads simData of a checkout.
func readSimulated(root string) (simulated, error) {
	f, err := os.Open(filepath.Join(root, simData))
	if err != nil {
		return nil, fmt.Errorf("%w: make it by %s", err, simMaker)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", simData, err)
	}
	if len(rows) < 2 {
		return nil, fmt.Errorf("%s: no points", simData)
	}
	var all simulated
	for i, row := range rows[1:] {
		bad := func(err error) error { return fmt.Errorf("%s: point %d: %w", simData, i+1, err) }
		if len(row) != 7 {
			return nil, bad(fmt.Errorf("%d fields, want 7", len(row)))
		}
		var p simPoint
		if p.cpus, err = strconv.Atoi(row[3]); err != nil {
			return nil, bad(err)
		}
		if p.simulated, err = strconv.ParseFloat(row[4], 64); err != nil {
			return nil, bad(err)
		}
		if row[5] != "" {
			if p.published, err = strconv.ParseFloat(row[5], 64); err != nil {
				return nil, bad(err)
			}
		}
		c := simCurve{subject: row[0], machine: row[1], series: row[2], unit: row[6]}
		at := slices.IndexFunc(all, func(o simCurve) bool {
			return o.subject == c.subject && o.machine == c.machine && o.series == c.series
		})
		if at < 0 {
			at, all = len(all), append(all, c)
		}
		all[at].points = append(all[at].points, p)
	}
	return all, nil
}

// A simFigure is drawn from simData, for light pages and for dark ones.
type simFigure struct {
	name, title, subtitle string
	panels                []simPanel
}

// A simPanel has the curves of a subject on a machine.
type simPanel struct {
	subject, machine string
	series           []string // those that are drawn; nil is all
	label            string   // of the times
	divide           float64  // what a unit of the label is, in units of the curves
	linear           bool     // whether times are on a linear scale, not a logarithmic one
}

var simFigures = []simFigure{
	{
		"fig-sim-published", "What was published, and what is simulated",
		"dots: published, by perfbook; lines: simulated. Left and middle: all CPUs add to one word, time for an addition. Right: all CPUs read under a pthread_rwlock, time of a section for its reader.",
		[]simPanel{
			{"add", "xeon-8176-8s", nil, "Xeon 8176: ns for an addition", 1, true},
			{"add", "milan-2s", nil, "Milan: ns for an addition", 1, true},
			{"rwlockscale", "xeon-8176-8s", nil, "Xeon 8176: µs for a section", 1000, false},
		},
	},
	{
		"fig-sim-handover", "TAS and ticket locks pay for each waiter, queue locks for the distance",
		"simulated, xeon-8176-8s: 28 cores to a socket, four sockets to a half; one worker on each CPU, critical section after critical section of two operations on a line of their own",
		[]simPanel{{"handover", "xeon-8176-8s", nil, "ns for a section", 1, false}},
	},
	{
		"fig-sim-readers", "A reader that writes to one line pays for each CPU; the others do not",
		"simulated, xeon-8176-8s. Left: a read-side critical section as its reader sees it, while all CPUs read. Right: a grace period, while all other CPUs read.",
		[]simPanel{
			{"readers", "xeon-8176-8s", []string{"rw-readerpref", "rwsem", "rw-distributed", "rw-biased", "seqlock", "rcu-domain", "rcu-registered", "rcu-qsbr"}, "ns for a section", 1, false},
			{"grace", "xeon-8176-8s", nil, "µs for a grace period", 1000, false},
		},
	},
}

// simLooks are how curves are drawn, in the order of a panel: they differ in shape as well
// as in colour.
var simLooks = []struct {
	hue   color.RGBA
	shape glyph.GlyphDrawer
}{
	{color.RGBA{0x00, 0x72, 0xB2, 0xFF}, glyph.CircleGlyph{}},
	{color.RGBA{0xD5, 0x5E, 0x00, 0xFF}, glyph.PyramidGlyph{}},
	{color.RGBA{0x00, 0x9E, 0x73, 0xFF}, glyph.BoxGlyph{}},
	{color.RGBA{0xCC, 0x79, 0xA7, 0xFF}, glyph.RingGlyph{}},
	{color.RGBA{0xE6, 0x9F, 0x00, 0xFF}, glyph.TriangleGlyph{}},
	{color.RGBA{0x56, 0xB4, 0xE9, 0xFF}, glyph.SquareGlyph{}},
	{color.RGBA{0x70, 0x70, 0x70, 0xFF}, glyph.CrossGlyph{}},
	{color.RGBA{0x22, 0x22, 0x22, 0xFF}, glyph.PlusGlyph{}},
}

// drawSimulated adds the figures of the simulator to published, and its page with the tables.
func drawSimulated(root string, published map[string][]byte) error {
	all, err := readSimulated(root)
	if err != nil {
		return err
	}
	for _, f := range simFigures {
		figure, err := f.figure(all)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", simData, f.name, err)
		}
		for suffix, dark := range map[string]bool{".svg": false, "-dark.svg": true} {
			figure.Dark = dark
			if published["docs/"+f.name+suffix], err = figure.Encode("svg"); err != nil {
				return err
			}
		}
	}
	page, err := os.ReadFile(filepath.Join(root, simPage))
	if err != nil {
		return err
	}
	for _, t := range simTables {
		if page, err = between(simPage, page, [2]string{"<!-- table: " + t.name + " -->\n", "<!-- end of table: " + t.name + " -->\n"}, t.text(all)); err != nil {
			return err
		}
	}
	published[simPage] = page
	return nil
}

func (f simFigure) figure(all simulated) (*plots.Figure, error) {
	figure := &plots.Figure{Name: f.name, Title: f.title, Subtitle: []string{f.subtitle}, Notes: []string{"with seed 1, by " + simMaker}, Width: 760, Body: 340}
	for _, panel := range f.panels {
		p, err := panel.plot(all.of(panel.subject, panel.machine))
		if err != nil {
			return nil, err
		}
		figure.Panels = append(figure.Panels, p)
	}
	return figure, nil
}

func (panel simPanel) plot(curves simulated) (*plot.Plot, error) {
	if panel.series != nil {
		curves = slices.DeleteFunc(slices.Clone(curves), func(c simCurve) bool { return !slices.Contains(panel.series, c.series) })
	}
	if len(curves) == 0 || len(curves) > len(simLooks) {
		return nil, fmt.Errorf("%d curves of %s on %s, want 1 to %d", len(curves), panel.subject, panel.machine, len(simLooks))
	}
	p := plot.New()
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xE9}, color.Gray{0xE9}
	grid.Vertical.Width, grid.Horizontal.Width = vg.Points(0.6), vg.Points(0.6)
	p.Add(grid)
	most := 1
	low, high := math.Inf(1), 0.0
	scale := func(time float64) float64 {
		low, high = min(low, time/panel.divide), max(high, time/panel.divide)
		if panel.linear {
			return time / panel.divide
		}
		return math.Log10(time / panel.divide)
	}
	for i, c := range curves {
		var is, was plotter.XYs
		for _, point := range c.points {
			x := math.Log2(float64(point.cpus))
			most = max(most, point.cpus)
			is = append(is, plotter.XY{X: x, Y: scale(point.simulated)})
			if point.published > 0 {
				was = append(was, plotter.XY{X: x, Y: scale(point.published)})
			}
		}
		look := simLooks[i]
		line, dots, err := plotter.NewLinePoints(is)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = look.hue, 1.4
		dots.GlyphStyle = glyph.GlyphStyle{Color: look.hue, Radius: 3, Shape: look.shape}
		p.Add(line)
		if len(was) == 0 {
			p.Add(dots)
			p.Legend.Add(c.series, line, dots)
			continue
		}
		published, err := plotter.NewScatter(was)
		if err != nil {
			return nil, err
		}
		published.GlyphStyle = glyph.GlyphStyle{Color: simLooks[len(simLooks)-1].hue, Radius: 2.2, Shape: glyph.CircleGlyph{}}
		p.Add(published)
	}
	p.X.Label.Text, p.Y.Label.Text = "CPUs", panel.label
	p.X.Min, p.X.Max = 0, math.Log2(float64(most))+0.2
	var ticks plot.ConstantTicks
	for x := 0; x <= int(p.X.Max); x++ {
		ticks = append(ticks, plot.Tick{Value: float64(x), Label: strconv.Itoa(1 << x)})
	}
	p.X.Tick.Marker = ticks
	if panel.linear {
		p.Y.Min, p.Y.Max = 0, high*1.1
	} else {
		p.Y.Min, p.Y.Max = math.Floor(math.Log10(low)), math.Log10(high)+0.1
		var ticks plot.ConstantTicks
		for y := int(p.Y.Min); y <= int(p.Y.Max); y++ {
			ticks = append(ticks, plot.Tick{Value: float64(y), Label: amount(math.Pow(10, float64(y)))})
		}
		p.Y.Tick.Marker = ticks
	}
	p.Legend.Top, p.Legend.Left = true, true
	style(p)
	return p, nil
}

// amount writes a time, in whatever unit, for a table or an axis.
func amount(v float64) string {
	switch {
	case v >= 100:
		return wording.Thousands(int(math.Round(v)))
	case v >= 10 && v == math.Round(v) || v == 1:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v < 1:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// A simTable is a table of simPage.
type simTable struct {
	name string
	text func(simulated) string
}

var simTables = []simTable{
	{"fetch-add", func(s simulated) string { return beside(s.of("add", ""), func(c simCurve) string { return c.machine }) }},
	{"loops", func(s simulated) string {
		return beside(s.of("loops", ""), func(c simCurve) string { return c.series })
	}},
	{"pthread_rwlock", func(s simulated) string {
		return beside(s.of("rwlockscale", ""), func(c simCurve) string { return c.series })
	}},
	{"handover", func(s simulated) string { return overCPUs(s.of("handover", ""), 1) }},
	{"readers", func(s simulated) string { return overCPUs(s.of("readers", "xeon-8176-8s"), 1) }},
	{"grace periods", func(s simulated) string { return overCPUs(s.of("grace", ""), 1000) }},
	{"order on Intel-48", func(s simulated) string { return beside(s.of("order", "xeon-8176-8s"), series) }},
	{"order on AMD-64", func(s simulated) string { return beside(s.of("order", "milan-2s"), series) }},
}

func series(c simCurve) string { return c.series }

// counts returns the CPU counts of curves, in order.
func (s simulated) counts() (all []int) {
	for _, c := range s {
		for _, p := range c.points {
			all = append(all, p.cpus)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// beside writes a table of what was published and simulated: a row for each CPU count, a
// column for each curve.
func beside(curves simulated, name func(simCurve) string) string {
	var b strings.Builder
	b.WriteString("| CPUs |")
	for _, c := range curves {
		fmt.Fprintf(&b, " %s |", name(c))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(curves)) + "\n")
	for _, n := range curves.counts() {
		fmt.Fprintf(&b, "| %d |", n)
		for _, c := range curves {
			if p, ok := c.at(n); ok {
				fmt.Fprintf(&b, " %s, %s: %s |", amount(p.published), amount(p.simulated), change(p.simulated/p.published-1))
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// change writes by how much something is more.
func change(share float64) string {
	percent := math.Round(100 * share)
	switch {
	case percent > 0:
		return fmt.Sprintf("+%.0f %%", percent)
	case percent < 0:
		return fmt.Sprintf("−%.0f %%", -percent)
	}
	return "0 %"
}

// overCPUs writes a table of what was simulated: a row for each curve, a column for each CPU
// count.
func overCPUs(curves simulated, divide float64) string {
	var b strings.Builder
	b.WriteString("| CPUs |")
	counts := curves.counts()
	for _, n := range counts {
		fmt.Fprintf(&b, " %d |", n)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(counts)) + "\n")
	for _, c := range curves {
		fmt.Fprintf(&b, "| `%s` |", c.series)
		for _, n := range counts {
			if p, ok := c.at(n); ok {
				fmt.Fprintf(&b, " %s |", amount(p.simulated/divide))
			} else {
				b.WriteString(" |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
