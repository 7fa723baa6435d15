package timeline

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/lockbench/lockbench/internal/svg"
)

// The picture's measures, in pixels.
const (
	picWidth  = 1000.0
	picLeft   = 86.0 // where time begins
	picRight  = 980.0
	picMargin = 20.0
	waitingH  = 34.0 // of the chart of waiters
)

// A look is the colours of a picture: those of Okabe and Ito, which readers with colour
// blindness can tell apart, lighter ones on a dark page. What a CPU does also differs in
// shape.
type look struct {
	page, ink, prose, faint, grid, shade string

	section, read, old, inside string // inside: text in them
	wait, waitEdge             string
	lock, line                 string // arrows of the lock's lines and of others
}

var (
	lightLook = look{
		page: "#ffffff", ink: "#222222", prose: "#555555", faint: "#a0a0a0", grid: "#e9e9e9", shade: "#f1efe8",
		section: "#0072b2", read: "#00835f", old: "#9a5b00", inside: "#ffffff",
		wait: "#fbe5c0", waitEdge: "#e69f00", lock: "#d55e00", line: "#a8528a",
	}
	darkLook = look{
		page: "#0d1117", ink: "#f0f3f6", prose: "#bcbfc3", faint: "#6e7681", grid: "#21262d", shade: "#1c2129",
		section: "#56b4e9", read: "#2fc59a", old: "#f0b429", inside: "#0d1117",
		wait: "#4a3a12", waitEdge: "#e69f00", lock: "#ff8534", line: "#e29ac6",
	}
)

// A drawing is a timeline that is being drawn.
type drawing struct {
	*svg.Picture
	*Timeline
	look
	pitch, bar float64 // from lane to lane; height of a section
	top        float64 // of the lanes
	bottom     float64
	chart      float64  // height of the chart of waiters, with a gap above it
	head, foot []string // texts above and below
	key        []keyItem
	height     float64
}

// A keyItem is a sample in the legend, with what it means.
type keyItem struct {
	says string
	draw func(x, y float64) // in a space of keyWidth, around y
	x, y float64
}

const keyWidth = 26.0

// WriteSVG draws the timeline, a lane for each row.
func (t *Timeline) WriteSVG(w io.Writer, dark bool) error {
	d := &drawing{Timeline: t, look: lightLook}
	if dark {
		d.look = darkLook
	}
	d.layout()
	d.Picture = svg.New(picWidth, d.height, `font-family="Liberation Sans,Arial,Helvetica,sans-serif"`, t.Title)
	for _, colour := range []string{d.lock, d.line, d.ink} {
		d.Add(`<defs><marker id="to%s" markerWidth="6" markerHeight="6" refX="5" refY="3" orient="auto" markerUnits="userSpaceOnUse"><path d="M0,0.6 L5.4,3 L0,5.4 z" fill="%s"/></marker></defs>`, colour[1:], colour)
	}
	d.Add(`<rect width="%g" height="%.0f" fill="%s"/>`, picWidth, d.height, d.page)
	d.text(picMargin, 30, 17, "start", d.ink, ` font-weight="bold"`, t.Title)
	for i, line := range d.head {
		d.text(picMargin, 51+17*float64(i), 12.5, "start", d.prose, "", line)
	}
	d.axis()
	d.gracePeriods()
	d.lanesUnder()
	d.handoffs()
	d.arrows()
	d.sections()
	d.waiters()
	for _, k := range d.key {
		k.draw(k.x, k.y)
		d.text(k.x+keyWidth+6, k.y+4, 12, "start", d.ink, "", k.says)
	}
	for i, line := range d.foot {
		y := d.height - 14 - 14*float64(len(d.foot)-1-i)
		d.text(picMargin, y, 10.5, "start", d.prose, ` font-family="DejaVu Sans Mono,Menlo,Consolas,monospace"`, line)
	}
	_, err := w.Write(d.Bytes())
	return err
}

// layout decides where everything is.
func (d *drawing) layout() {
	switch n := len(d.Lanes); {
	case n <= 4:
		d.pitch = 44
	case n <= 8:
		d.pitch = 36
	case n <= 16:
		d.pitch = 29
	case n <= 32:
		d.pitch = 20
	default:
		d.pitch = 13
	}
	d.bar = math.Round(0.58 * d.pitch)
	d.head = wrap(d.Summary()+".", 145)
	d.foot = wrap(d.Command, 145)
	d.top = 62 + 17*float64(len(d.head))
	d.bottom = d.top + d.pitch*float64(len(d.Lanes))
	if d.chart = 0; len(d.Handovers) > 0 {
		d.chart = waitingH + 14
	}
	y := d.bottom + d.chart + 42
	x := picMargin
	d.key = d.legend()
	for i := range d.key {
		k := &d.key[i]
		wide := keyWidth + 6 + width(k.says, 12)
		if x+wide > picRight && x > picMargin {
			x, y = picMargin, y+21
		}
		k.x, k.y = x, y
		x += wide + 22
	}
	d.height = y + 24 + 14*float64(len(d.foot))
}

// width is how wide text is at most, of common letters of that size.
func width(text string, size float64) float64 {
	return 0.53 * size * float64(utf8.RuneCountInString(text))
}

// wrap breaks text into lines of at most most characters.
func wrap(text string, most int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > most:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

func (d *drawing) x(at int64) float64 {
	return picLeft + (picRight-picLeft)*float64(at-d.Begins)/float64(d.Ends-d.Begins)
}

func (d *drawing) y(row int) float64 { return d.top + d.pitch*(float64(row)+0.5) }

func (d *drawing) text(x, y, size float64, anchor, colour, more, says string) {
	d.Add(`<text x="%.1f" y="%.1f" font-size="%g" text-anchor="%s" fill="%s"`+more+`>%s</text>`, x, y, size, anchor, colour, says)
}

// box draws a rectangle of that height around y.
func (d *drawing) box(x1, x2, y, height float64, fill, edge string) {
	d.Add(`<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s" stroke="%s" stroke-width="0.8"/>`, x1, y-height/2, max(x2-x1, 0.5), height, fill, edge)
}

// axis draws the times, and the names of the lanes.
func (d *drawing) axis() {
	bottom := d.bottom + d.chart
	step := d.step()
	for at := (d.Begins + step - 1) / step * step; at <= d.Ends; at += step {
		x := d.x(at)
		d.Add(`<path d="M%.1f,%.1f V%.1f" stroke="%s"/>`, x, d.top-4, bottom+4, d.grid)
		d.text(x, bottom+17, 11, "middle", d.prose, "", Short(at))
	}
	size := min(12, d.pitch-2)
	for row := range d.Lanes {
		d.text(picLeft-10, d.y(row)+0.35*size, size, "end", d.ink, "", d.row(row))
	}
}

// step returns the time between two ticks: 1, 2 or 5, and zeros.
func (d *drawing) step() int64 {
	const most = 10
	for step := int64(1000); ; step *= 10 {
		for _, n := range []int64{1, 2, 5} {
			if (d.Ends-d.Begins)/(n*step) <= most {
				return n * step
			}
		}
	}
}

// gracePeriods shades the times in which a worker waited for readers.
func (d *drawing) gracePeriods() {
	labelled := 0.0
	for _, u := range d.Uses {
		if u.Synchronize == 0 {
			continue
		}
		from, to := d.x(u.Synchronize), d.x(u.Over)
		d.Add(`<rect x="%.2f" y="%.1f" width="%.2f" height="%.1f" fill="%s" fill-opacity="0.75"/>`, from, d.top-4, to-from, d.bottom-d.top+8, d.shade)
		for _, x := range []float64{from, to} {
			d.Add(`<path d="M%.2f,%.1f V%.1f" stroke="%s" stroke-dasharray="5 3" fill="none"/>`, x, d.top-4, d.bottom+4, d.ink)
		}
		if wide := width(Graces, 11); (from+to-wide)/2 > labelled {
			labelled = (from+to+wide)/2 + 6
			d.text((from+to)/2, d.top-9, 11, "middle", d.ink, "", Graces)
		}
	}
}

// lanesUnder draws all that was done, except sections.
func (d *drawing) lanesUnder() {
	for _, lane := range d.Lanes {
		for _, s := range lane {
			d.under(s.What, d.x(s.Begin), d.x(s.End), d.y(s.Row))
		}
	}
}

// under draws what was done, around y.
func (d *drawing) under(what string, x1, x2, y float64) {
	switch what {
	case Waits:
		d.box(x1, x2, y, d.bar*0.4, d.wait, d.waitEdge)
	case Thinks:
		d.Add(`<path d="M%.2f,%.1f H%.2f" stroke="%s" stroke-width="2"/>`, x1, y, x2, d.faint)
	case Parks:
		d.Add(`<path d="M%.2f,%.1f H%.2f" stroke="%s" stroke-width="2" stroke-dasharray="2 4"/>`, x1, y, x2, d.prose)
	case Releases, Calls:
		d.box(x1, x2, y, d.bar*0.4, d.page, d.section)
	case Graces:
		d.box(x1, x2, y, d.bar, d.page, d.ink)
	case Unknown:
		d.Add(`<path d="M%.2f,%.1f H%.2f" stroke="%s" stroke-width="1" stroke-dasharray="1 4"/>`, x1, y, x2, d.faint)
	case Switches, Other:
		d.box(x1, x2, y, d.bar*0.4, d.faint, d.faint)
	}
}

// handoffs draws from where the lock was released to where a waiter got it.
func (d *drawing) handoffs() {
	for _, h := range d.Handovers {
		from, to := d.Uses[h.From], d.Uses[h.To]
		d.Add(`<path d="M%.2f,%.1f L%.2f,%.1f" stroke="%s" stroke-width="5" stroke-opacity="0.4" stroke-linecap="round" fill="none"/>`,
			d.x(from.Releases), d.y(from.From), d.x(to.Got), d.y(to.Row), d.section)
	}
}

// arrows draws the lines that went from CPU to CPU.
func (d *drawing) arrows() {
	for _, m := range d.Moves {
		if m.From < 0 {
			continue
		}
		colour, dash := d.line, "3 2"
		if d.OfLock(m.Line) {
			colour, dash = d.lock, "none"
		}
		d.arrow(d.x(m.Served), d.y(m.From), d.x(m.Came), d.y(m.To), colour, dash)
	}
}

func (d *drawing) arrow(x1, y1, x2, y2 float64, colour, dash string) {
	d.Add(`<path d="M%.2f,%.1f L%.2f,%.1f" stroke="%s" stroke-width="1.1" stroke-dasharray="%s" fill="none" marker-end="url(#to%s)"/>`, x1, y1, x2, y2, colour, dash, colour[1:])
}

// sections draws the sections, those that write with their numbers.
func (d *drawing) sections() {
	numbers := make(map[place]int)
	old := make(map[place]bool)
	n := 0
	for _, u := range d.Uses {
		if p := (place{sectionOf(u), u.Row, u.Got}); u.Read {
			old[p] = u.Old
		} else {
			n++
			numbers[p] = n
		}
	}
	for _, lane := range d.Lanes {
		for _, s := range lane {
			if x := d.x(s.Begin); s.What == Graces && d.x(s.End)-x > width("Synchronize", 11)+8 && d.bar >= 12 {
				d.text((x+d.x(s.End))/2, d.y(s.Row)+4, 11, "middle", d.ink, fmt.Sprintf(` paint-order="stroke" stroke="%s" stroke-width="4"`, d.page), "Synchronize")
			}
			p := place{s.What, s.Row, s.Begin}
			says := ""
			switch {
			case numbers[p] > 0:
				says = fmt.Sprint(numbers[p])
			case old[p]:
				says = "before"
			}
			d.drawSection(s.What, old[p], d.x(s.Begin), d.x(s.End), d.y(s.Row), says)
		}
	}
}

// drawSection draws one section.
func (d *drawing) drawSection(what string, old bool, x1, x2, y float64, says string) {
	fill := d.section
	switch {
	case what == Reads && old:
		fill = d.old
	case what == Reads:
		fill = d.read
	case what != Writes:
		return
	}
	d.box(x1, x2, y, d.bar, fill, fill)
	if size := min(11, d.bar-2); x2-x1 > width(says, size)+3 && size >= 7 {
		d.text((x1+x2)/2, y+0.36*size, size, "middle", d.inside, "", says)
	}
}

// waiters draws how many workers wait, over the time.
func (d *drawing) waiters() {
	if d.chart == 0 {
		return
	}
	most := 1
	for _, s := range d.Waiting {
		most = max(most, s.N)
	}
	base := d.bottom + d.chart
	height := func(n int) float64 { return base - waitingH*float64(n)/float64(most) }
	var path strings.Builder
	fmt.Fprintf(&path, "M%.2f,%.1f", d.x(d.Begins), base)
	for _, s := range d.Waiting {
		fmt.Fprintf(&path, " H%.2f V%.1f", d.x(s.At), height(s.N))
	}
	fmt.Fprintf(&path, " H%.2f V%.1f z", d.x(d.Ends), base)
	d.Add(`<path d="%s" fill="%s" stroke="%s" stroke-width="0.8"/>`, path.String(), d.wait, d.waitEdge)
	d.text(picLeft-10, height(most)+9, 11, "end", d.prose, "", fmt.Sprintf("%d waiting", most))
	d.text(picLeft-10, base, 11, "end", d.prose, "", "0")
}

// legend returns what there is to explain.
func (d *drawing) legend() []keyItem {
	has := make(map[string]bool)
	for _, lane := range d.Lanes {
		for _, s := range lane {
			has[s.What] = true
		}
	}
	old, lock, line := false, false, false
	for _, u := range d.Uses {
		old = old || u.Old
	}
	for _, m := range d.Moves {
		lock = lock || m.From >= 0 && d.OfLock(m.Line)
		line = line || m.From >= 0 && !d.OfLock(m.Line)
	}
	var key []keyItem
	add := func(there bool, says string, draw func(x, y float64)) {
		if there {
			key = append(key, keyItem{says: says, draw: draw})
		}
	}
	lane := func(what string) func(x, y float64) {
		return func(x, y float64) { d.under(what, x, x+keyWidth, y) }
	}
	add(has[Writes], "section, in order", func(x, y float64) { d.drawSection(Writes, false, x, x+keyWidth, y, "1") })
	add(has[Reads], "section that reads", func(x, y float64) { d.drawSection(Reads, false, x, x+keyWidth, y, "") })
	add(old, "one that began before the grace period, which waits for it", func(x, y float64) { d.drawSection(Reads, true, x, x+keyWidth, y, "") })
	add(has[Waits], "waits for the lock", lane(Waits))
	add(has[Releases], "releases it", lane(Releases))
	add(has[Thinks], "does something else", lane(Thinks))
	add(has[Parks], "its worker is parked", lane(Parks))
	add(has[Unknown], "not recorded", lane(Unknown))
	add(has[Switches] || has[Other], "another goroutine, or a switch to one", lane(Other))
	add(len(d.Handovers) > 0, "handoff: from a release to the next section", func(x, y float64) {
		d.Add(`<path d="M%.2f,%.1f h%g" stroke="%s" stroke-width="5" stroke-opacity="0.4" stroke-linecap="round"/>`, x+2, y, keyWidth-4, d.section)
	})
	add(lock, "the lock's cache line goes to another CPU", func(x, y float64) { d.arrow(x, y, x+keyWidth, y, d.lock, "none") })
	add(line, "another line does", func(x, y float64) { d.arrow(x, y, x+keyWidth, y, d.line, "3 2") })
	return key
}
