package main

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

type plotCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files, all of one machine."`
	Plots string   `complete:"dirs" placeholder:"DIR" default:"plots-out" help:"Where to put the pictures (${default})."`
	drawing
}

// A drawing is the flags that say how to draw.
type drawing struct {
	Format string `complete:"svg|png" placeholder:"FORMAT,..." default:"svg,png" help:"Format of the pictures: svg, png or both (${default})."`
	All    bool   `help:"Draw every share of reads, and not the lowest and the highest alone."`
}

func (c *plotCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	var all *results.File
	for _, name := range c.Files {
		file, err := results.ReadFile(name)
		bad.Add(err)
		if err == nil {
			for _, w := range file.Warnings {
				fmt.Fprintf(con.Err, "lockbench: warning: %s: %s\n", name, w)
			}
		}
		switch {
		case err != nil:
		case all == nil:
			all = file
		default:
			bad.Add(sameMachine(all, file))
			all.Samples = append(all.Samples, file.Samples...)
		}
	}
	c.check(&bad)
	bad.Writable("--plots", c.Plots)
	if len(bad) > 0 {
		return bad
	}
	return c.draw(con, c.Plots, all)
}

// check checks the flags.
func (d drawing) check(bad *commandline.Problems) {
	for _, f := range d.formats() {
		if f != "svg" && f != "png" {
			bad.Addf("--format %s: want svg, png or svg,png, have %q", d.Format, f)
		}
	}
}

func (d drawing) formats() []string { return strings.Split(d.Format, ",") }

// draw draws the pictures of file into dir. It lists the figures in the order
// in which to look at them: for each a path, and below it what it says.
func (d drawing) draw(con commandline.Console, dir string, file *results.File) error {
	files, skipped, err := plots.Write(dir, results.Summarize(file.Samples), plots.Options{
		Facts:      file.Facts,
		Everything: d.All,
		Formats:    d.formats(),
	})
	var last *plots.Figure
	for _, f := range files {
		if f.Figure != last {
			fmt.Fprintf(con.Out, "%s\n\t%s\n", f.Path, strings.ReplaceAll(f.Title, "\u00a0", " "))
		}
		last = f.Figure
	}
	for _, s := range skipped {
		fmt.Fprintf(con.Err, "lockbench: not drawn: %v\n", s)
	}
	fmt.Fprintf(con.Err, "lockbench: %s in %s\n", plural(len(files), "picture"), dir)
	return err
}

// sameMachine is an error if two files are from machines that differ.
func sameMachine(a, b *results.File) error {
	for _, f := range []struct{ key, a, b string }{
		{"goos", a.GOOS, b.GOOS},
		{"goarch", a.GOARCH, b.GOARCH},
		{"cpu", a.CPU, b.CPU},
		{"machine", a.Machine, b.Machine},
	} {
		if f.a != f.b {
			return fmt.Errorf("%s: want results of one machine, have %s %q here and %q in %s", b.Name, f.key, f.b, f.a, a.Name)
		}
	}
	return nil
}
