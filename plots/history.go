package plots

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/gate/history"
	"github.com/lockbench/lockbench/results"
)

// WriteHistory draws a figure for each trend with a change point into files in dir,
// those with the worst change first, as [Write] does.
func WriteHistory(dir string, h *history.History, o Options) ([]File, error) {
	var figures []*Figure
	drawn := make(map[*history.Trend]bool)
	names := make(map[string]int)
	for _, f := range h.Found() {
		if drawn[f.Trend] {
			continue
		}
		drawn[f.Trend] = true
		fig := History(h, f.Trend)
		names[fig.Name]++
		if n := names[fig.Name]; n > 1 {
			fig.Name += fmt.Sprintf("_%d", n)
		}
		figures = append(figures, fig)
	}
	if len(figures) == 0 {
		return nil, nil
	}
	return writeFigures(dir, figures, o)
}

// History draws a trend over the runs, with its change points.
func History(h *history.History, t *history.Trend) *Figure {
	l := historyLayer{trend: t, runs: h.Runs, nanos: t.Unit == "ns/op" || strings.HasSuffix(t.Unit, "-ns")}
	name := "history_" + fileWord(t.Name) + "_" + fileWord(t.Unit)
	if t.Distance != results.Unknown {
		name += "_" + fileWord(string(t.Distance))
	}
	f := &Figure{Name: name, Title: l.title(), Width: figureWidth, Body: 300}
	f.Panels = []*plot.Plot{l.plot()}

	what := t.Benchmark.String() + " · " + t.Unit
	if t.Distance == results.Near || t.Distance == results.Far {
		what += " · " + string(t.Distance) + noBreak + "CPUs"
	}
	f.Subtitle = []string{what}
	line := fmt.Sprintf("Medians of %s", count(len(t.Points), "run"))
	if l.intervals() {
		line += ", with 95" + noBreak + "% intervals"
	}
	line += "; lines are the medians between changes."
	if t.Machine != "" {
		line += " " + t.Machine + "."
	}
	f.Subtitle = append(f.Subtitle, line)
	for _, c := range t.Changes {
		f.Notes = append(f.Notes, fmt.Sprintf("%s: %s to %s, %s, from %d and %d runs, p = %.2g.",
			h.Runs[c.Run], l.value(c.From), l.value(c.Becomes()), l.size(c), c.Before, c.After, c.P))
	}
	if t.Drifts() {
		f.Notes = append(f.Notes, fmt.Sprintf("A run is like the one before (correlation %.2f): the machine drifts, and a change may be its own.", t.Correlation))
	}
	return f
}

// A historyLayer draws a trend.
type historyLayer struct {
	trend *history.Trend
	runs  []history.Run
	nanos bool // the unit is a time in nanoseconds
}

func (l historyLayer) value(v float64) string {
	if l.nanos {
		return nanos(v)
	}
	return short(v)
}

// title describes the last change.
func (l historyLayer) title() string {
	t := l.trend
	if len(t.Changes) == 0 {
		return fmt.Sprintf("%s: no change in %s", elide(t.Name), count(len(t.Points), "run"))
	}
	c := t.Changes[len(t.Changes)-1]
	since := strings.ReplaceAll(l.runs[c.Run].String(), " ", noBreak)
	s := fmt.Sprintf("%s: %s since %s, %s instead of %s", elide(t.Name), l.words(c), since, l.value(c.Becomes()), l.value(c.From))
	if n := len(t.Changes) - 1; n > 0 {
		s += ", after " + count(n, "other change")
	}
	return s
}

// words says how large a change is, and whether it is a regression.
func (l historyLayer) words(c history.ChangePoint) string {
	by := percent(math.Abs(c.Change))
	if !finite(c.Change) || c.Change >= 2 {
		by = "far"
	}
	more := "more"
	if c.Change < 0 {
		more = "less"
	}
	if l.nanos {
		more = map[string]string{"more": "slower", "less": "faster"}[more]
	}
	if !l.nanos {
		more += " " + l.trend.Unit
	}
	return by + noBreak + more
}

// size writes the change with its interval.
func (l historyLayer) size(c history.ChangePoint) string {
	s := signedPercent(c.Change)
	if finite(c.Lo) && finite(c.Hi) && c.Lo < c.Hi {
		s += fmt.Sprintf(" (%s to %s)", signedPercent(c.Lo), signedPercent(c.Hi))
	}
	return s
}

// percent writes a share with one decimal, or two if it is small.
func percent(v float64) string {
	digits := 1
	if v < .00995 {
		digits = 2
	}
	return strconv.FormatFloat(100*v, 'f', digits, 64) + noBreak + "%"
}

func signedPercent(v float64) string {
	switch {
	case !finite(v):
		return "from 0"
	case v < 0:
		return "−" + percent(-v)
	}
	return "+" + percent(v)
}

func (l historyLayer) intervals() bool {
	for _, p := range l.trend.Points {
		if finite(p.Lo) && finite(p.Hi) {
			return true
		}
	}
	return false
}

func (l historyLayer) plot() *plot.Plot {
	p := newPlot()
	var ys []float64
	for _, q := range l.trend.Points {
		ys = append(ys, q.Median)
	}
	for _, c := range l.trend.Changes {
		ys = append(ys, c.From, c.To)
	}
	note := setLinear(&p.Y, ys)
	if lo, hi := minMax(ys); lo == hi {
		p.Y.Min, p.Y.Max = lo-1, hi+1
	}
	unit := l.trend.Unit
	if l.nanos {
		p.Y.Tick.Marker = linearTicks{nanosTick}
		unit = strings.TrimSuffix(unit, "-ns")
		if unit == "ns/op" {
			unit = "time of an operation"
		}
	} else {
		p.Y.Tick.Marker = linearTicks{short}
	}
	switch l.trend.Better {
	case +1:
		note += ", more is better"
	case -1:
		note += ", less is better"
	}
	p.X.Min, p.X.Max = -.5, float64(max(len(l.runs), 1))-.5
	p.X.Tick.Marker = plot.ConstantTicks(l.ticks())
	p.X.Padding, p.Y.Padding = 0, 8
	if note = strings.TrimPrefix(note, ", "); note != "" {
		note = " (" + note + ")"
	}
	p.Add(gridlines{y: true}, historyHeading{heading{unit + note}}, l)
	return p
}

// historyHeading leaves room between the heading and the data for the names of the
// change points.
type historyHeading struct{ heading }

const historyStrip = strip + 14

// GlyphBoxes reserves the strip above the data.
func (historyHeading) GlyphBoxes(*plot.Plot) []plot.GlyphBox { return above(historyStrip) }

// Plot writes the heading.
func (h historyHeading) Plot(c draw.Canvas, p *plot.Plot) {
	c.Max.Y += historyStrip - strip
	h.heading.Plot(c, p)
}

// ticks names about six runs: by their days, or by their files.
func (l historyLayer) ticks() (ticks []plot.Tick) {
	n := len(l.runs)
	step := max(1, int(math.Ceil(float64(n)/6)))
	for i := 0; i < n; i += step {
		label := l.runs[i].File
		if !l.runs[i].Date.IsZero() {
			label = l.runs[i].Date.UTC().Format("2006-01-02")
		}
		if len(label) > 18 {
			label = label[:17] + "…"
		}
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: label})
	}
	return ticks
}

// hue returns the colour of the points after a change.
func (l historyLayer) hue(c history.ChangePoint) color.RGBA {
	switch {
	case l.trend.Better == 0:
		return strong
	case l.trend.Regression(c):
		return hues[1]
	}
	return hues[2]
}

// Plot draws the points, the medians between changes, and the changes.
func (l historyLayer) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	t := l.trend
	clamp := func(v vg.Length) vg.Length { return min(max(v, c.Min.Y), c.Max.Y) }
	for _, q := range t.Points {
		if finite(q.Lo) && finite(q.Hi) {
			at := x(float64(q.Run))
			c.StrokeLine2(draw.LineStyle{Color: translucent(plain, .4), Width: 2}, at, clamp(y(q.Lo)), at, clamp(y(q.Hi)))
		}
	}

	// If labels of change points do not fit, the notes have them.
	font := sansBold(8.5)
	free := c.Min.X
	for _, ch := range t.Changes {
		hue := l.hue(ch)
		at := x(float64(ch.Run) - .5)
		c.StrokeLine2(draw.LineStyle{Color: hue, Width: .9, Dashes: []vg.Length{3, 2.5}}, at, c.Min.Y, at, c.Max.Y+3)
		label := signedPercent(ch.Change)
		if r := l.runs[ch.Run]; !r.Date.IsZero() {
			label += " · " + r.String()
		}
		width := font.Width(label)
		left := min(max(at-width/2, free), c.Max.X-width)
		if left >= free && left <= at {
			font.write(c, vg.Point{X: left, Y: c.Max.Y + 6}, 0, legible(hue), label)
			free = left + width + 8
		}
	}
	// The levels: before the first change, and after each.
	level := func(from, to int, v float64, hue color.RGBA) {
		if to > from {
			c.StrokeLine2(draw.LineStyle{Color: mix(hue, white, .2), Width: 2.4}, x(float64(t.Points[from].Run)-.5), y(v), x(float64(t.Points[to-1].Run)+.5), y(v))
		}
	}
	for i, ch := range t.Changes {
		if i == 0 {
			level(0, ch.Point, ch.From, strong)
		}
		level(ch.Point, ch.Point+ch.After, ch.To, l.hue(ch))
	}
	for _, q := range t.Points {
		circle.draw(c, vg.Point{X: x(float64(q.Run)), Y: y(q.Median)}, 2.2, plain, false)
	}
}
