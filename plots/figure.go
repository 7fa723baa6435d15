package plots

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Figure is a picture that needs no explanation: it says what it shows, under which
// conditions, and what was left out.
type Figure struct {
	// Name says what the figure shows in a form that can be a file name. It
	// is unique among the figures that All returns, and the same for the same
	// conditions in another set of results.
	Name string

	Title    string   // the finding, in a sentence computed from the data
	Subtitle []string // the conditions it holds under; a line each, or more when long
	Notes    []string // what was left out, and why; below the panels

	// Panels are side by side. If there are several, they share their rows, and only
	// the first names them.
	Panels []*plot.Plot

	// Width is the width of the whole figure, Body the height of the panels.
	Width, Body vg.Length

	blind bool // the distance of the CPUs is unknown, although that of others is known

	// Dark asks for light inks on a dark ground.
	Dark bool
}

const (
	figureWidth = 760
	margin      = 20
	titleSize   = 15
	textSize    = 9.5
	noteSize    = 8.5
	leading     = 1.35 // line height as a multiple of the font size
)

// A paragraph is lines of text in one font.
type paragraph struct {
	font  typeface
	lines []string
}

func (p paragraph) height() vg.Length {
	return vg.Length(len(p.lines)) * p.font.Font.Size * leading
}

// head returns the title and the subtitle, broken into lines.
func (f *Figure) head() (title, subtitle paragraph) {
	room := f.Width - 2*margin
	title.font, subtitle.font = sansBold(titleSize), sans(textSize)
	title.lines = title.font.balance(f.Title, room)
	for _, s := range f.Subtitle {
		subtitle.lines = append(subtitle.lines, subtitle.font.wrap(s, room)...)
	}
	return title, subtitle
}

// foot returns the notes, broken into lines.
func (f *Figure) foot() paragraph {
	p := paragraph{font: sans(noteSize)}
	for _, s := range f.Notes {
		p.lines = append(p.lines, p.font.wrap(s, f.Width-2*margin)...)
	}
	return p
}

// Size returns how large a canvas the figure needs.
func (f *Figure) Size() (width, height vg.Length) {
	title, subtitle := f.head()
	return f.Width, margin + title.height() + 3 + subtitle.height() + 12 + f.Body + 6 + f.foot().height() + margin*.7
}

// Draw draws the figure on c, which should be of the size that [Figure.Size] returns;
// on any other, the panels take the room that the text leaves.
func (f *Figure) Draw(c draw.Canvas) {
	if f.Dark {
		c.Canvas = darkened{c.Canvas}
	}
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())

	title, subtitle := f.head()
	top := c.Max.Y - margin
	top = title.draw(c, top, ink)
	top = subtitle.draw(c, top-3, prose)
	foot := f.foot()
	bottom := c.Min.Y + margin*.7 + foot.height()
	foot.draw(c, bottom, prose)

	body := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: c.Min.X + margin, Y: bottom + 6},
		Max: vg.Point{X: c.Max.X - margin, Y: top - 12},
	}}
	for i, panel := range f.panels(body) {
		f.Panels[i].Draw(panel)
	}
}

// draw writes the paragraph below top and returns where it ends.
func (p paragraph) draw(c draw.Canvas, top vg.Length, clr color.RGBA) vg.Length {
	for _, s := range p.lines {
		p.font.write(c, vg.Point{X: c.Min.X + margin, Y: top - p.font.Font.Size}, 0, clr, s)
		top -= p.font.Font.Size * leading
	}
	return top
}

// panels divides body so that the data of all panels are equally wide, regardless of
// what else a panel has at its sides.
func (f *Figure) panels(body draw.Canvas) []draw.Canvas {
	const gap = 22
	n := vg.Length(len(f.Panels))
	room := body.Size().X - gap*(n-1)
	sides := make([]vg.Length, len(f.Panels))
	for i, p := range f.Panels {
		sides[i] = body.Size().X - dataWidth(p, body)
		room -= sides[i]
	}
	out := make([]draw.Canvas, len(f.Panels))
	left := body.Min.X
	for i := range f.Panels {
		w := room/n + sides[i]
		out[i] = draw.Canvas{Canvas: body.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left, Y: body.Min.Y},
			Max: vg.Point{X: left + w, Y: body.Max.Y},
		}}
		left += w + gap
	}
	return out
}

func dataWidth(p *plot.Plot, c draw.Canvas) vg.Length { return p.DataCanvas(c).Size().X }
