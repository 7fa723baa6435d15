package plots

import (
	"cmp"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A rowChart has a row for each lock, its name at the left, the best on top, and in
// each row a few dots with their intervals: the form for one or two values of a
// dimension, where lines would show nothing.
type rowChart struct {
	rows    []row
	marks   []mark // what the dots of a row mean, in their order
	title   string // of the panel, before the marks; "" means none
	names   bool   // names at the left; only the first of several panels has them
	joined  bool   // a thin line joins the dots of a row
	xLabel  string
	xUnit   string // "" if the ticks have it
	xNote   string // a remark on the axis, after a comma
	log     bool
	scope   []float64 // values that the axis must contain in addition to the dots
	tick    func(float64) string
	limit   float64 // a vertical rule that no lock can exceed; 0: none
	limited string  // what the rule is called
	columns []column
}

// A row is one lock.
type row struct {
	name     string
	label    string // at the left; "": the name
	emphasis emphasis
	dots     []point // Y is the value and X is not used; Y is NaN if there is none
}

// A mark says how one kind of dot is drawn, and its name.
type mark struct {
	name   string
	shape  shape
	hollow bool
	radius vg.Length
	slim   bool // its interval is thin, so that the main mark's stands out
}

// A column is text at the right end of the rows.
type column struct {
	head  string
	cells []string
	alarm []bool // cells that say "worse"; nil: none
}

// shown returns the name at the left.
func (r row) shown() string { return cmp.Or(r.label, elide(r.name)) }

const rowSize = 9.5 // of the text in rows

// rowHeight returns the height of one of n rows.
func rowHeight(n int) vg.Length {
	return min(max(300/vg.Length(max(n, 1)), 17), 26)
}

// rowsHeight returns the height of a plot of n rows with its axis.
func rowsHeight(n int) vg.Length { return rowHeight(n)*vg.Length(n) + 68 }

// plot returns the chart as a plot.
func (ch rowChart) plot() *plot.Plot {
	p := newPlot()
	vs := slices.Clone(ch.scope)
	for _, r := range ch.rows {
		for _, d := range r.dots {
			vs = append(vs, d.Y)
			if d.hasInterval() {
				vs = append(vs, d.Lo, d.Hi)
			}
		}
	}
	if ch.limit > 0 {
		vs = append(vs, ch.limit)
	}
	switch {
	case ch.log:
		ch.xNote += setLog(&p.X, vs)
		p.X.Tick.Marker = logTicks{ch.tick, 1.5}
	default:
		ch.xNote += setLinear(&p.X, vs)
		p.X.Tick.Marker = linearTicks{ch.tick}
	}
	p.X.Label.Text = ch.xLabel
	if inner := strings.TrimPrefix(ch.xUnit+ch.xNote, ", "); inner != "" {
		p.X.Label.Text += " (" + inner + ")"
	}
	p.Y.Min, p.Y.Max = -.5, float64(max(len(ch.rows), 1))-.5
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	p.X.Padding, p.Y.Padding = 0, 0
	p.Add(rowLayer{ch})
	return p
}

// rowLayer draws a rowChart into its plot.
type rowLayer struct{ rowChart }

func (r rowLayer) nameWidth() (w vg.Length) {
	if !r.names {
		return 0
	}
	for _, row := range r.rows {
		w = max(w, sansBold(rowSize).Width(row.shown()))
	}
	return w + 10
}

func (col column) width() (w vg.Length) {
	w = sans(8.5).Width(col.head)
	for _, cell := range col.cells {
		w = max(w, sansBold(rowSize).Width(cell))
	}
	return w + 12
}

const legendStrip = 24 // height of the strip that explains the dots

// GlyphBoxes reserves room for names, columns and legend.
func (r rowLayer) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	boxes := above(legendStrip)
	if w := r.nameWidth(); w > 0 {
		boxes = append(boxes, plot.GlyphBox{X: 0, Rectangle: vg.Rectangle{Min: vg.Point{X: -w}}})
	}
	var w vg.Length = 8
	for _, col := range r.columns {
		w += col.width()
	}
	return append(boxes, plot.GlyphBox{X: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: w}}})
}

// hue returns the colour of a row's dots.
func (r row) hue() color.RGBA {
	switch r.emphasis {
	case best, tied:
		return strong
	case reference:
		return ink
	}
	return plain
}

// Plot draws the rows.
func (r rowLayer) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	height := c.Size().Y / vg.Length(max(len(r.rows), 1))
	right := c.Max.X + 8
	for _, col := range r.columns {
		right += col.width()
	}

	for i, row := range r.rows {
		mid := y(float64(len(r.rows) - 1 - i))
		if row.emphasis == best {
			left := c.Min.X - r.nameWidth()
			c.FillPolygon(halo, []vg.Point{{X: left, Y: mid - height/2}, {X: right, Y: mid - height/2}, {X: right, Y: mid + height/2}, {X: left, Y: mid + height/2}})
		}
	}
	gridlines{x: true}.Plot(c, p)
	if r.limit > 0 {
		c.StrokeLine2(draw.LineStyle{Color: prose, Width: .9, Dashes: []vg.Length{1.5, 2}}, x(r.limit), c.Min.Y, x(r.limit), c.Max.Y)
		sans(7.5).write(c, vg.Point{X: x(r.limit), Y: c.Max.Y + 2.5}, .5, prose, r.limited)
	}
	for i, row := range r.rows {
		mid := y(float64(len(r.rows) - 1 - i))
		c.StrokeLine2(draw.LineStyle{Color: grid, Width: .5}, c.Min.X, mid, c.Max.X, mid)
		r.drawRow(c, row, mid, x)
		font := sans(rowSize)
		if row.emphasis == best || row.emphasis == reference {
			font = sansBold(rowSize)
		}
		base := mid - font.middle()
		hue := ink
		if row.emphasis >= tied {
			hue = strong
		}
		if r.names {
			font.write(c, vg.Point{X: c.Min.X - 10, Y: base}, 1, hue, row.shown())
		}
		at := c.Max.X + 8
		for _, col := range r.columns {
			at += col.width()
			clr := hue
			if row.emphasis == muted {
				clr = prose
			}
			if col.alarm != nil && col.alarm[i] {
				clr = alarm
			}
			font.write(c, vg.Point{X: at - 4, Y: base}, 1, clr, col.cells[i])
		}
	}
	r.drawLegend(c)
}

// drawRow draws the dots of a row, their intervals below them.
func (r rowLayer) drawRow(c draw.Canvas, row row, mid vg.Length, x func(float64) vg.Length) {
	hue := row.hue()
	lo, hi := c.Max.X, c.Min.X
	for _, d := range row.dots {
		if finite(d.Y) {
			lo, hi = min(lo, x(d.Y)), max(hi, x(d.Y))
		}
	}
	if r.joined && lo < hi {
		c.StrokeLine2(draw.LineStyle{Color: mix(hue, white, .45), Width: 1.2}, lo, mid, hi, mid)
	}
	for i, d := range row.dots {
		if finite(d.Y) && d.hasInterval() {
			half := vg.Length(3.4)
			if r.marks[i].slim {
				half = 1.6
			}
			interval(c, x(d.Lo), x(d.Hi), mid, half, hue)
		}
	}
	for i, d := range row.dots {
		if finite(d.Y) {
			m := r.marks[i]
			m.shape.draw(c, vg.Point{X: x(d.Y), Y: mid}, m.radius, hue, m.hollow)
		}
	}
}

// interval draws an interval: a translucent bar, half that thick on each side
// of mid.
func interval(c draw.Canvas, lo, hi, mid, half vg.Length, hue color.RGBA) {
	c.FillPolygon(translucent(hue, .3), []vg.Point{{X: lo, Y: mid - half}, {X: hi, Y: mid - half}, {X: hi, Y: mid + half}, {X: lo, Y: mid + half}})
}

// drawLegend explains the marks, and heads the columns, above the rows.
func (r rowLayer) drawLegend(c draw.Canvas) {
	font := sans(8.5)
	base := c.Max.Y + legendStrip/2 - 1
	at := c.Min.X
	if r.title != "" {
		bold := sansBold(rowSize)
		bold.write(c, vg.Point{X: at, Y: base}, 0, ink, r.title)
		at += bold.Width(r.title) + 14
	}
	for _, m := range r.marks {
		m.shape.draw(c, vg.Point{X: at + m.radius, Y: base + font.middle()}, m.radius, plain, m.hollow)
		at += 2*m.radius + 4
		font.write(c, vg.Point{X: at, Y: base}, 0, prose, m.name)
		at += font.Width(m.name) + 14
	}
	at = c.Max.X + 8
	for _, col := range r.columns {
		at += col.width()
		font.write(c, vg.Point{X: at - 4, Y: base}, 1, prose, col.head)
	}
}
