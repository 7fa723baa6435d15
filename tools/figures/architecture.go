package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A station is a source of data, a package that processes it, or a result.
type station struct {
	name  string // a package, a file, or an input of the user
	says  []string
	thing bool // whether it is data, not a package
}

// A route is the way of data through packages, one station after the other.
type route struct {
	title    string
	stations []station
	aside    station // another input of the station with number into
	into     int
}

// routes are the routes that docs/architecture.md describes.
var routes = []route{
	{
		title: "From flags to pictures",
		stations: []station{
			{"lockbench run", []string{"flags: locks, CPUs,", "reads, hold, think"}, true},
			{"harness", []string{"Sweep: a product of", "scenarios, in rounds", "Run: one sample, verified"}, false},
			{"results", []string{"Writer: a line a sample", "Summarize, Ratios:", "medians, intervals"}, false},
			{"results.txt", []string{"Go benchmark format;", "benchstat reads it"}, true},
			{"plots", []string{"Write: a figure for each", "question that the data", "answers"}, false},
			{"plots-out", []string{"SVG, PNG, one page;", "a table in the terminal"}, true},
		},
		aside: station{"internal/catalog", []string{"each lock by its name; or a type of yours"}, false},
		into:  1,
	},
	{
		title: "From two commits to a verdict",
		stations: []station{
			{"lockbench gate", []string{"base and head,", "or two files"}, true},
			{"gate/measure", []string{"Prepare: both sides,", "many pairs of binaries", "Round: runs in turns"}, false},
			{"gate", []string{"Rules: readings to", "evidence and intervals,", "over all benchmarks"}, false},
			{"gate.Report", []string{"pass, regressed,", "cannot tell, or why", "there is no verdict"}, true},
			{"gate/report", []string{"text, markdown, GitHub,", "JSON, JUnit"}, false},
			{"CI", []string{"an exit code, a comment,", "a picture (plots)"}, true},
		},
		aside: station{"gate/config, gate/shape", []string{"gate.toml: margins, exceptions, demands on sweeps"}, false},
		into:  2,
	},
	{
		title: "From Lock() to a schedule",
		stations: []station{
			{"Lock()", []string{"of a lock of ours", "or of yours, in a test"}, true},
			{"primitives", []string{"words, Spin, Park;", "natively sync/atomic,", "-tags virtual: a step"}, false},
			{"internal/engine", []string{"the seam: asks the", "engine before each step"}, false},
			{"check", []string{"workers, memory, store", "buffers; a search for", "the next step"}, false},
			{"check.Report", []string{"every schedule, or", "which bound held"}, true},
			{"a failure", []string{"a table of steps, a", "figure, a token that", "replays the schedule"}, true},
		},
		aside: station{"check/property", []string{"what is true of all locks, as tests to explore"}, false},
		into:  3,
	},
}

// The sizes of the figure of routes.
const (
	stationW, stationH = 168.0, 92.0
	stationGap         = 24.0
	routeH             = 214.0
	routesLeft         = 20.0
	nameSize, saysSize = 14, 12
)

// architecture draws the routes, one below the other.
func architecture() []byte {
	width := int(2*routesLeft + 6*stationW + 5*stationGap)
	c := newCanvas(width, int(routeH)*len(routes)+46, "How data flows through lockbench")
	for i, r := range routes {
		top := routeH*float64(i) + 16
		if i > 0 {
			c.line(routesLeft, top-6, float64(width)-routesLeft, top-6, "#cccccc", "")
		}
		c.bold(routesLeft, top+22, 17, ink, r.title)
		y := top + 40
		for j, s := range r.stations {
			x := stationX(j)
			if j > 0 {
				c.arrow(fmt.Sprintf("M%g,%g L%g,%g", x-stationGap+2, y+stationH/2, x-3, y+stationH/2), ink, "")
			}
			s.draw(c, x, y, stationW, stationH)
		}
		x, below := stationX(r.into), y+stationH+24
		c.arrow(fmt.Sprintf("M%g,%g L%g,%g", x+stationW/2, below, x+stationW/2, y+stationH+3), ink, "")
		r.aside.draw(c, x, below, asideW, 44)
	}
	y := routeH*float64(len(routes)) + 24
	c.box(routesLeft, y-4, 28, 16, blueBg, blue, "")
	c.text(routesLeft+36, y+9, saysSize, "start", ink, "package")
	c.box(routesLeft+110, y-4, 28, 16, yellow, orange, "")
	c.text(routesLeft+146, y+9, saysSize, "start", ink, "what a user brings, or gets")
	return c.Bytes()
}

const asideW = 2*stationW + stationGap

func stationX(i int) float64 { return routesLeft + float64(i)*(stationW+stationGap) }

// draw draws s in a box.
func (s station) draw(c *canvas, x, y, w, h float64) {
	fill, stroke := blueBg, blue
	if s.thing {
		fill, stroke = yellow, orange
	}
	c.box(x, y, w, h, fill, stroke, "")
	c.bold(x+10, y+20, nameSize, ink, s.name)
	for i, line := range s.says {
		c.text(x+10, y+37+16*float64(i), saysSize, "start", ink, line)
	}
}

// fits reports whether the text of s fits into the width w without its margins, for
// average letters of Helvetica and a reserve.
func (s station) fits(w float64) bool {
	widest := 0.62 * float64(nameSize*len(s.name)) // bold
	for _, line := range s.says {
		widest = max(widest, textWidth(line, saysSize))
	}
	return widest <= w-16
}

// textWidth returns how wide a text is, for average letters of Helvetica and a reserve.
func textWidth(text string, size float64) float64 {
	narrow := 0.0
	for _, r := range text {
		if strings.ContainsRune("lit,:; ", r) {
			narrow++
		}
	}
	return size * (0.58*(float64(utf8.RuneCountInString(text))-narrow) + 0.28*narrow)
}
