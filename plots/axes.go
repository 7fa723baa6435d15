package plots

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/internal/wording"
)

// newPlot returns an empty plot in the style that all figures share: no
// frame, quiet axes, Liberation Sans.
func newPlot() *plot.Plot {
	p := plot.New()
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color, a.LineStyle.Width = faint, .8
		a.Tick.LineStyle.Color, a.Tick.LineStyle.Width = faint, .8
		a.Tick.Length = 4
		restyle(&a.Tick.Label, sans(9))
		restyle(&a.Label.TextStyle, sans(9.5))
		a.Label.Padding = 3
	}
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0 // the grid replaces the axis line
	return p
}

func restyle(s *text.Style, t typeface) {
	s.Font, s.Color = t.Font, prose
}

// logScale is a logarithmic scale for values that may be zero, negative or not a
// number, which are drawn at its left end. [plot.LogScale] panics on them.
type logScale struct{}

// Normalize returns where x is between lo and hi, as a share of the way.
func (logScale) Normalize(lo, hi, x float64) float64 {
	if !(lo > 0 && hi > lo && x > 0) {
		return 0
	}
	return math.Log(x/lo) / math.Log(hi/lo)
}

// setLog makes an axis logarithmic, around the values in vs that are positive and
// finite; note says that it is. Values that are close together, or a single one, get
// room on both sides.
func setLog(a *plot.Axis, vs []float64) (note string) {
	lo, hi := math.Inf(1), 0.0
	for _, v := range vs {
		if v > 0 && finite(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if hi == 0 {
		lo, hi = 1, 10
	}
	a.Scale = logScale{}
	air := max(1.15, math.Pow(hi/lo, .04)) // so that no glyph is cut off
	a.Min, a.Max = lo/air, hi*air
	if hi < lo*3 {
		mid := math.Sqrt(lo) * math.Sqrt(hi)
		a.Min, a.Max = mid/3, mid*3
	}
	return ", log scale"
}

// minMax returns the least and the greatest of vs that are finite, or 0, 0.
func minMax(vs []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range vs {
		if finite(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// setLinear gives an axis a linear scale that contains vs, with a small margin. It
// starts at 0, unless all values would be in the upper half: then it starts below the
// smallest, and note says so.
func setLinear(a *plot.Axis, vs []float64) (note string) {
	lo, hi := minMax(vs)
	switch {
	case hi <= 0:
		lo, hi = min(lo, 0), min(lo, 0)+1
	case lo > hi/2 && lo < hi:
		lo -= (hi - lo) * .15
		note = ", not from 0"
	default:
		lo = min(lo, 0)
	}
	a.Min, a.Max = lo, hi+(hi-lo)*.04
	return note
}

// linearTicks marks about five round numbers.
type linearTicks struct{ format func(float64) string }

// Ticks returns the ticks between lo and hi.
func (t linearTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(hi > lo) || !finite(lo) || !finite(hi) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/2)))
	for _, m := range []float64{5, 2, 1, .5, .2} {
		step := step * m
		if n := (hi - lo) / step; n >= 4 {
			var ticks []plot.Tick
			for i := math.Ceil(lo / step); i <= math.Floor(hi/step+1e-9); i++ {
				ticks = append(ticks, plot.Tick{Value: i * step, Label: t.format(i * step)})
			}
			return ticks
		}
	}
	return nil
}

// logTicks marks decades, also 2 and 5 between them if there are few decades, and all
// numbers between them if there is hardly one.
type logTicks struct {
	format func(float64) string
	few    float64 // how many decades are few
}

// Ticks returns the ticks between lo and hi, which must be positive.
func (t logTicks) Ticks(lo, hi float64) []plot.Tick {
	if !(lo > 0 && hi > lo) || !finite(hi) {
		return nil
	}
	decades := math.Log10(hi / lo)
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(lo)); e <= math.Ceil(math.Log10(hi)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < lo*.9999 || v > hi*1.0001 {
				continue
			}
			tick := plot.Tick{Value: v}
			major := m == 1 || decades < t.few && (m == 2 || m == 5) || decades < .75
			if decades > 9 && math.Mod(e, 3) != 0 {
				major = false
			}
			if major {
				tick.Label = t.format(v)
			} else if decades > 5 {
				continue
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// thin removes the labels of ticks that are too close to a labelled one for both to be
// read. The last tick keeps its label.
func thin(ticks []plot.Tick, a plot.Axis) []plot.Tick {
	const room = .045 // as a share of the axis
	kept := make([]plot.Tick, len(ticks))
	last := math.Inf(1)
	for i := len(ticks) - 1; i >= 0; i-- {
		kept[i] = ticks[i]
		at := a.Norm(ticks[i].Value)
		if last-at < room {
			kept[i].Label = ""
			continue
		}
		last = at
	}
	return kept
}

// gridlines are faint rules at the labelled ticks of an axis.
type gridlines struct{ x, y bool }

// Plot draws the rules.
func (g gridlines) Plot(c draw.Canvas, p *plot.Plot) {
	style := draw.LineStyle{Color: grid, Width: .8}
	x, y := p.Transforms(&c)
	if g.x {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if at := x(t.Value); !t.IsMinor() && c.ContainsX(at) {
				c.StrokeLine2(style, at, c.Min.Y, at, c.Max.Y)
			}
		}
	}
	if g.y {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if at := y(t.Value); !t.IsMinor() && c.ContainsY(at) {
				c.StrokeLine2(style, c.Min.X, at, c.Max.X, at)
			}
		}
	}
}

// A heading is the label of the vertical axis, written horizontally above it.
type heading struct{ text string }

// GlyphBoxes reserves the strip above the data.
func (heading) GlyphBoxes(*plot.Plot) []plot.GlyphBox { return above(strip) }

// Plot writes the heading.
func (h heading) Plot(c draw.Canvas, p *plot.Plot) {
	var ticks vg.Length
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		ticks = max(ticks, p.Y.Tick.Label.Width(t.Label))
	}
	left := c.Min.X - p.Y.Padding - p.Y.Label.TextStyle.Width(" ") - ticks
	font := sans(9.5)
	font.write(c, vg.Point{X: left, Y: headBase(c)}, 0, prose, h.text)
}

// above reserves height above the data.
func above(height vg.Length) []plot.GlyphBox {
	return []plot.GlyphBox{{Y: 1, Rectangle: vg.Rectangle{Max: vg.Point{Y: height}}}}
}

// A scale turns numbers of a unit into numbers that can be read.
type scale struct {
	factor float64 // multiplies a value
	unit   string  // after that
}

// opsScale returns the scale for operations per second of which the largest
// is hi.
func opsScale(hi float64) scale {
	switch {
	case hi >= 1e9:
		return scale{1e-9, "Gops/s"}
	case hi >= 1e6:
		return scale{1e-6, "Mops/s"}
	case hi >= 1e3:
		return scale{1e-3, "kops/s"}
	}
	return scale{1, "ops/s"}
}

// number writes v with three significant digits, and with more only before the decimal
// point: 0.123, 16.2, 1234.
func number(v float64) string {
	switch a := math.Abs(v); {
	case !finite(v):
		return "–"
	case a == 0:
		return "0"
	case a < .001:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case a < .9995:
		return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(a))), 64)
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// hundredths writes v with two decimals: for ratios and shares.
func hundredths(v float64) string {
	if !finite(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// short is number without trailing zeros, for ticks.
func short(v float64) string {
	s := number(v)
	if strings.Contains(s, ".") && !strings.Contains(s, "e") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// noBreak is a space at which a line is not broken.
const noBreak = "\u00a0"

// nanos writes a duration given in nanoseconds with a fitting unit.
func nanos(ns float64) string { return inUnit(ns, number) }

// nanosTick is nanos without trailing zeros.
func nanosTick(ns float64) string { return inUnit(ns, short) }

func inUnit(ns float64, format func(float64) string) string {
	switch {
	case !finite(ns):
		return "–"
	case ns < 999.5:
		return format(ns) + noBreak + "ns"
	case ns < 999.5e3:
		return format(ns/1e3) + noBreak + "µs"
	case ns < 999.5e6:
		return format(ns/1e6) + noBreak + "ms"
	}
	return format(ns/1e9) + noBreak + "s"
}

// count writes "1 CPU", "2 CPUs".
func count(n int, noun string) string {
	return fmt.Sprintf("%d%s%s", n, noBreak, wording.Noun(n, noun))
}
