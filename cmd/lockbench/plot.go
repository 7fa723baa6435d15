package main

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

type plotCmd struct {
	Files  []string `arg:"" name:"file" help:"Results files, all of one machine."`
	Plots  string   `placeholder:"DIR" default:"plots-out" help:"Where to put the pictures (${default})."`
	Format string   `placeholder:"FORMAT,..." default:"svg,png" help:"svg, png or both (${default})."`
}

func (c *plotCmd) Run(con console) error {
	var bad problems
	var all *results.File
	for _, name := range c.Files {
		file, err := results.ReadFile(name)
		bad.add(err)
		switch {
		case err != nil:
		case all == nil:
			all = file
		default:
			bad.add(sameMachine(all, file))
			all.Samples = append(all.Samples, file.Samples...)
		}
	}
	formats := strings.Split(c.Format, ",")
	for _, f := range formats {
		if f != "svg" && f != "png" {
			bad.addf("--format %s: want svg, png or svg,png, have %q", c.Format, f)
		}
	}
	bad.writable("--plots", c.Plots)
	if len(bad) > 0 {
		return bad
	}
	pictures, err := draw(con, c.Plots, all, formats)
	for _, path := range pictures {
		fmt.Fprintln(con.out, path)
	}
	return err
}

// draw draws all pictures of file into dir and returns their paths.
func draw(con console, dir string, file *results.File, formats []string) ([]string, error) {
	pictures, skipped, err := plots.Write(dir, results.Summarize(file.Samples), plots.Options{Facts: file.Facts, Formats: formats})
	for _, s := range skipped {
		fmt.Fprintf(con.err, "lockbench: not drawn: %v\n", s)
	}
	return pictures, err
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
