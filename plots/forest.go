package plots

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// ForestOptions say how to draw a report. The zero value is a good choice.
type ForestOptions struct {
	Rows    int      // at most; 0 is 40
	Formats []string // formats of WriteForest, "svg" and "png"; nil is both
}

// WriteForest draws the figure that [Forest] returns into files in dir, as
// [Write] does.
func WriteForest(dir string, r *gate.Report, o ForestOptions) ([]File, error) {
	return writeFigures(dir, []*Figure{Forest(r, o)}, Options{Formats: o.Formats})
}

// Forest draws the changes of a report, each with its interval, and the margin: a row
// for each unit of a benchmark, the worst on top. Worse is always to the right, whether
// more of the unit is better or less.
func Forest(r *gate.Report, o ForestOptions) *Figure {
	shown, hidden := chooseForest(r, cmp.Or(o.Rows, 40))
	f := newForest(r, shown)
	return &Figure{
		Name:     "forest",
		Title:    forestTitle(r),
		Subtitle: forestSubtitle(r),
		Notes:    append(f.notes(), forestNotes(r, hidden)...),
		Panels:   []*plot.Plot{f.plot()},
		Width:    figureWidth,
		Body:     forestRowHeight(len(f.rows))*vg.Length(len(f.rows)) + f.strip() + 44,
	}
}

// A judgement is what a row's colour and shape mean.
type judgement int

const (
	isWorse judgement = iota
	isOpen
	isFine
	isBetter
	judgements
)

var judgementLooks = [judgements]struct {
	word  string
	hue   color.RGBA
	shape shape
}{
	isWorse:  {"regressed", hues[1], up},
	isOpen:   {"cannot tell", hues[4], square},
	isFine:   {"pass", hues[0], circle},
	isBetter: {"improved", hues[2], down},
}

func judge(res *gate.Result) judgement {
	switch {
	case res.Verdict == gate.Regressed:
		return isWorse
	case res.Verdict != gate.Pass:
		return isOpen
	case res.Improved():
		return isBetter
	}
	return isFine
}

// chooseForest leaves out plain passes first, then improvements.
func chooseForest(r *gate.Report, most int) (shown, hidden []*gate.Result) {
	order := []judgement{isWorse, isOpen, isBetter, isFine}
	taken := make(map[*gate.Result]bool)
	for _, j := range order {
		room := most - len(taken)
		if j == isBetter {
			room = min(room, max(most/5, 1))
		}
		for i := range r.Results {
			if res := &r.Results[i]; judge(res) == j && room > 0 {
				taken[res] = true
				room--
			}
		}
	}
	for i := range r.Results {
		if res := &r.Results[i]; taken[res] {
			shown = append(shown, res)
		} else {
			hidden = append(hidden, res)
		}
	}
	return shown, hidden
}

// A forest is the layout of the rows. Its numbers are shares; more is worse.
type forest struct {
	rows    []forestRow
	left    []forestColumn // text to the left of the rows
	right   []forestColumn
	units   bool // the units differ: each row names its own
	margin  float64
	min     float64 // what the axis shows
	max     float64
	counts  [judgements]int
	spreads bool // a row has a spread
	clipped bool
	minor   bool
	hollow  bool
	exact   bool
	flipped bool
}

type forestRow struct {
	name, unit, change, pairs string
	judgement
	at, lo, hi     float64 // infinite if the interval is; NaN if there is no change
	spread, margin float64 // NaN if there is none
	limit          float64 // upper bound of the interval of a change that passes; 0 if that is the margin
	hollow, minor  bool
}

func newForest(r *gate.Report, shown []*gate.Result) *forest {
	f := &forest{margin: cmp.Or(r.Rules.Margin, gate.DefaultMargin)}
	names := r.Names()
	for _, res := range shown {
		f.units = f.units || res.Unit != shown[0].Unit || res.Unit != "ns/op"
		f.rows = append(f.rows, newForestRow(names, res))
	}
	for _, row := range f.rows {
		f.counts[row.judgement]++
		f.spreads = f.spreads || finite(row.spread) && row.spread > 0
		f.minor = f.minor || row.minor
		f.hollow = f.hollow || row.hollow
		f.exact = f.exact || row.pairs == "exact"
		f.flipped = f.flipped || strings.HasSuffix(row.unit, "↑")
	}
	f.setRange()
	f.setColumns()
	return f
}

// newForestRow returns the row of a result. Absurd values become infinite, so that they
// are not drawn.
func newForestRow(names map[gate.Benchmark]string, res *gate.Result) forestRow {
	row := forestRow{
		name: names[res.Benchmark], unit: res.Unit, judgement: judge(res),
		change: forestChange(res), pairs: strconv.Itoa(res.N),
		at: math.NaN(), lo: math.NaN(), hi: math.NaN(), spread: math.NaN(), margin: res.Margin + res.Drift,
		hollow: res.Unpaired, minor: res.Minor,
	}
	if res.Distance == results.Near || res.Distance == results.Far {
		row.name += " " + string(res.Distance)
	}
	if res.Better > 0 {
		row.unit += " ↑"
	}
	if !(row.margin >= 0) {
		row.margin = 0
	}
	if res.Better == 0 || math.IsNaN(res.Change) {
		return row
	}
	worse := func(v float64) float64 {
		switch {
		case v <= -1 && !res.Signed: // no value shrinks by more than 100 %
			v = math.Inf(-1)
		case v > 1e6:
			v = math.Inf(+1)
		case v < -1e6:
			v = math.Inf(-1)
		}
		return -float64(res.Better) * v
	}
	if res.Exact && math.Abs(res.Change) <= 1e6 {
		// A change to 0 is one of 100 %, and not an unknown one.
		row.at = -float64(res.Better) * res.Change
		row.lo, row.hi, row.pairs = row.at, row.at, "exact"
		return row
	}
	row.at, row.lo, row.hi = worse(res.Change), worse(res.Lo), worse(res.Hi)
	if row.lo > row.hi {
		row.lo, row.hi = row.hi, row.lo
	}
	if res.Exact {
		row.lo, row.hi, row.pairs = row.at, row.at, "exact"
	} else if res.Spread >= 0 && res.Spread <= 1e6 {
		row.spread = res.Spread
	}
	if !res.Exact && !res.Unpaired {
		row.limit = twice(row.margin, res)
	}
	return row
}

// twice returns the change that is worse by twice the margin.
func twice(margin float64, res *gate.Result) float64 {
	switch {
	case res.Signed:
		return 2 * margin
	case res.Better > 0:
		return 1 - (1-margin)*(1-margin)
	}
	return (1+margin)*(1+margin) - 1
}

// setRange chooses the range of the axis: all rows, unless a few are so far out that
// the others could not be seen.
func (f *forest) setRange() {
	var out []float64 // how far each row reaches
	lo, hi, margin := 0.0, 0.0, f.margin
	for _, row := range f.rows {
		far := 0.0
		for _, v := range []float64{row.at, row.lo, row.hi, row.spread, -row.spread} {
			if finite(v) {
				lo, hi, far = min(lo, v), max(hi, v), max(far, math.Abs(v))
			}
		}
		out = append(out, far)
	}
	most := math.Inf(1)
	if n := len(out); n > 0 {
		slices.Sort(out)
		if m := max(4*margin, 2*out[(n-1)*3/4]); out[n-1] > 2*m {
			most = m
		}
	}
	f.min = -max(min(-lo*1.06, most), margin*1.35)
	f.max = max(min(hi*1.06, most), margin*1.35)
	for _, row := range f.rows {
		if row.lo < f.min || row.hi > f.max || row.at < f.min || row.at > f.max {
			f.clipped = true
		}
	}
}

func forestRowHeight(n int) vg.Length { return min(max(420/vg.Length(max(n, 1)), 14.5), 24) }

const forestSize = 9 // of the text in rows

func (f *forest) plot() *plot.Plot {
	p := newPlot()
	p.X.Min, p.X.Max = f.min, f.max
	p.X.Tick.Marker = linearTicks{percentTick}
	p.X.Label.Text = "← better" + strings.Repeat(noBreak, 6) + "change" + strings.Repeat(noBreak, 6) + "worse →"
	p.Y.Min, p.Y.Max = -.5, float64(max(len(f.rows), 1))-.5
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	p.X.Padding, p.Y.Padding = 0, 0
	p.Add(forestLayer{f})
	return p
}

// forestLayer draws a forest into its plot.
type forestLayer struct{ *forest }

const forestGap = 10 // between columns of text

// A forestColumn is one of the columns of text to the left of the rows.
type forestColumn struct {
	head  string
	cells []string // of the rows
	width vg.Length
}

// setColumns lays out the text to the left of the rows.
func (f *forest) setColumns() {
	f.left = []forestColumn{f.column("", 250, func(row forestRow) string { return row.name })}
	if f.units {
		f.left = append(f.left, f.column("", 90, func(row forestRow) string { return row.unit }))
	}
	f.right = []forestColumn{
		f.column("change", 90, func(row forestRow) string { return row.change }),
		f.column("pairs", 60, func(row forestRow) string { return row.pairs }),
	}
}

func (f *forest) column(head string, most vg.Length, cell func(forestRow) string) forestColumn {
	c := forestColumn{head: head, width: sans(8.5).Width(head)}
	for _, row := range f.rows {
		s := squeeze(cell(row), most)
		c.cells = append(c.cells, s)
		c.width = max(c.width, sansBold(forestSize).Width(s))
	}
	return c
}

// squeeze shortens a name in its middle until it is no wider than most, in bold.
func squeeze(name string, most vg.Length) string {
	font, runes := sansBold(forestSize), []rune(name)
	for n := min(len(runes)-1, 100); font.Width(name) > most && n > 2; n-- {
		name = string(runes[:n/2]) + "…" + string(runes[len(runes)-(n-n/2):])
	}
	return name
}

func columnsWidth(columns []forestColumn) (w vg.Length) {
	for _, c := range columns {
		w += c.width + forestGap
	}
	return w
}

// GlyphBoxes reserves room for the text, and for the legend above.
func (f forestLayer) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	return append(above(f.strip()),
		plot.GlyphBox{X: 0, Rectangle: vg.Rectangle{Min: vg.Point{X: -columnsWidth(f.left)}}},
		plot.GlyphBox{X: 1, Rectangle: vg.Rectangle{Max: vg.Point{X: columnsWidth(f.right)}}})
}

// marginShade is behind the rows, as wide as the margin, and limitShade as far as the
// intervals of changes that pass.
var (
	marginShade = color.RGBA{0xE6, 0xEF, 0xE6, 0xFF}
	limitShade  = color.RGBA{0xF4, 0xF8, 0xF4, 0xFF}
)

// Plot draws the rows.
func (f forestLayer) Plot(c draw.Canvas, p *plot.Plot) {
	at, y := p.Transforms(&c)
	x := func(v float64) vg.Length { return at(min(max(v, f.min), f.max)) }
	height := c.Size().Y / vg.Length(max(len(f.rows), 1))
	middle := func(i int) vg.Length { return y(float64(len(f.rows) - 1 - i)) }
	box := func(lo, hi float64, mid, half vg.Length, clr color.Color) {
		c.FillPolygon(clr, []vg.Point{{X: x(lo), Y: mid - half}, {X: x(hi), Y: mid - half}, {X: x(hi), Y: mid + half}, {X: x(lo), Y: mid + half}})
	}
	for i, row := range f.rows {
		if row.limit > row.margin {
			box(row.margin, row.limit, middle(i), height/2, limitShade)
		}
		box(-row.margin, row.margin, middle(i), height/2, marginShade)
	}
	gridlines{x: true}.Plot(c, p)
	for i, row := range f.rows {
		if finite(row.spread) {
			box(-row.spread, row.spread, middle(i), min(height*.27, 4), spreadShade)
		}
	}
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: .8}, x(0), c.Min.Y, x(0), c.Max.Y)
	for i, row := range f.rows {
		mid := middle(i)
		if row.margin != f.margin && row.margin > 0 {
			for _, v := range []float64{-row.margin, row.margin} {
				c.StrokeLine2(draw.LineStyle{Color: prose, Width: .9}, x(v), mid-height*.42, x(v), mid+height*.42)
			}
		}
		f.drawRow(c, row, mid, x)
		f.drawText(c, i, mid)
	}
	f.drawLegend(c)
}

// spreadShade is the colour of the spread of a row.
var spreadShade = color.RGBA{0xC9, 0xC9, 0xC9, 0xFF}

// drawRow draws a change and its interval.
func (f forestLayer) drawRow(c draw.Canvas, row forestRow, mid vg.Length, x func(float64) vg.Length) {
	if math.IsNaN(row.at) {
		return
	}
	look := judgementLooks[row.judgement]
	hue := look.hue
	if row.minor {
		hue = mix(hue, white, .55)
	}
	if row.lo < row.hi {
		c.StrokeLine2(draw.LineStyle{Color: hue, Width: 1.7}, x(row.lo), mid, x(row.hi), mid)
	}
	arrow := func(at, to vg.Length) {
		c.FillPolygon(hue, []vg.Point{{X: at + to*5.5, Y: mid}, {X: at - to*1.5, Y: mid + 3.8}, {X: at - to*1.5, Y: mid - 3.8}})
	}
	if row.lo < f.min {
		arrow(c.Min.X, -1)
	}
	if row.hi > f.max {
		arrow(c.Max.X, +1)
	}
	if f.min <= row.at && row.at <= f.max {
		look.shape.draw(c, vg.Point{X: x(row.at), Y: mid}, 3.6, hue, row.hollow)
	}
}

// drawText writes the text of a row.
func (f forestLayer) drawText(c draw.Canvas, i int, mid vg.Length) {
	row := f.rows[i]
	font, hue := sans(forestSize), ink
	switch {
	case row.minor:
		hue = prose
	case row.judgement == isWorse:
		font, hue = sansBold(forestSize), legible(judgementLooks[isWorse].hue)
	}
	base := mid - font.middle()
	at := c.Min.X - columnsWidth(f.left)
	for k, col := range f.left {
		font, clr := font, hue
		if k > 0 {
			font, clr = sans(forestSize), prose
		}
		font.write(c, vg.Point{X: at, Y: base}, 0, clr, col.cells[i])
		at += col.width + forestGap
	}
	at = c.Max.X
	for _, col := range f.right {
		at += col.width + forestGap
		font.write(c, vg.Point{X: at, Y: base}, 1, hue, col.cells[i])
	}
}

// A legendItem is a mark with what it means.
type legendItem struct {
	word string
	draw func(c draw.Canvas, left vg.Point) // 16 wide, around left.Y
}

func (f *forest) legend() (items []legendItem) {
	for j, look := range judgementLooks {
		if f.counts[j] > 0 {
			items = append(items, legendItem{look.word, func(c draw.Canvas, left vg.Point) {
				c.StrokeLine2(draw.LineStyle{Color: look.hue, Width: 1.7}, left.X, left.Y, left.X+16, left.Y)
				look.shape.draw(c, vg.Point{X: left.X + 8, Y: left.Y}, 3.6, look.hue, false)
			}})
		}
	}
	patch := func(half vg.Length, clr color.Color) func(draw.Canvas, vg.Point) {
		return func(c draw.Canvas, left vg.Point) {
			c.FillPolygon(clr, []vg.Point{{X: left.X, Y: left.Y - half}, {X: left.X + 16, Y: left.Y - half}, {X: left.X + 16, Y: left.Y + half}, {X: left.X, Y: left.Y + half}})
		}
	}
	if len(f.rows) > 0 {
		items = append(items, legendItem{"margin, " + share(f.margin) + " unless a row has ticks", patch(5.5, marginShade)})
		if !slices.ContainsFunc(f.rows, func(row forestRow) bool { return row.margin != f.margin && row.margin > 0 }) {
			items[len(items)-1].word = "margin, " + share(f.margin)
		}
		if slices.ContainsFunc(f.rows, func(row forestRow) bool { return row.limit > row.margin }) {
			items = append(items, legendItem{"twice that: intervals of what passes end before it", patch(5.5, limitShade)})
		}
	}
	if f.spreads {
		items = append(items, legendItem{"spread: single pairs of binaries", patch(3, spreadShade)})
	}
	return items
}

const forestLine = 15 // height of a line of the legend

func (f *forest) legendLines() (lines [][]legendItem) {
	var at vg.Length = math.MaxInt32
	for _, item := range f.legend() {
		w := 16 + 5 + sans(8.5).Width(item.word) + 16
		if at+w > figureWidth-2*margin-columnsWidth(f.right) {
			lines, at = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], item)
		at += w
	}
	return lines
}

func (f *forest) strip() vg.Length { return forestLine*vg.Length(max(len(f.legendLines()), 1)) + 8 }

// drawLegend writes the legend and the headings of the columns above the rows.
func (f forestLayer) drawLegend(c draw.Canvas) {
	font := sans(8.5)
	lines := f.legendLines()
	var base vg.Length
	for i, line := range lines {
		base = c.Max.Y + 8 + forestLine*vg.Length(len(lines)-1-i)
		at := c.Min.X - columnsWidth(f.left)
		for _, item := range line {
			item.draw(c, vg.Point{X: at, Y: base + font.middle()})
			font.write(c, vg.Point{X: at + 21, Y: base}, 0, prose, item.word)
			at += 21 + font.Width(item.word) + 16
		}
	}
	at := c.Max.X
	for _, col := range f.right {
		at += col.width + forestGap
		if len(f.rows) > 0 {
			font.write(c, vg.Point{X: at, Y: c.Max.Y + 8}, 1, prose, col.head)
		}
	}
}

// notes explains the marks in the figure.
func (f *forest) notes() (notes []string) {
	if f.clipped {
		notes = append(notes, "An arrowhead at the edge: the interval, or the change itself, goes on beyond it.")
	}
	if f.hollow {
		notes = append(notes, "Hollow: the sides were not measured together, and may have drifted apart: what is allowed for that is in the margin that is drawn.")
	}
	if f.exact {
		notes = append(notes, "Exact: the values do not vary, so that any change for the worse counts, unless a margin is drawn.")
	}
	if f.minor {
		notes = append(notes, "Pale: there is more of it at another distance of the CPUs, which decides.")
	}
	if f.flipped {
		notes = append(notes, "↑ More is better: the row is mirrored, so that worse is to the right there, too.")
	}
	return notes
}

// forestNotes says what is not in the picture.
func forestNotes(r *gate.Report, hidden []*gate.Result) (notes []string) {
	var counts [judgements]int
	worst := 0.0 // bound of those that pass
	for _, res := range hidden {
		j := judge(res)
		counts[j]++
		if v, ok := outermost(res); ok && j == isFine {
			worst = max(worst, v)
		}
	}
	var more []string
	if n := counts[isWorse]; n > 0 {
		more = append(more, fmt.Sprintf("%d more that regressed", n))
	}
	if n := counts[isOpen]; n > 0 {
		more = append(more, fmt.Sprintf("%d more that cannot be told", n))
	}
	if n := counts[isBetter]; n > 0 {
		more = append(more, fmt.Sprintf("%d more that improved", n))
	}
	if n := counts[isFine]; n > 0 {
		s := fmt.Sprintf("%d more that pass", n)
		if worst > 0 {
			s += ", all within ±" + share(worst) + " by their intervals"
		}
		more = append(more, s)
	}
	if len(more) > 0 {
		notes = append(notes, "Not drawn: "+list(more)+".")
	}
	return append(notes, r.Warnings...)
}

// outermost returns how far the interval of res reaches, in either direction; ok is
// false if it is infinite.
func outermost(res *gate.Result) (v float64, ok bool) {
	v = max(math.Abs(res.Lo), math.Abs(res.Hi))
	return v, finite(v) && min(res.Lo, res.Hi) > -1
}

// forestTitle says what the result is.
func forestTitle(r *gate.Report) string {
	var counts [judgements]int
	var first *gate.Result
	benchmarks := make(map[gate.Benchmark]bool)
	of, worse, better := 0, "slower", "faster"
	worst, bounded := 0.0, true // of those that pass
	for i := range r.Results {
		res := &r.Results[i]
		if res.Minor {
			continue
		}
		of++
		benchmarks[res.Benchmark] = true
		if results.KindOf(res.Unit) != results.KindTime && res.Unit != "" {
			worse, better = "worse", "better"
		}
		j := judge(res)
		counts[j]++
		if j == isWorse && first == nil {
			first = res
		}
		v := -float64(res.Better) * res.Lo
		if w := -float64(res.Better) * res.Hi; w > v || math.IsNaN(v) {
			v = w
		}
		if j == isFine {
			worst, bounded = max(worst, v), bounded && finite(v)
		}
	}
	noun := "result"
	if len(benchmarks) == of {
		noun = "benchmark"
	}
	all := count(of, noun)
	var title string
	switch n := counts[isWorse]; {
	case of == 0:
		title = "Nothing was compared"
	case n > 0:
		title = fmt.Sprintf("%d of %s %s %s: ", n, all, wording.Is(n), worse)
		if n == of && n > 1 {
			title = fmt.Sprintf("All %s are %s: ", all, worse)
		}
		if n > 1 {
			title += "most of all "
		}
		title += squeeze(r.Names()[first.Benchmark], 250) + " " + forestFinding(first)
	case counts[isOpen] > 0:
		title = fmt.Sprintf("%d of %s cannot be told; none is known to be %s", counts[isOpen], all, worse)
	case len(r.OnlyBase)+len(r.OnlyHead) > 0:
		title = fmt.Sprintf("None of %s is %s, but not all could be compared", all, worse)
	default:
		title = fmt.Sprintf("None of %s is %s by more than the margin", all, worse)
		if of == 1 {
			title = fmt.Sprintf("%s is not %s by more than the margin", squeeze(r.Names()[r.Results[0].Benchmark], 250), worse)
		}
		if worst > 0 && bounded {
			title += ": by " + share(worst) + " at most"
		}
	}
	if n := counts[isBetter]; n > 0 {
		title += fmt.Sprintf("; %d %s %s", n, wording.Is(n), better)
	}
	return title
}

// forestFinding says what became worse: "+8.1 % [7.2, 9.0]".
func forestFinding(res *gate.Result) string {
	unit := ""
	if res.Unit != "ns/op" {
		unit = " " + squeeze(res.Unit, 90)
	}
	if math.IsInf(res.Change, 0) || res.Exact && res.Old == 0 {
		return fmt.Sprintf("from %s to %s%s", amount(res.Old), amount(res.New), unit)
	}
	s := signedShare(res.Change)
	if max(math.Abs(res.Lo), math.Abs(res.Hi)) < 99.5 && !res.Exact {
		d := shareDigits(max(math.Abs(res.Lo), math.Abs(res.Hi)))
		s += noBreak + minus(fmt.Sprintf("[%.*f,%s%.*f]", d, 100*res.Lo, noBreak, d, 100*res.Hi))
	}
	return s + unit
}

// forestSubtitle says what was compared, how often, and under which rules.
func forestSubtitle(r *gate.Report) (lines []string) {
	if r.Base != "" || r.Head != "" {
		lines = append(lines, fmt.Sprintf("Base %s, head %s.", r.Base, r.Head))
	}
	confidence := cmp.Or(r.Rules.Confidence, gate.DefaultConfidence)
	lo, hi, together := math.MaxInt, 0, true
	for i := range r.Results {
		if res := &r.Results[i]; !res.Exact && res.N > 0 {
			lo, hi, together = min(lo, res.N), max(hi, res.N), together && !res.Unpaired
		}
	}
	var words []string
	if hi > 0 {
		pairs := fmt.Sprint(lo)
		if lo < hi {
			pairs += "–" + fmt.Sprint(hi)
		}
		what := wording.Noun(hi, "pair") + " of binaries"
		if !together {
			what = wording.Noun(hi, "sample") + " a side"
		}
		words = append(words, fmt.Sprintf("Middle change of %s%s, with its %s%s%% interval.", pairs, noBreak+what, strconv.FormatFloat(100*confidence, 'g', 4, 64), noBreak))
	}
	if r.Rounds > 0 {
		s := count(r.Rounds, "round")
		if r.Took > 0 {
			s += " in " + strings.TrimSuffix(r.Took.Round(max(time.Second, r.Took.Round(time.Second)/100)).String(), "m0s")
			if r.Took.Round(time.Second)%time.Minute == 0 && r.Took >= time.Minute {
				s += "m"
			}
		}
		words = append(words, s+".")
	}
	if n := len(r.OnlyBase) + len(r.OnlyHead); n > 0 {
		words = append(words, fmt.Sprintf("Not whole: %s on one side only.", count(n, "benchmark")))
	}
	if len(words) > 0 {
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

// forestChange writes the change of a row.
func forestChange(res *gate.Result) string {
	switch {
	case math.IsNaN(res.Change):
		return "–"
	case math.IsInf(res.Change, 0):
		return amount(res.Old) + " → " + amount(res.New)
	}
	return signedShare(res.Change)
}

func shareDigits(v float64) int {
	switch p := 100 * math.Abs(v); {
	case p < .995:
		return 2
	case p < 99.95:
		return 1
	}
	return 0
}

// amount writes a value as short does, with at most a few characters.
func amount(v float64) string {
	if math.Abs(v) >= 1e7 && finite(v) {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return minus(short(v))
}

// share writes a share in percent, without its sign.
func share(v float64) string {
	if math.Abs(v) >= 1e4 {
		return strconv.FormatFloat(100*math.Abs(v), 'g', 3, 64) + noBreak + "%"
	}
	return strings.TrimSuffix(strconv.FormatFloat(100*math.Abs(v), 'f', shareDigits(v), 64), ".0") + noBreak + "%"
}

// signedShare writes a share in percent, with its sign: +8.1 %.
func signedShare(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v >= 99.5:
		return "×" + amount(1+v)
	case v < -1:
		return "−∞"
	}
	s := strconv.FormatFloat(100*v, 'f', shareDigits(v), 64)
	if strings.Trim(s, "-0.") == "" {
		return "0" + noBreak + "%"
	}
	if v > 0 {
		s = "+" + s
	}
	return minus(s) + noBreak + "%"
}

// percentTick writes a share at a tick.
func percentTick(v float64) string {
	if math.Abs(v) < 1e-9 {
		return "0"
	}
	s := strconv.FormatFloat(100*v, 'f', -1, 64)
	if math.Abs(v) > 1e-5 {
		s = strconv.FormatFloat(math.Round(100*v*1e4)/1e4, 'f', -1, 64)
	}
	if v > 0 {
		s = "+" + s
	}
	return minus(s) + noBreak + "%"
}

// minus writes the sign as a minus, not as a hyphen.
func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }
