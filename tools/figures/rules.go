package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	glyph "gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/plots"
)

// rulesData is the output of gatetrial replay, rulesFigure the figure drawn from it.
const (
	rulesData   = "docs/data/gatetrial.json"
	rulesMaker  = "go run ./tools/gatetrial replay -dir TAPES -json " + rulesData
	rulesFigure = "docs/fig-gate-rules"
)

// A ruleOutcome is the result of one rule for the runs of a trial.
type ruleOutcome struct {
	Rule       string
	Module     string
	Recombined bool
	Alarms     ruleShare // runs of the same code with a false alarm
	Found5     ruleShare // share of benchmarks made 5 % slower that were found
	Found10    ruleShare // and 10 %
}

// A ruleShare is N of a total, as a share with its interval.
type ruleShare struct {
	N, Of  int
	Lo, Hi float64
}

func (s ruleShare) percent() float64 { return 100 * float64(s.N) / float64(max(1, s.Of)) }

// drawRules adds the figure of the gate's rule and the alternatives to published, for
// light and dark pages, if there are data.
func drawRules(root string, published map[string][]byte) error {
	data, err := os.ReadFile(filepath.Join(root, rulesData))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var all []ruleOutcome
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("%s: %w", rulesData, err)
	}
	figure, err := rulesOf(all)
	if err != nil {
		return fmt.Errorf("%s: %w", rulesData, err)
	}
	for suffix, dark := range map[string]bool{".svg": false, "-dark.svg": true} {
		figure.Dark = dark
		if published[rulesFigure+suffix], err = figure.Encode("svg"); err != nil {
			return err
		}
	}
	return nil
}

// ruleLooks are how the rules are drawn, in the order of the data: they differ in shape
// as well as in colour.
var ruleLooks = []struct {
	hue   color.RGBA
	shape glyph.GlyphDrawer
}{
	{color.RGBA{0x00, 0x72, 0xB2, 0xFF}, glyph.CircleGlyph{}},
	{color.RGBA{0xD5, 0x5E, 0x00, 0xFF}, glyph.TriangleGlyph{}},
	{color.RGBA{0x00, 0x9E, 0x73, 0xFF}, glyph.BoxGlyph{}},
	{color.RGBA{0x70, 0x70, 0x70, 0xFF}, glyph.PyramidGlyph{}},
}

// rulesOf draws, for each rule on the real runs of all modules, the share of slowdowns
// that it found over its false alarms.
func rulesOf(all []ruleOutcome) (*plots.Figure, error) {
	panels := []*plot.Plot{plot.New(), plot.New()}
	runs, i := 0, 0
	for _, o := range all {
		if o.Module != "all" || o.Recombined {
			continue
		}
		if i == len(ruleLooks) {
			return nil, fmt.Errorf("more than %d rules", len(ruleLooks))
		}
		look := ruleLooks[i]
		i++
		runs = o.Alarms.Of
		for k, found := range []ruleShare{o.Found5, o.Found10} {
			at := ruleAt{plotter.XYs{{X: o.Alarms.percent(), Y: found.percent()}}, o.Alarms, found}
			across, err := plotter.NewXErrorBars(at)
			if err != nil {
				return nil, err
			}
			up, err := plotter.NewYErrorBars(at)
			if err != nil {
				return nil, err
			}
			point, err := plotter.NewScatter(at)
			if err != nil {
				return nil, err
			}
			across.Color, up.Color = look.hue, look.hue
			point.GlyphStyle = glyph.GlyphStyle{Color: look.hue, Radius: 5, Shape: look.shape}
			panels[k].Add(across, up, point)
			if k == 0 {
				panels[k].Legend.Add(o.Rule, point)
			}
		}
	}
	if i == 0 {
		return nil, errors.New("no rule on the real runs of all modules")
	}
	for k, p := range panels {
		p.X.Label.Text = "runs of the same code with a false alarm, %"
		p.Y.Label.Text = []string{"found of what is 5 % slower, %", "found of what is 10 % slower, %"}[k]
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, 0, 100
		style(p)
		p.Legend.XOffs, p.Legend.YOffs = -4, 4
	}
	return &plots.Figure{
		Name:     "gate-rules",
		Title:    "What rules find, and how often they are wrong",
		Subtitle: []string{fmt.Sprintf("the same tapes of %d real runs of the same code, and of those made slower, judged by each rule; 95 %% intervals. The best place is the upper left.", runs)},
		Panels:   panels,
		Width:    760,
		Body:     330,
	}, nil
}

// style sets the letters and the ground of a plot.
func style(p *plot.Plot) {
	p.BackgroundColor = color.White
	p.Legend.Padding = 2
	p.Legend.TextStyle.Color = color.Gray{0x22}
	for _, f := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		f.Variant, f.Size = "Sans", 9
	}
}

// ruleAt is one point with intervals both ways.
type ruleAt struct {
	plotter.XYs
	x, y ruleShare
}

func (r ruleAt) XError(int) (low, high float64) {
	return r.x.percent() - 100*r.x.Lo, 100*r.x.Hi - r.x.percent()
}

func (r ruleAt) YError(int) (low, high float64) {
	return r.y.percent() - 100*r.y.Lo, 100*r.y.Hi - r.y.percent()
}
