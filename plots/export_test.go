package plots

import (
	"fmt"
	"image/color"
	"slices"

	"github.com/lockbench/lockbench/results"
)

// What tests must see.
var (
	Spread     = spread
	Number     = number
	Short      = short
	Nanos      = nanos
	Hundredths = hundredths
	FileWord   = fileWord
)

// AddKind adds a row to the table of kinds, at its end, and returns what removes it. Of
// each file it draws what draw returns.
func AddKind(question, name string, draw func([]results.Summary, Options) ([]*Figure, []Skipped)) (remove func()) {
	before := kinds
	kinds = append(slices.Clone(kinds), kind{draw: draw, of: parts.forWaits, questions: map[string]string{name: question}})
	return func() { kinds = before }
}

const LabelHeight = labelHeight

// LogNorm returns where the safe logarithmic scale puts x.
func LogNorm(lo, hi, x float64) float64 { return logScale{}.Normalize(lo, hi, x) }

// LogRange returns the range of a logarithmic axis around values.
func LogRange(values ...float64) (lo, hi float64) {
	p := newPlot()
	setLog(&p.X, values)
	return p.X.Min, p.X.Max
}

// LinearRange returns the range of a linear axis around values, and what it
// notes.
func LinearRange(values ...float64) (lo, hi float64, note string) {
	p := newPlot()
	note = setLinear(&p.X, values)
	return p.X.Min, p.X.Max, note
}

// Ticks returns the labels of the ticks between lo and hi.
func Ticks(log bool, lo, hi float64) (labels []string) {
	ticks := linearTicks{short}.Ticks(lo, hi)
	if log {
		ticks = logTicks{short, 2}.Ticks(lo, hi)
	}
	for _, t := range ticks {
		if t.Label != "" {
			labels = append(labels, t.Label)
		}
	}
	return labels
}

// A Look is how a lock is drawn.
type Look struct {
	Hue, Text      float64 // contrast to white of the line, as drawn when muted, and of text
	Dark, DarkText float64 // contrast of the same to a dark ground
	Key            string  // hue and dashes
	Glyph          string  // hue and glyph
}

func darkContrast(c color.RGBA) float64 {
	n := dark(c).(color.NRGBA)
	return contrast(color.RGBA(n), darkGround)
}

// Looks returns the first n looks.
func Looks(n int) []Look {
	out := make([]Look, n)
	for i := range out {
		l := lookOf(i)
		stroke := line{look: l}.stroke()
		out[i] = Look{
			Hue:      contrast(mix(l.hue, white, .25), white),
			Text:     contrast(legible(l.hue), white),
			Dark:     darkContrast(mix(l.hue, white, .25)),
			DarkText: darkContrast(legible(l.hue)),
			Key:      fmt.Sprint(l.hue, stroke.Dashes),
			Glyph:    fmt.Sprint(l.hue, l.shape, l.hollow),
		}
	}
	return out
}
