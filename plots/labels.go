package plots

import (
	"cmp"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// spread returns positions for labels of equal height, so that none overlaps another,
// all stay within [lo, hi], their order is that of want, and the sum of squared
// distances to want is as small as it can be. Labels with the same wanted position keep
// the order in which they are given, the first one lowest.
//
// The positions are those of the labels' centres. If the labels do not fit, they fill
// the room evenly and overlap.
func spread(want []float64, height, lo, hi float64) []float64 {
	n := len(want)
	at := make([]float64, n)
	if n == 0 {
		return at
	}
	if room := hi - lo; float64(n)*height > room {
		height = room / float64(n)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(want[a], want[b]) })

	// With q[i] = at[i] - i*height, "no overlap" means that q does not decrease: the
	// problem is an isotonic regression, which pooling adjacent violators solves.
	// Labels that touch share a block.
	type block struct {
		sum float64
		n   int
	}
	var blocks []block
	mean := func(b block) float64 { return b.sum / float64(b.n) }
	for i, o := range order {
		b := block{want[o] - float64(i)*height, 1}
		for len(blocks) > 0 && mean(blocks[len(blocks)-1]) >= mean(b) {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b = block{b.sum + last.sum, b.n + last.n}
		}
		blocks = append(blocks, b)
	}

	// Clamping the solution keeps it optimal: the bounds are the same for all of q,
	// because lo limits only the first label and hi only the last.
	first, last := lo+height/2, hi-height/2-float64(n-1)*height
	i := 0
	for _, b := range blocks {
		q := min(max(mean(b), first), max(first, last))
		for range b.n {
			at[order[i]] = q + float64(i)*height
			i++
		}
	}
	return at
}

// endLabels is the legend of a line chart: it names each line at its right
// end, in the order in which the lines end, with a piece of the line and the
// value there, and with a leader where a label had to move. It draws in a
// gutter that it reserves right of the data.
type endLabels struct {
	lines []line
	value func(float64) string // formats the value at the end
	head  string               // heads the column of values
}

const (
	labelHeight = 12.5 // of a label, from the middle of one to the middle of the next
	labelSize   = 9
	leaderWidth = 22
	sampleWidth = 24
	labelGap    = 5
)

// fonts returns the regular and the bold font of the labels.
func (e endLabels) fonts() (regular, bold typeface) { return sans(labelSize), sansBold(labelSize) }

// widths returns the widths of the names' and the values' column.
func (e endLabels) widths() (names, values vg.Length) {
	_, bold := e.fonts()
	for _, l := range e.lines {
		names = max(names, bold.Width(l.shown()))
		values = max(values, bold.Width(e.value(l.end().Y)))
	}
	return names, values
}

// width returns the width of the labels, or of the heading if that is wider.
func (e endLabels) width() vg.Length {
	names, values := e.widths()
	regular, _ := e.fonts()
	return max(sampleWidth+labelGap+names+2*labelGap+values, regular.Width(e.head))
}

// GlyphBoxes reserves the gutter.
func (e endLabels) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	return []plot.GlyphBox{{X: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: leaderWidth + e.width()}}}}
}

// Plot draws the labels.
func (e endLabels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	want := make([]float64, len(e.lines))
	for i, l := range e.lines {
		want[i] = float64(y(l.end().Y))
	}
	// Lines that end alike are labelled best first, that is, highest.
	order := make([]int, len(e.lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(e.lines[b].rank, e.lines[a].rank) })
	sorted := make([]float64, len(order))
	for i, o := range order {
		sorted[i] = want[o]
	}
	at := make([]float64, len(order))
	for i, pos := range spread(sorted, labelHeight, float64(c.Min.Y), float64(c.Max.Y)) {
		at[order[i]] = pos
	}

	regular, bold := e.fonts()
	left := c.Max.X + leaderWidth
	right := left + e.width()
	regular.write(c, vg.Point{X: right, Y: headBase(c)}, 1, prose, e.head)

	// Leaders are drawn below everything else, that of the best line above the others.
	for _, i := range order {
		l := e.lines[i]
		end := l.end()
		from := vg.Point{X: x(end.X), Y: y(end.Y)}
		to := vg.Point{X: left - 2, Y: vg.Length(at[i])}
		pts := []vg.Point{from, {X: max(from.X, c.Max.X+4), Y: from.Y}, to}
		c.StrokeLines(draw.LineStyle{Color: e.leader(l), Width: .5}, pts)
	}
	for i, l := range e.lines {
		mid := vg.Point{X: left, Y: vg.Length(at[i])}
		l.sample(c, mid, sampleWidth)
		font := regular
		if l.emphasis == best || l.emphasis == reference {
			font = bold
		}
		hue := legible(l.look.hue)
		if l.emphasis == reference {
			hue = ink
		}
		base := mid.Y - font.middle()
		font.write(c, vg.Point{X: left + sampleWidth + labelGap, Y: base}, 0, hue, l.shown())
		font.write(c, vg.Point{X: right, Y: base}, 1, hue, e.value(l.end().Y))
	}
}

// leader returns the colour of the leader of l.
func (e endLabels) leader(l line) color.RGBA {
	if l.emphasis == best {
		return mix(l.look.hue, white, .3)
	}
	return faint
}
