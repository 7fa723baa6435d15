package main

import "fmt"

// gracePeriod draws read-side critical sections around a Synchronize.
func gracePeriod() []byte {
	const (
		left, right  = 120.0, 850.0
		top, lane    = 92.0, 44.0
		bar          = 26.0
		unlink, over = 330.0, 600.0
	)
	c := newCanvas(880, 440, "A grace period waits for the read-side critical sections that had begun before it")
	c.bold(24, 32, 18, ink, "A grace period waits for the sections that had begun, and for no other")

	bottom := top + 6*lane
	c.box(unlink, top-22, over-unlink, bottom-top+18, "#f4f4f4", nothing, "")
	c.text((unlink+over)/2, top-30, 13, "middle", ink, "grace period")
	c.line(unlink, top-24, unlink, bottom-4, ink, "5 3")
	c.line(over, top-24, over, bottom-4, ink, "5 3")

	type section struct {
		from, to float64
		says     string
	}
	readers := [][]section{
		{{140, 300, "over before"}, {640, 780, "cannot"}},
		{{200, 420, "may have the old"}, {470, 560, "cannot"}},
		{{270, 600, "may have the old: the last to end"}},
		{{360, 520, "cannot"}, {550, 700, "cannot"}},
	}
	for i, sections := range readers {
		y := top + float64(i)*lane
		c.text(left-14, y+bar/2+5, 13, "end", ink, fmt.Sprintf("reader %d", i+1))
		c.line(left, y+bar/2, right, y+bar/2, "#bbbbbb", "")
		for _, s := range sections {
			fill, stroke, dash := blueBg, blue, ""
			switch {
			case s.to < unlink:
				fill, stroke, dash = greyBg, faint, ""
			case s.from < unlink:
				fill, stroke, dash = yellow, orange, "6 3"
			}
			c.box(s.from, y, s.to-s.from, bar, fill, stroke, dash)
			c.text((s.from+s.to)/2, y+bar/2+5, 12, "middle", ink, s.says)
		}
	}
	y := top + 4.4*lane
	c.text(left-14, y+bar/2+5, 13, "end", ink, "updater")
	c.line(left, y+bar/2, right, y+bar/2, "#bbbbbb", "")
	c.box(unlink-70, y, 70, bar, "#fff", ink, "")
	c.text(unlink-35, y+bar/2+5, 12, "middle", ink, "Delete")
	c.box(unlink, y, over-unlink, bar, "#fff", ink, "")
	c.text((unlink+over)/2, y+bar/2+5, 12, "middle", ink, "Synchronize")
	c.box(over, y, 150, bar, "#fff", ink, "")
	c.text(over+75, y+bar/2+5, 12, "middle", ink, "reclaim the old")

	c.arrow(fmt.Sprintf("M%g,%g L%g,%g", left, bottom+8, right, bottom+8), ink, "")
	c.text(right, bottom+26, 12, "end", faint, "time")

	y = bottom + 52
	for i, l := range []struct{ fill, stroke, dash, says string }{
		{yellow, orange, "6 3", "section that began before the old element was unlinked: it may have it, and is waited for"},
		{blueBg, blue, "", "section that began after that: it cannot have the old element, and is not waited for, even if the grace period ends first"},
	} {
		ly := y + float64(i)*24
		c.box(24, ly-12, 28, 15, l.fill, l.stroke, l.dash)
		c.text(62, ly, 12, "start", ink, l.says)
	}
	return c.Bytes()
}

// A step is a row of a figure: what was done, and the state after it.
type step struct {
	title string
	says  []string
	draw  func(c *canvas, y float64)
}

const (
	listX      = 356.0 // of the first element
	boxW, boxH = 104.0, 34.0
	pitch      = 150.0
	rowH       = 132.0
)

func steps(title string, height float64, all []step) []byte {
	c := newCanvas(860, int(height)*len(all)+100, title)
	c.bold(24, 32, 18, ink, title)
	for i, s := range all {
		y := 56 + height*float64(i)
		if i > 0 {
			c.line(24, y, 836, y, "#cccccc", "")
		}
		c.bold(24, y+30, 14, ink, fmt.Sprintf("%d  %s", i+1, s.title))
		for j, line := range s.says {
			c.text(24, y+52+18*float64(j), 12, "start", "#444444", line)
		}
		s.draw(c, y+44)
	}
	y := 56 + height*float64(len(all)) + 24
	c.line(24, y-24, 836, y-24, "#cccccc", "")
	c.reader(34, y-5, "old")
	c.text(52, y, 12, "start", ink, "reader that began before")
	c.reader(232, y-5, "new")
	c.text(250, y, 12, "start", ink, "reader that began after")
	c.box(418, y-14, 28, 16, blueBg, blue, "")
	c.text(454, y, 12, "start", ink, "in the list")
	c.box(548, y-14, 28, 16, yellow, orange, "6 3")
	c.text(584, y, 12, "start", ink, "for old readers only")
	c.box(722, y-14, 28, 16, greyBg, faint, "2 3")
	c.text(758, y, 12, "start", ink, "the updater's")
	return c.Bytes()
}

// reader draws a reader: an old one is a diamond, a new one a disc.
func (c *canvas) reader(x, y float64, age string) {
	if age == "old" {
		c.Add(`<path d="M%g,%g l7,7 l-7,7 l-7,-7 z" fill="%s"/>`, x, y-7, orange)
		return
	}
	c.Add(`<circle cx="%g" cy="%g" r="6" fill="%s"/>`, x, y, blue)
}

// element draws the n'th element of a list, or one below the second; state is
// in, old, out or fresh.
func (c *canvas) element(n int, y float64, says, state string) {
	x := listX + pitch*float64(n)
	fill, stroke, dash, colour := blueBg, blue, "", ink
	switch state {
	case "old":
		fill, stroke, dash = yellow, orange, "6 3"
	case "out":
		fill, stroke, dash, colour = greyBg, faint, "2 3", "#555555"
	}
	c.box(x, y, boxW, boxH, fill, stroke, dash)
	c.text(x+boxW/2, y+boxH/2+5, 14, "middle", colour, says)
}

func (c *canvas) head(y float64) {
	c.box(listX-92, y, 46, boxH, "#fff", ink, "")
	c.text(listX-69, y+boxH/2+4, 12, "middle", ink, "head")
	c.next(-1, y, blue, "")
}

// next draws the link from the n'th element to the one after it.
func (c *canvas) next(n int, y float64, colour, dash string) {
	x := listX + pitch*float64(n) + boxW
	c.arrow(fmt.Sprintf("M%g,%g L%g,%g", x, y+boxH/2, x+pitch-boxW-2, y+boxH/2), colour, dash)
}

func deletion() []byte {
	whole := func(c *canvas, y float64) {
		c.head(y)
		c.element(0, y, "1, 2, 3", "in")
		c.next(0, y, blue, "")
		c.element(1, y, "5, 6, 7", "in")
		c.next(1, y, blue, "")
		c.element(2, y, "11, 4, 8", "in")
	}
	around := func(c *canvas, y float64) {
		c.head(y)
		c.element(0, y, "1, 2, 3", "in")
		x := listX + boxW
		to := listX + 2*pitch - 2
		c.arrow(fmt.Sprintf("M%g,%g C%g,%g %g,%g %g,%g", x, y+boxH-6, x+50, y+boxH+40, to-50, y+boxH+40, to, y+boxH-6), blue, "")
		c.element(2, y, "11, 4, 8", "in")
	}
	return steps("Deletion of 5, 6, 7 in four steps", rowH, []step{
		{"Before", []string{"Readers may be on any element."}, func(c *canvas, y float64) {
			whole(c, y)
			c.reader(listX+pitch+boxW/2, y-12, "old")
		}},
		{"Delete", []string{"One store: new readers go around it.", "Its own next stays, so that a reader", "that is on it goes on. A reader may", "have either of two versions."}, func(c *canvas, y float64) {
			around(c, y)
			c.element(1, y, "5, 6, 7", "old")
			c.next(1, y, orange, "6 3")
			c.reader(listX+pitch+boxW/2, y-12, "old")
			c.reader(listX+boxW/2, y-12, "new")
		}},
		{"Synchronize", []string{"The old readers are gone, the", "new ones cannot reach it."}, func(c *canvas, y float64) {
			around(c, y)
			c.element(1, y, "5, 6, 7", "out")
			c.reader(listX+boxW/2, y-12, "new")
			c.reader(listX+2*pitch+boxW/2, y-12, "new")
		}},
		{"Reclaim", []string{"It can be used again. There is one", "version again."}, func(c *canvas, y float64) {
			c.head(y)
			c.element(0, y, "1, 2, 3", "in")
			x := listX + boxW
			c.arrow(fmt.Sprintf("M%g,%g L%g,%g", x, y+boxH/2, listX+2*pitch-2, y+boxH/2), blue, "")
			c.element(2, y, "11, 4, 8", "in")
			c.reader(listX+boxW/2, y-12, "new")
			c.reader(listX+2*pitch+boxW/2, y-12, "new")
		}},
	})
}

func replacement() []byte {
	const below = 60.0
	ends := func(c *canvas, y float64) {
		c.head(y)
		c.element(0, y, "1, 2, 3", "in")
		c.element(2, y, "11, 4, 8", "in")
	}
	// up draws the link from the element below to the third.
	up := func(c *canvas, y float64, colour, dash string) {
		x := listX + pitch + boxW
		c.arrow(fmt.Sprintf("M%g,%g C%g,%g %g,%g %g,%g", x, y+below+boxH/2, x+28, y+below+boxH/2, x+12, y+boxH-6, listX+2*pitch-2, y+boxH-8), colour, dash)
	}
	down := func(c *canvas, y float64) {
		x := listX + boxW
		c.arrow(fmt.Sprintf("M%g,%g C%g,%g %g,%g %g,%g", x, y+boxH-8, x+34, y+boxH-6, x+14, y+below+boxH/2, listX+pitch-2, y+below+boxH/2), blue, "")
	}
	return steps("Replacement of 5, 6, 7 by 5, 2, 3 in four steps", rowH+42, []step{
		{"Before", []string{"Readers may be on any element."}, func(c *canvas, y float64) {
			ends(c, y)
			c.next(0, y, blue, "")
			c.element(1, y, "5, 6, 7", "in")
			c.next(1, y, blue, "")
			c.reader(listX+pitch+boxW/2, y-12, "old")
		}},
		{"Copy and change", []string{"No reader sees the copy yet.", "Its next is set before it", "is published."}, func(c *canvas, y float64) {
			ends(c, y)
			c.next(0, y, blue, "")
			c.element(1, y, "5, 6, 7", "in")
			c.next(1, y, blue, "")
			c.reader(listX+pitch+boxW/2, y-12, "old")
			c.element(1, y+below, "5, 2, 3", "out")
			up(c, y, faint, "2 3")
		}},
		{"Replace", []string{"One store: a reader sees either", "the old element or the new one."}, func(c *canvas, y float64) {
			ends(c, y)
			down(c, y)
			c.element(1, y, "5, 6, 7", "old")
			c.next(1, y, orange, "6 3")
			c.element(1, y+below, "5, 2, 3", "in")
			up(c, y, blue, "")
			c.reader(listX+pitch+boxW/2, y-12, "old")
			c.reader(listX+pitch+boxW/2, y+below-12, "new")
		}},
		{"Synchronize, reclaim", []string{"The old readers are gone: the", "old element is the updater's."}, func(c *canvas, y float64) {
			ends(c, y)
			c.next(0, y, blue, "")
			c.element(1, y, "5, 2, 3", "in")
			c.next(1, y, blue, "")
			c.reader(listX+pitch+boxW/2, y-12, "new")
			c.element(1, y+below, "5, 6, 7", "out")
		}},
	})
}
