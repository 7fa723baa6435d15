package plots

import (
	"image/color"
	"math"
	"strings"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// hues are the colours of Okabe and Ito, distinguishable with every common
// form of colour blindness, less yellow (too faint on white) and black (kept
// for text and for the reference).
// Source: Okabe and Ito, "Color Universal Design", 2008.
var hues = []color.RGBA{
	{0x00, 0x72, 0xB2, 0xFF}, // blue
	{0xD5, 0x5E, 0x00, 0xFF}, // vermillion
	{0x00, 0x9E, 0x73, 0xFF}, // bluish green
	{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
	{0xE6, 0x9F, 0x00, 0xFF}, // orange
	{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
	{0x70, 0x70, 0x70, 0xFF}, // grey
}

// dashes are used in turn once all hues are used: a solid line, then shorter and
// shorter strokes.
var dashes = [][]vg.Length{
	nil,
	{7, 2.5},
	{2.5, 2},
	{8, 2, 1.5, 2},
}

// The inks that mean the same in every figure.
var (
	white  = color.RGBA{0xFF, 0xFF, 0xFF, 0xFF}
	ink    = color.RGBA{0x22, 0x22, 0x22, 0xFF} // titles, the reference
	prose  = color.RGBA{0x55, 0x55, 0x55, 0xFF} // subtitles, axes, notes
	faint  = color.RGBA{0xB8, 0xB8, 0xB8, 0xFF} // leaders
	grid   = color.RGBA{0xE9, 0xE9, 0xE9, 0xFF}
	shade  = color.RGBA{0xF3, 0xF1, 0xEA, 0xFF} // oversubscribed CPU counts
	strong = hues[0]                            // the best row
	halo   = color.RGBA{0xE8, 0xF1, 0xF8, 0xFF} // behind the best row
	plain  = color.RGBA{0x6B, 0x86, 0x9C, 0xFF} // any other row
	alarm  = color.RGBA{0xB3, 0x4A, 0x00, 0xFF} // a number that says "worse"
)

// A look is how one lock is drawn. A lock has one look in all the figures
// of a results file.
type look struct {
	hue    color.RGBA
	dashes []vg.Length
	shape  shape
	hollow bool
}

// lookOf returns the look of the i'th lock. No two of the first 28 share hue and
// dashes, and no two of the first 84 share hue and glyph.
func lookOf(i int) look {
	return look{
		hue:    hues[i%len(hues)],
		dashes: dashes[i/len(hues)%len(dashes)],
		shape:  shape(i % int(shapes)),
		hollow: i/int(shapes)%2 == 1,
	}
}

// A shape is the outline of a glyph.
type shape int

const (
	circle shape = iota
	square
	diamond
	up
	down
	cross
	shapes // their number
	bar    // a vertical stroke; not for lines, where it would hide
)

// corners holds the polygons of the shapes that are polygons, for a glyph of radius 1.
// They have about the area of the circle.
var corners = map[shape][]vg.Point{
	square:  {{X: -.88, Y: -.88}, {X: .88, Y: -.88}, {X: .88, Y: .88}, {X: -.88, Y: .88}},
	diamond: {{X: 0, Y: -1.25}, {X: 1.25, Y: 0}, {X: 0, Y: 1.25}, {X: -1.25, Y: 0}},
	up:      {{X: -1.2, Y: -.85}, {X: 1.2, Y: -.85}, {X: 0, Y: 1.25}},
	down:    {{X: -1.2, Y: .85}, {X: 1.2, Y: .85}, {X: 0, Y: -1.25}},
	bar:     {{X: -.4, Y: -1.3}, {X: .4, Y: -1.3}, {X: .4, Y: 1.3}, {X: -.4, Y: 1.3}},
	cross: {
		{X: 0, Y: .45}, {X: .7, Y: 1.15}, {X: 1.15, Y: .7}, {X: .45, Y: 0},
		{X: 1.15, Y: -.7}, {X: .7, Y: -1.15}, {X: 0, Y: -.45}, {X: -.7, Y: -1.15},
		{X: -1.15, Y: -.7}, {X: -.45, Y: 0}, {X: -1.15, Y: .7}, {X: -.7, Y: 1.15},
	},
}

// draw draws the shape around pt: filled, or hollow with a white core.
func (s shape) draw(c draw.Canvas, pt vg.Point, radius vg.Length, hue color.RGBA, hollow bool) {
	var p vg.Path
	if pts, ok := corners[s]; ok {
		for i, q := range pts {
			q = vg.Point{X: pt.X + q.X*radius, Y: pt.Y + q.Y*radius}
			if i == 0 {
				p.Move(q)
			} else {
				p.Line(q)
			}
		}
	} else {
		p.Move(vg.Point{X: pt.X + radius, Y: pt.Y})
		p.Arc(pt, radius, 0, 2*math.Pi)
	}
	p.Close()

	core, edge := hue, white
	width := vg.Length(.6)
	if hollow {
		core, edge = white, hue
		width = max(1, radius/3)
	}
	c.SetColor(core)
	c.Fill(p)
	c.SetLineStyle(draw.LineStyle{Color: edge, Width: width})
	c.Stroke(p)
}

// mix returns a with the share t of b in it, opaque.
func mix(a, b color.RGBA, t float64) color.RGBA {
	f := func(x, y uint8) uint8 { return uint8(math.Round(float64(x)*(1-t) + float64(y)*t)) }
	return color.RGBA{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), 0xFF}
}

// translucent returns c at an opacity between 0 and 1.
func translucent(c color.RGBA, opacity float64) color.NRGBA {
	return color.NRGBA{c.R, c.G, c.B, uint8(math.Round(255 * opacity))}
}

// legible returns c, darkened until text in it can be read on white. 4.5 is the
// contrast that criterion 1.4.3 of WCAG 2.1 requires for text.
func legible(c color.RGBA) color.RGBA {
	for contrast(c, white) < 4.5 {
		c = mix(c, color.RGBA{A: 0xFF}, .05)
	}
	return c
}

// A darkened canvas draws on a dark ground what is drawn for white.
type darkened struct{ vg.Canvas }

// SetColor sets the colour that replaces c.
func (d darkened) SetColor(c color.Color) { d.Canvas.SetColor(dark(c)) }

// The scale of greys from white to ink becomes the one between these two on a dark
// ground.
var (
	darkGround = color.RGBA{0x0D, 0x11, 0x17, 0xFF} // for white
	darkInk    = color.RGBA{0xF0, 0xF3, 0xF6, 0xFF} // for ink
)

// dark returns the colour that replaces c on a dark ground: a grey as light as c is
// dark, and any other colour light enough to be seen there.
func dark(c color.Color) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	opaque := color.RGBA{n.R, n.G, n.B, 0xFF}
	lo, hi := min(n.R, n.G, n.B), max(n.R, n.G, n.B)
	if hi-lo < 24 { // a grey, or nearly
		light := (float64(lo) + float64(hi)) / 2
		opaque = mix(darkInk, darkGround, min(max((light-float64(ink.R))/(255-float64(ink.R)), 0), 1))
	} else {
		for contrast(opaque, darkGround) < 5 {
			opaque = mix(opaque, white, .05)
		}
	}
	return color.NRGBA{opaque.R, opaque.G, opaque.B, n.A}
}

// contrast returns the contrast ratio of two colours, 1 to 21, as WCAG 2.1
// defines it.
func contrast(a, b color.RGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + .05) / (min(la, lb) + .05)
}

// luminance returns the relative luminance of an sRGB colour, 0 to 1.
func luminance(c color.RGBA) float64 {
	f := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= .04045 {
			return x / 12.92
		}
		return math.Pow((x+.055)/1.055, 2.4)
	}
	return .2126*f(c.R) + .7152*f(c.G) + .0722*f(c.B)
}

// A typeface is a font at a size, ready to measure and to write with.
type typeface struct{ *font.Face }

// sans returns Liberation Sans at a size in points. Its metrics are those of
// Arial and Helvetica, so a browser without it sets the text just as wide.
func sans(size vg.Length) typeface {
	return lookup(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
}

// sansBold is the bold face of sans.
func sansBold(size vg.Length) typeface {
	return lookup(font.Font{Typeface: "Liberation", Variant: "Sans", Weight: stdfont.WeightBold}, size)
}

func lookup(f font.Font, size vg.Length) typeface {
	face := font.DefaultCache.Lookup(f, size)
	return typeface{&face}
}

// write draws one line of text with its baseline at pt.Y. Its left end
// (align 0), centre (.5) or right end (1) is at pt.X.
func (t typeface) write(c draw.Canvas, pt vg.Point, align float64, clr color.RGBA, s string) {
	if s == "" {
		return
	}
	c.SetColor(clr)
	pt.X -= vg.Length(align) * t.Width(s)
	c.FillString(*t.Face, pt, s)
}

// middle returns how far below the middle of a line of text its baseline is, judging by
// the height of digits and lower-case letters with ascenders.
func (t typeface) middle() vg.Length { return t.Font.Size * .35 }

// elide shortens names that would leave no room for data.
func elide(name string) string {
	const most = 28
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return string(runes[:most-1]) + "…"
}

// balance breaks s into as few lines as wrap does, about equally long.
func (t typeface) balance(s string, width vg.Length) []string {
	lines := t.wrap(s, width)
	for w := width; w > width/2; w -= 4 {
		narrower := t.wrap(s, w)
		if len(narrower) > len(lines) {
			break
		}
		lines = narrower
	}
	return lines
}

// wrap breaks s at its spaces (not at no-break spaces) into lines no wider than width.
// A single word that is wider has a line to itself.
func (t typeface) wrap(s string, width vg.Length) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(s, " ") {
		longer := word
		if line != "" {
			longer = line + " " + word
		}
		if line != "" && t.Width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
