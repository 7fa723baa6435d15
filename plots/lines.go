package plots

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A point is a median with its interval. Lo and Hi are NaN if there are too few samples
// for an interval.
type point struct {
	X         float64
	Y, Lo, Hi float64
}

// hasInterval reports whether the samples sufficed for an interval.
func (p point) hasInterval() bool { return finite(p.Lo) && finite(p.Hi) }

// unmeasured is a missing point.
var unmeasured = point{Y: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}

// overlaps reports whether the intervals of p and q have values in common, so that the
// samples do not show which one is greater.
func (p point) overlaps(q point) bool {
	return p.hasInterval() && q.hasInterval() && p.Lo <= q.Hi && q.Lo <= p.Hi
}

// scaled returns p with its values multiplied.
func (p point) scaled(by float64) point {
	return point{p.X, p.Y * by, p.Lo * by, p.Hi * by}
}

// finite reports whether v is neither infinite nor NaN.
func finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

// An emphasis says how prominently a lock is drawn.
type emphasis int

const (
	muted     emphasis = iota
	reference          // what the others are compared with: dark, without colour
	tied               // its interval overlaps that of the best: full colour
	best               // full colour, wide
)

// A line is one lock in a line chart.
type line struct {
	name     string
	label    string // for the legend; "": the name
	look     look
	origin   origin
	emphasis emphasis
	rank     int     // 0 is the best
	pts      []point // by X, at least one

	glyphs []plot.Tick // where the line has glyphs; nil: at all points
}

// An origin says of which machine a line is, in a chart that has lines of several.
type origin int

const (
	only    origin = iota // all lines are of one machine
	itself                // the machine of the figure: solid, with full marks
	another               // another: dashed, with hollow marks
)

// beyond are the dashes of another machine's lines.
var beyond = []vg.Length{4, 2.5}

// end returns the line's last point.
func (l line) end() point { return l.pts[len(l.pts)-1] }

// stroke returns how the line is drawn.
func (l line) stroke() draw.LineStyle {
	s := l.usual()
	switch l.origin {
	case itself:
		s.Dashes = nil
	case another:
		s.Dashes = beyond
	}
	return s
}

// usual returns how the line is drawn in a chart of one machine.
func (l line) usual() draw.LineStyle {
	switch l.emphasis {
	case best:
		return draw.LineStyle{Color: l.look.hue, Width: 2.6}
	case tied:
		return draw.LineStyle{Color: l.look.hue, Width: 1.6, Dashes: l.look.dashes}
	case reference:
		return draw.LineStyle{Color: ink, Width: 1.8, Dashes: []vg.Length{5, 2.5}}
	}
	return draw.LineStyle{Color: mix(l.look.hue, white, .25), Width: 1.1, Dashes: l.look.dashes}
}

// glyph draws the line's glyph at pt.
func (l line) glyph(c draw.Canvas, pt vg.Point) {
	hollow := l.look.hollow
	if l.origin != only {
		hollow = l.origin == another
	}
	switch l.emphasis {
	case best:
		l.look.shape.draw(c, pt, 4, l.look.hue, false)
	case tied:
		l.look.shape.draw(c, pt, 3, l.look.hue, hollow)
	case reference:
		l.look.shape.draw(c, pt, 3.2, ink, hollow)
	default:
		l.look.shape.draw(c, pt, 2.6, mix(l.look.hue, white, .25), hollow)
	}
}

// shown returns the name for the legend.
func (l line) shown() string { return cmp.Or(l.label, elide(l.name)) }

// sample draws a piece of the line, with its glyph, from pt to the right.
// A line of one point has a glyph only.
func (l line) sample(c draw.Canvas, pt vg.Point, width vg.Length) {
	if len(l.pts) > 1 {
		c.StrokeLine2(l.stroke(), pt.X, pt.Y, pt.X+width, pt.Y)
	}
	l.glyph(c, vg.Point{X: pt.X + width/2, Y: pt.Y})
}

// Plot draws the line over its interval band. A point alone has its interval
// as a vertical stroke.
func (l line) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := func(px, py float64) vg.Point { return vg.Point{X: x(px), Y: y(py)} }

	var pts []vg.Point
	for _, q := range l.pts {
		pts = append(pts, at(q.X, q.Y))
	}
	if len(pts) == 1 {
		if q := l.pts[0]; q.hasInterval() {
			c.StrokeLines(draw.LineStyle{Color: translucent(l.hue(), .5), Width: 2}, []vg.Point{at(q.X, q.Lo), at(q.X, q.Hi)})
		}
	} else {
		c.StrokeLines(l.stroke(), pts)
	}
	for i, pt := range pts {
		if l.glyphs == nil || slices.ContainsFunc(l.glyphs, func(t plot.Tick) bool { return math.Abs(t.Value-l.pts[i].X) < .02 }) {
			l.glyph(c, pt)
		}
	}
}

// hue returns the colour of the line at full strength.
func (l line) hue() color.RGBA {
	if l.emphasis == reference {
		return ink
	}
	return l.look.hue
}

// A band is the intervals of a line; it is translucent, and fainter if there are more
// bands. It is interrupted where an interval is missing.
type band struct {
	line
	among int // bands
}

// Plot draws the band.
func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	opacity := min(max(1.2/float64(b.among), .04), .15)
	if b.emphasis == best {
		opacity = .25
	}
	clr := translucent(b.hue(), opacity)
	for i := 0; i < len(b.pts); {
		j := i
		var lower, upper []vg.Point
		for ; j < len(b.pts) && b.pts[j].hasInterval(); j++ {
			q := b.pts[j]
			lower = append(lower, vg.Point{X: x(q.X), Y: y(q.Lo)})
			upper = append(upper, vg.Point{X: x(q.X), Y: y(q.Hi)})
		}
		if len(lower) > 1 {
			for k := len(upper) - 1; k >= 0; k-- {
				lower = append(lower, upper[k])
			}
			c.FillPolygon(clr, lower)
		}
		i = max(j, i+1)
	}
}

// A lineChart is many lines over few x values.
type lineChart struct {
	xLabel  string
	xTicks  []plot.Tick
	xLog    bool
	yLabel  string
	yUnit   string
	yNote   string // a remark on the axis, after a comma
	yLog    bool
	yTick   func(float64) string // formats a tick of y; nil: as a number
	scope   []float64            // values that the axis of y must contain in addition to the lines
	value   func(float64) string // formats a value of y for its label
	head    string               // heads the column of these values
	lines   []line               // the best is drawn last
	panel   string               // names one of several panels, instead of the axis; "" if there is one
	unnamed bool                 // no labels: another panel has them
	shaded  float64              // x at and above this is oversubscribed; NaN: nothing is
	limit   ceiling
	curves  bool // there are so many points that only those at ticks have glyphs
}

// A ceiling is a dotted line that no lock can exceed.
type ceiling struct {
	pts []point // by X; none: nothing is drawn
}

// plot returns the chart as a plot.
func (ch lineChart) plot() *plot.Plot {
	p := newPlot()
	p.X.Label.Text = ch.xLabel
	var xs []float64
	ys := slices.Clone(ch.scope)
	for _, t := range ch.xTicks {
		xs = append(xs, t.Value)
	}
	for _, l := range ch.lines {
		for _, q := range l.pts {
			xs = append(xs, q.X)
			ys = append(ys, q.Y)
			if q.hasInterval() {
				ys = append(ys, q.Lo, q.Hi)
			}
		}
	}
	for _, q := range ch.limit.pts {
		ys = append(ys, q.Y)
	}
	p.X.Min, p.X.Max = minMax(xs)
	if p.X.Min == p.X.Max { // a single point is in the middle
		p.X.Min, p.X.Max = p.X.Min-1, p.X.Max+1
	} else if ch.xLog && p.X.Min > 0 {
		p.X.Scale = logScale{}
	}
	p.X.Tick.Marker = plot.ConstantTicks(thin(ch.xTicks, p.X))
	if ch.yLog {
		ch.yNote += setLog(&p.Y, ys)
		tick := short
		if ch.yTick != nil {
			tick = ch.yTick
		}
		p.Y.Tick.Marker = logTicks{tick, 3.2}
	} else {
		ch.yNote += setLinear(&p.Y, ys)
		p.Y.Tick.Marker = linearTicks{short}
	}
	p.X.Padding, p.Y.Padding = 0, 8

	if !math.IsNaN(ch.shaded) {
		p.Add(region{ch.shaded, ch.xTicks})
	}
	p.Add(gridlines{y: true})
	if ch.panel == "" {
		p.Add(heading{ch.yLabel + " (" + strings.TrimPrefix(ch.yUnit+ch.yNote, ", ") + ")"})
	} else {
		p.Add(panelName{ch.panel})
	}
	if len(ch.limit.pts) > 0 {
		p.Add(ch.limit)
	}
	for e := muted; e <= best; e++ {
		for _, l := range ch.lines {
			if l.emphasis == e {
				p.Add(band{l, len(ch.lines)})
			}
		}
	}
	for e := muted; e <= best; e++ {
		for _, l := range ch.lines {
			if l.emphasis == e {
				if ch.curves {
					l.glyphs = ch.xTicks
				}
				p.Add(l)
			}
		}
	}
	if !ch.unnamed {
		p.Add(endLabels{lines: ch.lines, value: ch.value, head: ch.head})
	}
	return p
}

// Plot draws the ceiling.
func (l ceiling) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var pts []vg.Point
	for _, q := range l.pts {
		pts = append(pts, vg.Point{X: x(q.X), Y: y(q.Y)})
	}
	style := draw.LineStyle{Color: prose, Width: .8, Dashes: []vg.Length{1.5, 2}}
	c.StrokeLines(style, c.ClipLinesXY(pts)...)
}

// A region shades the CPU counts that exceed the machine's and says so above
// the data.
type region struct {
	from  float64
	ticks []plot.Tick
}

// strip is the height of the headings above the data, high enough to keep clear of a
// tick at the very top.
const strip = 25

// headBase returns the baseline of text in the strip.
func headBase(c draw.Canvas) vg.Length { return c.Max.Y + strip - 12 }

// GlyphBoxes reserves the strip above the data.
func (r region) GlyphBoxes(*plot.Plot) []plot.GlyphBox { return above(strip) }

// Plot draws the region from halfway between the last count that fits and
// the first that does not.
func (r region) Plot(c draw.Canvas, p *plot.Plot) {
	left := c.Min.X
	for _, t := range r.ticks {
		if t.Value < r.from {
			left = (c.X(p.X.Norm(t.Value)) + c.X(p.X.Norm(r.from))) / 2
		}
	}
	c.FillPolygon(shade, []vg.Point{{X: left, Y: c.Min.Y}, {X: c.Max.X, Y: c.Min.Y}, {X: c.Max.X, Y: c.Max.Y + strip - 2}, {X: left, Y: c.Max.Y + strip - 2}})
	font := sans(8.5)
	const word = "oversubscribed"
	at, align := (left+c.Max.X)/2, .5
	if font.Width(word)+8 > c.Max.X-left { // then to the left of it
		at, align = left-5, 1
	}
	font.write(c, vg.Point{X: at, Y: headBase(c)}, align, prose, word)
}
