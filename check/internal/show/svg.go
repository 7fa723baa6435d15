package show

import (
	"io"
	"slices"
	"unicode/utf8"

	"github.com/lockbench/lockbench/internal/svg"
)

// The figure's measures, in pixels, and its colours: those of Okabe and Ito, which
// colour-blind readers can tell apart. Vermillion marks what failed.
const (
	svgRow    = 24
	svgGutter = 44  // the steps' numbers
	svgTop    = 74  // title and names
	svgChar   = 6.7 // width of a monospaced character of 11 pixels
	svgDot    = 4.5
	svgText   = 14 // from a lane's line to its text
	mostWords = 5  // of the words whose values are shown

	svgFault = "#d55e00"
	svgBody  = "#555555"
)

var svgLanes = [...]string{"#0072b2", "#009e73", "#aa5a8c", "#b07800", "#2b8cbe", "#000000"}

func svgColour(worker int) string {
	if worker == 0 {
		return svgBody
	}
	return svgLanes[(worker-1)%len(svgLanes)]
}

// WriteSVG writes the figure that check.Failure.WriteSVG describes.
func (f *Schedule) WriteSVG(w io.Writer) error {
	d := &drawing{f: f, rows: f.rows(), y: make(map[int]float64)}
	d.layout()
	d.draw()
	_, err := w.Write(d.Bytes())
	return err
}

// A drawing is a figure that is being made.
type drawing struct {
	*svg.Picture
	f       *Schedule
	rows    []row
	workers []int
	x       map[int]float64 // of a worker's lane
	y       map[int]float64 // of a step that is shown
	words   []int           // objects whose values are shown
	column  []float64       // and where
	source  float64         // where the places begin
	width   float64
	bottom  float64 // of the last row
}

func (d *drawing) layout() {
	f := d.f
	d.workers, d.x = f.acting(), make(map[int]float64)
	longest := make([]int, len(f.Workers))
	places := 0
	for i, r := range d.rows {
		if r.steps > 1 {
			continue
		}
		s := &f.Steps[r.step]
		d.y[r.step] = svgTop + float64(i)*svgRow + svgRow/2
		longest[s.Worker] = max(longest[s.Worker], utf8.RuneCountInString(s.String()))
		places = max(places, len(s.At.String()))
	}
	x := float64(svgGutter)
	for _, w := range d.workers {
		d.x[w] = x + svgDot
		x += svgText + svgDot + 22 + svgChar*float64(max(longest[w], len(f.Workers[w])))
	}
	d.words = f.written()
	for _, id := range d.words {
		name, wide := "", 0
		for i := range f.Steps {
			if s := &f.Steps[i]; s.Object == id {
				name, wide = s.Name, max(wide, utf8.RuneCountInString(s.New))
			}
		}
		width := svgChar*float64(max(len(name), wide)) + 20
		d.column = append(d.column, x+width/2)
		x += width
	}
	d.source = x + 10
	d.width = max(d.source+svgChar*0.92*float64(places)+16, svgGutter+svgChar*float64(len(f.Kind)+len(f.Message)+4))
	d.bottom = svgTop + svgRow*float64(len(d.rows))
}

// written returns the words that were written; if there are too many, the ones that
// were written last.
func (f *Schedule) written() []int {
	var words []int
	for i := range slices.Backward(f.Steps) {
		s := &f.Steps[i]
		if s.writes() && !slices.Contains(words, s.Object) && len(words) < mostWords {
			words = append(words, s.Object)
		}
	}
	slices.Sort(words)
	return words
}

func (d *drawing) draw() {
	f := d.f
	height := d.bottom + 2*svgRow + svgRow*float64(len(f.Waits))
	d.Picture = svg.New(d.width, height, `font-family="Helvetica, Arial, sans-serif" font-size="13"`, string(f.Kind)+": "+f.Message)
	d.Add(`<style>.m{font-family:DejaVu Sans Mono,Menlo,Consolas,monospace;font-size:11px}.h{paint-order:stroke;stroke:white;stroke-width:3px;stroke-linejoin:round}</style>`)
	d.Add(`<defs><marker id="to" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>`)
	d.Add(`<rect width="%.0f" height="%.0f" fill="white"/>`, d.width, height)
	d.Add(`<text x="12" y="22" font-weight="bold" fill="%s">%s: <tspan font-weight="normal" fill="#222">%s</tspan></text>`,
		svgFault, f.Kind, f.Message)
	d.faults()
	d.lanes()
	d.memory()
	d.arrows()
	for i, r := range d.rows {
		y := svgTop + float64(i)*svgRow + svgRow/2
		if r.steps > 1 {
			d.leftOut(y, r)
			continue
		}
		d.step(y, r.step)
	}
	y := d.bottom + svgRow
	for i := range f.Waits {
		wait := &f.Waits[i]
		d.Add(`<text x="%d" y="%.1f" font-size="12" fill="%s">%s <tspan fill="#222">%s, since %s</tspan></text>`, svgGutter, y,
			svgColour(wait.Worker), f.Workers[wait.Worker], wait.says(), wait.At.String())
		y += svgRow
	}
	d.legend(y)
}

// faults shades the steps that failed.
func (d *drawing) faults() {
	for _, r := range d.rows {
		if r.steps == 1 && d.f.Steps[r.step].Failed {
			d.Add(`<rect x="4" y="%.1f" width="%.1f" height="%d" rx="3" fill="#fbe6da"/>`, d.y[r.step]-svgRow/2+1, d.width-8, svgRow-2)
		}
	}
}

func (d *drawing) lanes() {
	for _, w := range d.workers {
		d.Add(`<text x="%.1f" y="%d" font-weight="bold" fill="%s">%s</text>`, d.x[w]-svgDot, svgTop-22, svgColour(w), d.f.Workers[w])
		d.Add(`<path d="M%.1f %dV%.1f" stroke="%s" stroke-opacity="0.35" stroke-width="1.5"/>`, d.x[w], svgTop, d.bottom, svgColour(w))
	}
}

// memory shows the values of the words from each change on.
func (d *drawing) memory() {
	for c, id := range d.words {
		x, named := d.column[c], false
		value, since, by := "", float64(svgTop-6), 0
		for i := range d.f.Steps {
			s := &d.f.Steps[i]
			if s.Object != id {
				continue
			}
			if !named {
				d.Add(`<text x="%.1f" y="%d" text-anchor="middle" class="m" fill="#222">%s</text>`, x, svgTop-22, s.Name)
				named = true
			}
			if !s.writes() {
				continue
			}
			y, shown := d.y[i]
			if value == "" {
				d.value(x, since, y, s.Old, -1)
			} else if shown {
				d.value(x, since, y, value, by)
			}
			if value = s.New; shown {
				since = y
			}
			by = s.Worker
		}
		d.value(x, since, d.bottom, value, by)
	}
}

// value shows a value of a word between two heights.
func (d *drawing) value(x, from, to float64, value string, by int) {
	colour := "#777"
	if by >= 0 {
		colour = svgColour(by)
	}
	d.Add(`<path d="M%.1f %.1fV%.1f" stroke="%s" stroke-opacity="0.5"/>`, x, from, to, colour)
	d.Add(`<text x="%.1f" y="%.1f" text-anchor="middle" class="m h" fill="%s">%s</text>`, x, from+4, colour, value)
}

// arrows shows which workers read what another wrote, and how long a store was in
// the buffer.
func (d *drawing) arrows() {
	type key struct{ worker, object int }
	issued := make(map[key][]int)
	type pair struct{ from, worker int }
	drawn := make(map[pair]bool) // pairs of write and reader that have an arrow
	for i := range d.f.Steps {
		s := &d.f.Steps[i]
		y, shown := d.y[i]
		k := key{s.Worker, s.Object}
		if s.Issue {
			issued[k] = append(issued[k], i)
		}
		if s.By == StoreBuffer && len(issued[k]) > 0 {
			from, fromShown := d.y[issued[k][0]]
			issued[k] = issued[k][1:]
			if x := d.x[s.Worker]; shown && fromShown {
				d.Add(`<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f" stroke="%s" fill="none" stroke-dasharray="3 2"/>`,
					x, from, x-12, from+6, x-12, y-6, x, y, svgColour(s.Worker))
			}
		}
		if s.From < 0 || d.f.Steps[s.From].Worker == s.Worker {
			continue
		}
		if from, fromShown := d.y[s.From]; shown && fromShown && !drawn[pair{s.From, s.Worker}] {
			drawn[pair{s.From, s.Worker}] = true
			x1, x2 := d.x[d.f.Steps[s.From].Worker], d.x[s.Worker]
			// Down the writer's lane first, and to the reader from the left or from
			// above, so that the arrow does not cross out the text of either.
			d.Add(`<path d="M%.1f %.1fV%.1f" stroke="#777" stroke-width="1.1"/>`, x1, from, from+svgRow/2)
			end, turn, over := [2]float64{x2 - svgDot - 2, y}, y+2, [2]float64{x2 - 52, y}
			if x1 > x2 {
				end, turn, over = [2]float64{x2 + 2, y - svgDot - 2}, y-svgRow/2, [2]float64{x2 + 10, y - svgRow/2}
			}
			d.Add(`<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f" stroke="#777" stroke-width="1.1" fill="none" marker-end="url(#to)"/>`,
				x1, from+svgRow/2, x1, turn, over[0], over[1], end[0], end[1])
		}
	}
}

func (d *drawing) step(y float64, i int) {
	s := &d.f.Steps[i]
	x, colour := d.x[s.Worker], svgColour(s.Worker)
	class, text, weight := "m h", "#222", "normal"
	if s.Failed {
		class, text, weight = "m", svgFault, "bold"
	}
	d.Add(`<text x="%d" y="%.1f" text-anchor="end" font-size="11" fill="#777">%d</text>`, svgGutter-14, y+4, i+1)
	fill := "white"
	if s.writes() || s.New != "" || slices.Contains([]string{"Set", "Unpark", "Handoff", "cancel"}, s.Op) {
		fill = colour
	}
	switch {
	case s.Failed && s.Object < 0:
		d.Add(`<path d="M%.1f %.1fl9 9m-9 0l9 -9" stroke="%s" stroke-width="2.5"/>`, x-4.5, y-4.5, svgFault)
	case s.By == StoreBuffer:
		d.Add(`<path d="M%.1f %.1fl5.5 5.5l-5.5 5.5l-5.5 -5.5z" fill="%s" stroke="%s"/>`, x, y-5.5, colour, colour)
	case s.Cell:
		d.Add(`<rect x="%.1f" y="%.1f" width="8" height="8" fill="%s" stroke="%s" stroke-width="1.5"/>`, x-4, y-4, fill, colour)
	case s.Issue:
		d.Add(`<path d="M%.1f %.1fl5.5 5.5l-5.5 5.5l-5.5 -5.5z" fill="white" stroke="%s" stroke-width="1.5"/>`, x, y-5.5, colour)
	default:
		d.Add(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s" stroke="%s" stroke-width="1.5"/>`, x, y, svgDot, fill, colour)
	}
	d.Add(`<text x="%.1f" y="%.1f" class="%s" fill="%s" font-weight="%s">%s</text>`, x+svgText, y+4, class, text, weight, s.String())
	d.Add(`<text x="%.1f" y="%.1f" class="m" fill="#777" style="font-size:10px">%s</text>`, d.source, y+4, s.At.String())
}

func (d *drawing) leftOut(y float64, r row) {
	d.Add(`<text x="%d" y="%.1f" font-style="italic" font-size="12" fill="#555" class="h">⋮ %s</text>`, svgGutter, y+4, r.says())
}

// legend explains the marks.
func (d *drawing) legend(y float64) {
	d.Add(`<g font-size="11" fill="#555" stroke-width="1.5">`)
	x := float64(svgGutter)
	for _, mark := range []struct {
		shape, text string
		used        func(s *Step) bool
	}{
		{`<circle cx="%.1f" cy="%.1f" r="4" fill="#555" stroke="#555"/>`, "writes", func(s *Step) bool { return s.writes() }},
		{`<circle cx="%.1f" cy="%.1f" r="4" fill="white" stroke="#555"/>`, "reads", func(s *Step) bool { return s.Old != "" && !s.writes() }},
		{`<path d="M%.1f %.1fm-5 0l5 -5l5 5l-5 5z" fill="white" stroke="#555"/>`, "store into the buffer", func(s *Step) bool { return s.Issue }},
		{`<path d="M%.1f %.1fm-5 0l5 -5l5 5l-5 5z" fill="#555" stroke="#555"/>`, "from the buffer to memory", func(s *Step) bool { return s.By == StoreBuffer }},
		{`<path d="M%.1f %.1fm-4 -4h8v8h-8z" fill="white" stroke="#555"/>`, "accesses a Cell", func(s *Step) bool { return s.Cell }},
	} {
		if !slices.ContainsFunc(d.f.Steps, func(s Step) bool { return mark.used(&s) }) {
			continue
		}
		d.Add(mark.shape, x, y-4)
		d.Add(`<text x="%.1f" y="%.1f">%s</text>`, x+9, y, mark.text)
		x += 28 + 6*float64(len(mark.text))
	}
	d.Add(`</g>`)
}
