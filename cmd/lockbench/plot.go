package main

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
)

type plotCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files, all of one machine."`
	Plots string   `complete:"dirs" placeholder:"DIR" default:"plots-out" help:"Where to put the pictures (${default})."`

	Format string `complete:"svg|png" placeholder:"FORMAT,..." default:"svg,png" help:"Format of the pictures: svg, png or both (${default})."`
	sweeping.Drawing
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
	c.Formats = strings.Split(c.Format, ",")
	for _, f := range c.Formats {
		if f != "svg" && f != "png" {
			bad.Addf("--format %s: want svg, png or svg,png, have %q", c.Format, f)
		}
	}
	bad.Writable("--plots", c.Plots)
	if len(bad) > 0 {
		return bad
	}
	return c.Draw(con, c.Plots, all, true)
}

// sameMachine returns an error if two files are from different machines.
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
