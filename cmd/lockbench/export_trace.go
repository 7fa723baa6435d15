package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/internal/wording"
)

// perfettoFlags say which timelines of a file of traces are exported.
type perfettoFlags struct {
	Perfetto bool   `help:"FILE is what run --trace wrote: write its timelines for ui.perfetto.dev; or, into a file NAME.svg, a picture of one."`
	Cell     string `placeholder:"TEXT" help:"Only cells whose names in FILE contain TEXT, such as lock=ticket/ (--perfetto)."`
	Burst    string `placeholder:"N" help:"The burst of a picture: 1 or 2 (1)."`
	From     string `placeholder:"D" help:"Leave out of a picture what is before, from the beginning of the burst (0s)."`
	To       string `placeholder:"D" help:"Leave out of a picture what is after."`
	Dark     bool   `help:"Draw the picture for a dark page."`
}

// What fits into a file for a viewer, and into a picture.
const (
	mostEvents = 2_000_000
	mostDrawn  = 5000
)

// alone adds which flags have no meaning, because there is no --perfetto or no picture.
func (c *perfettoFlags) alone(bad *commandline.Problems, with string) {
	for _, f := range []struct {
		flag string
		set  bool
	}{
		{"--cell " + c.Cell, c.Cell != "" && !c.Perfetto},
		{"--burst " + c.Burst, c.Burst != ""},
		{"--from " + c.From, c.From != ""},
		{"--to " + c.To, c.To != ""},
		{"--dark", c.Dark},
	} {
		if f.set {
			bad.Addf("%s: want %s with it", f.flag, with)
		}
	}
}

// timelines writes what is asked for of a file of traces.
func (c *exportCmd) timelines(con commandline.Console, bad commandline.Problems) error {
	picture := filepath.Ext(c.Out) == ".svg"
	if !picture {
		c.alone(&bad, "--perfetto --out NAME.svg")
	}
	burst, from, to := 1, time.Duration(0), time.Duration(0)
	if c.Burst != "" {
		burst = commandline.One(&bad, "--burst", c.Burst, bad.Ints("--burst", c.Burst, 1, 1000))
	}
	for _, f := range []struct {
		flag, text string
		at         *time.Duration
	}{{"--from", c.From, &from}, {"--to", c.To, &to}} {
		if f.text != "" {
			*f.at = commandline.One(&bad, f.flag, f.text, bad.Durations(f.flag, f.text, 0, time.Hour))
		}
	}
	if c.To != "" && to <= from {
		bad.Addf("--to %s: want more than --from", c.To)
	}
	if c.Format != "csv" {
		bad.Addf("--format %s: want it without --perfetto", c.Format)
	}
	if len(bad) > 0 {
		return bad
	}
	var all []*timeline.Timeline
	var cells []string
	events := 0
	read := func(r io.Reader, name string) (timeline.Header, error) {
		h, torn, err := timeline.Read(r, name, func(t timeline.Trace) error {
			if !strings.Contains(t.Cell, c.Cell) {
				return nil
			}
			cells = append(cells, t.Cell)
			if picture && len(cells) > 1 {
				return nil // which is refused
			}
			for _, tl := range t.Timelines(len(cells), picture) {
				if events += tl.Drawn(); events > mostEvents {
					return fmt.Errorf("more than %d events, which is too much for a viewer: want --cell TEXT, which leaves out cells", mostEvents)
				}
				all = append(all, tl)
			}
			return nil
		})
		if torn && err == nil {
			con.Sayf("warning: %s: left out its last line, which is cut off", name)
		}
		return h, err
	}
	h, err := c.open(read)
	switch {
	case err != nil:
		return commandline.Problems{err}
	case len(cells) == 0 && c.Cell != "":
		return commandline.Problems{fmt.Errorf("--cell %s: %s has no such cell", c.Cell, c.File)}
	case len(cells) == 0:
		return commandline.Problems{fmt.Errorf("%s: no traces: the run was interrupted before the first sample", c.File)}
	case !picture:
		about := map[string]string{"command": h.Command, "cpu": h.CPU, "system": h.System}
		return c.write(con, func(w io.Writer) error { return timeline.WriteJSON(w, about, all...) })
	case len(cells) > 1:
		return commandline.Problems{fmt.Errorf("--out %s: %s match, such as %s and %s: a picture shows one; want --cell TEXT, which leaves out the others", c.Out, wording.Count(len(cells), "cell"), cells[0], cells[1])}
	case burst > len(all):
		return commandline.Problems{fmt.Errorf("--burst %d: the cell has %d", burst, len(all))}
	}
	t := all[burst-1]
	t.Command = h.Command
	if err := t.Window(1000*from.Nanoseconds(), 1000*to.Nanoseconds()); err != nil {
		return commandline.Problems{err}
	}
	if n := t.Drawn(); n > mostDrawn {
		return commandline.Problems{fmt.Errorf("--out %s: %d slices and arrows: a picture has room for %d; want a shorter time between --from and --to", c.Out, n, mostDrawn)}
	}
	return c.write(con, func(w io.Writer) error { return t.WriteSVG(w, c.Dark) })
}

// open calls read with FILE.
func (c *exportCmd) open(read func(io.Reader, string) (timeline.Header, error)) (h timeline.Header, err error) {
	if c.File == "-" {
		return read(os.Stdin, "stdin")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return h, noFile(err, "lockbench run --trace FILE")
	}
	h, err = read(f, c.File)
	return h, errors.Join(err, f.Close())
}

// write writes to --out, or to stdout without it.
func (c *exportCmd) write(con commandline.Console, write func(io.Writer) error) error {
	if c.Out == "" {
		return write(con.Out)
	}
	return atomicfile.Write(c.Out, write)
}
