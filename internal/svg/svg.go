// Package svg writes pictures in SVG, an element at a time. Package check uses it, so it
// imports nothing but the standard library.
package svg

import (
	"bytes"
	"fmt"
	"html"
)

// A Picture is a picture that is being drawn.
type Picture struct{ elements bytes.Buffer }

// New returns an empty picture of width and height, in pixels. Its
// attributes are those of the whole, such as the font.
func New(width, height float64, attributes, title string) *Picture {
	p := new(Picture)
	p.Add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" `+attributes+`>`, width, height, width, height)
	p.Add(`<title>%s</title>`, title)
	return p
}

// Add adds elements: a format and its arguments, as of [fmt.Sprintf]. Characters of the
// arguments that have a meaning in SVG are escaped.
func (p *Picture) Add(format string, args ...any) {
	escaped := make([]any, len(args))
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			arg = html.EscapeString(text)
		}
		escaped[i] = arg
	}
	fmt.Fprintf(&p.elements, format+"\n", escaped...)
}

// Bytes returns the whole picture. Nothing can be added afterwards.
func (p *Picture) Bytes() []byte {
	p.Add(`</svg>`)
	return p.elements.Bytes()
}
