// Figures draws the figures of README and of the pages in docs, those that
// explain, those that were measured and those that were simulated, and writes the
// tables that say which lock is the fastest and what was measured.
//
//	go run ./tools/figures
//	go run ./tools/figures -measure [DATASET ...]
//
// It is run in a checkout. The measured data are in docs/data; with -measure it
// measures them again first, all or the named datasets. The dataset traces is
// simulated, and drawn with -measure only. Tests check that the published files
// are those that are drawn.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/svg"
	"github.com/lockbench/lockbench/results"
)

// figures has the figures that explain, by file name.
var figures = map[string]func() []byte{
	"architecture.svg":     architecture,
	"rcu-grace-period.svg": gracePeriod,
	"rcu-delete.svg":       deletion,
	"rcu-replace.svg":      replacement,
	"sim-model.svg":        simModel,
}

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run returns 0, or 1 if something could not be measured, drawn or written, or 2
// if the command line makes no sense.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("figures", flag.ContinueOnError)
	flags.SetOutput(stderr)
	anew := flags.Bool("measure", false, "measure first: all datasets, or those named")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	bad := 0
	for _, name := range flags.Args() {
		switch {
		case !*anew:
			fmt.Fprintf(stderr, "figures: %s: want -measure before names of datasets\n", name)
			bad = 2
		case !slices.Contains(names(), name):
			fmt.Fprintf(stderr, "figures: unknown dataset %q (known: %s)\n", name, strings.Join(names(), ", "))
			bad = 2
		}
	}
	if bad != 0 {
		return bad
	}
	ctx, stop := commandline.UntilSignal()
	defer stop()
	var todo []string
	if *anew {
		if todo = flags.Args(); len(todo) == 0 {
			todo = names()
		}
	}
	if err := publish(ctx, ".", todo, stderr); err != nil {
		fmt.Fprintln(stderr, "figures:", err)
		return 1
	}
	return 0
}

// publish writes all published files into a checkout, after measuring the named
// datasets.
func publish(ctx context.Context, root string, anew []string, stderr io.Writer) error {
	if err := measure(ctx, root, anew, stderr); err != nil {
		return err
	}
	published, err := draw(root)
	if err != nil {
		return err
	}
	return write(root, published)
}

// draw returns the published files, by their paths in a checkout.
func draw(root string) (map[string][]byte, error) {
	published := make(map[string][]byte)
	for name, draw := range figures {
		published["docs/"+name] = draw()
	}
	for _, d := range diagrams {
		published["docs/states-"+d.name+".svg"] = d.draw()
	}
	files, err := read(root)
	if err != nil {
		return nil, err
	}
	if err := drawMeasured(files, published); err != nil {
		return nil, err
	}
	if err := drawGate(root, published); err != nil {
		return nil, err
	}
	if err := drawRules(root, published); err != nil {
		return nil, err
	}
	if err := drawSimulated(root, published); err != nil {
		return nil, err
	}
	if err := drawNumbers(root, files, published); err != nil {
		return nil, err
	}
	published["docs/data/README.md"] = []byte(register(files, published[gateFigure] != nil, published[rulesFigure+".svg"] != nil))
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, err
	}
	if readme, err = between("README.md", readme, choiceMarks, choices(files)); err != nil {
		return nil, err
	}
	run, err := shownRun(files)
	if err != nil {
		return nil, err
	}
	published["README.md"], err = between("README.md", readme, runMarks, run)
	return published, err
}

// The marks in README between which this command writes.
var (
	choiceMarks = [2]string{"<!-- go run ./tools/figures writes what is below -->\n", "<!-- and above -->\n"}
	runMarks    = [2]string{"<!-- go run ./tools/figures writes the run below -->\n", "<!-- end of the run -->\n"}
)

// between returns the page of that name with text between the marks.
func between(name string, page []byte, marks [2]string, text string) ([]byte, error) {
	begin, end := marks[0], marks[1]
	head, rest, found := bytes.Cut(page, []byte(begin))
	_, tail, also := bytes.Cut(rest, []byte(end))
	if !found || !also {
		return nil, fmt.Errorf("%s: want %q and then %q", name, begin, end)
	}
	return slices.Concat(head, []byte(begin), []byte(text), []byte(end), tail), nil
}

// shownRun returns the output of lockbench run for the dataset reads, as wide as a page.
func shownRun(files map[string]*results.File) (string, error) {
	const width = 90
	i := slices.IndexFunc(datasets, func(d dataset) bool { return d.name == "reads" })
	flags, _, _ := strings.Cut(datasets[i].runs[0], " --cpus")
	var b strings.Builder
	fmt.Fprintf(&b, "```console\n$ lockbench run %s\n...\n", strings.Replace(flags, ",rw-phasefair", ",\\\nrw-phasefair", 1))
	if err := (results.Digest{Width: width}).Write(&b, files["reads"].Samples); err != nil {
		return "", err
	}
	b.WriteString("...\n```\n")
	return b.String(), nil
}

// The colours are Okabe and Ito's, and lighter shades of them as backgrounds: readers
// with colour blindness can distinguish them. No figure depends on colour alone.
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

// darker has what a colour is on a dark page.
var darker = []struct{ light, dark string }{
	{ink, "#e6e6e6"}, {"#444444", "#c4c4c4"}, {"#555555", "#b4b4b4"}, {faint, "#a0a0a0"}, {"#bbbbbb", "#5a5a5a"}, {"#cccccc", "#4a4a4a"},
	{blue, "#5fb3ea"}, {orange, "#f0a860"},
	{blueBg, "#12374d"}, {yellow, "#4a3312"}, {greyBg, "#2e3338"}, {"#f4f4f4", "#22272c"}, {"#f8f8f8", "#1c2126"}, {"#fff", "#14181c"}, {"#ffffff", "#14181c"},
}

// darkRules returns a style sheet with which a figure for light pages is one for dark pages.
func darkRules() string {
	var b strings.Builder
	for _, c := range darker {
		for _, what := range []string{"fill", "stroke"} {
			fmt.Fprintf(&b, `[%s='%s']{%s:%s}`, what, c.light, what, c.dark)
		}
	}
	return b.String()
}

// A canvas is a figure that is being drawn.
type canvas struct {
	*svg.Picture
	width, height int
}

func newCanvas(width, height int, title string) *canvas {
	c := &canvas{svg.New(float64(width), float64(height), `font-family="Liberation Sans,Arial,Helvetica,sans-serif"`, title), width, height}
	for _, colour := range []string{ink, blue, orange, faint} {
		c.Add(`<defs><marker id="to%s" markerWidth="9" markerHeight="8" refX="7" refY="4" orient="auto" markerUnits="userSpaceOnUse"><path d="M0,0 L8,4 L0,8 z" fill="%s"/></marker></defs>`, colour[1:], colour)
	}
	c.Add(`<style>@media (prefers-color-scheme: dark) {%s}</style>`, darkRules())
	c.Add(`<rect width="%d" height="%d" fill="#fff"/>`, width, height)
	return c
}

// text writes at a point; anchor is start, middle or end.
func (c *canvas) text(x, y float64, size int, anchor, colour, s string) {
	c.Add(`<text x="%g" y="%g" font-size="%d" text-anchor="%s" fill="%s">%s</text>`, x, y, size, anchor, colour, s)
}

func (c *canvas) bold(x, y float64, size int, colour, s string) {
	c.Add(`<text x="%g" y="%g" font-size="%d" font-weight="bold" fill="%s">%s</text>`, x, y, size, colour, s)
}

// box draws a rectangle; dash is empty for a full line.
func (c *canvas) box(x, y, w, h float64, fill, stroke, dash string) {
	c.Add(`<rect x="%g" y="%g" width="%g" height="%g" rx="4" fill="%s" stroke="%s" stroke-width="1.4" stroke-dasharray="%s"/>`, x, y, w, h, fill, stroke, dash)
}

func (c *canvas) line(x1, y1, x2, y2 float64, colour, dash string) {
	c.Add(`<path d="M%g,%g L%g,%g" stroke="%s" stroke-width="1.4" stroke-dasharray="%s" fill="none"/>`, x1, y1, x2, y2, colour, dash)
}

// arrow draws a path that ends in a head.
func (c *canvas) arrow(path, colour, dash string) {
	c.Add(`<path d="%s" stroke="%s" stroke-width="1.6" stroke-dasharray="%s" fill="none" marker-end="url(#to%s)"/>`, path, colour, dash, colour[1:])
}
