// Figures draws the figures of the pages in docs that are not measured.
//
//	go run ./internal/figures [DIRECTORY]
//
// The directory is docs unless another is named. A test sees to it that those
// there are those that are drawn.
package main

import (
	"bytes"
	"fmt"
	"html"
	"os"
	"path/filepath"
)

// figures has them all, by file name.
var figures = map[string]func() []byte{
	"rcu-grace-period.svg": gracePeriod,
	"rcu-delete.svg":       deletion,
	"rcu-replace.svg":      replacement,
}

func main() {
	dir := "docs"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	for name, draw := range figures {
		if err := os.WriteFile(filepath.Join(dir, name), draw(), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, "figures:", err)
			os.Exit(1)
		}
	}
}

// The colours are Okabe and Ito's, and lighter ones of them to write on: readers
// tell them apart who do not see all colours. No figure says by colour alone what
// it says.
const (
	ink     = "#222222"
	faint   = "#767676"
	blue    = "#0072b2"
	orange  = "#b35900"
	blueBg  = "#d3e6f3"
	yellow  = "#fbe5c0"
	greyBg  = "#eeeeee"
	nothing = "none"
)

// A canvas is a figure in the making.
type canvas struct {
	bytes.Buffer
	width, height int
}

func newCanvas(width, height int, title string) *canvas {
	c := &canvas{width: width, height: height}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Liberation Sans,Arial,Helvetica,sans-serif">`, width, height, width, height)
	c.add(`<title>%s</title>`, html.EscapeString(title))
	for _, colour := range []string{ink, blue, orange, faint} {
		c.add(`<defs><marker id="to%s" markerWidth="9" markerHeight="8" refX="7" refY="4" orient="auto" markerUnits="userSpaceOnUse"><path d="M0,0 L8,4 L0,8 z" fill="%s"/></marker></defs>`, colour[1:], colour)
	}
	c.add(`<rect width="%d" height="%d" fill="#fff"/>`, width, height)
	return c
}

func (c *canvas) add(format string, args ...any) {
	fmt.Fprintf(c, format, args...)
	c.WriteByte('\n')
}

func (c *canvas) done() []byte {
	c.add(`</svg>`)
	return c.Bytes()
}

// text writes at a point; anchor is start, middle or end.
func (c *canvas) text(x, y float64, size int, anchor, colour, s string) {
	c.add(`<text x="%g" y="%g" font-size="%d" text-anchor="%s" fill="%s">%s</text>`, x, y, size, anchor, colour, html.EscapeString(s))
}

func (c *canvas) bold(x, y float64, size int, colour, s string) {
	c.add(`<text x="%g" y="%g" font-size="%d" font-weight="bold" fill="%s">%s</text>`, x, y, size, colour, html.EscapeString(s))
}

// box draws a rectangle; dash is empty for a full line.
func (c *canvas) box(x, y, w, h float64, fill, stroke, dash string) {
	c.add(`<rect x="%g" y="%g" width="%g" height="%g" rx="4" fill="%s" stroke="%s" stroke-width="1.4" stroke-dasharray="%s"/>`, x, y, w, h, fill, stroke, dash)
}

func (c *canvas) line(x1, y1, x2, y2 float64, colour, dash string) {
	c.add(`<path d="M%g,%g L%g,%g" stroke="%s" stroke-width="1.4" stroke-dasharray="%s" fill="none"/>`, x1, y1, x2, y2, colour, dash)
}

// arrow draws a path that ends in a head.
func (c *canvas) arrow(path, colour, dash string) {
	c.add(`<path d="%s" stroke="%s" stroke-width="1.6" stroke-dasharray="%s" fill="none" marker-end="url(#to%s)"/>`, path, colour, dash, colour[1:])
}
