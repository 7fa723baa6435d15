package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
)

type plotCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files, all of one machine; those of simulated machines are drawn beside it."`
	Plots string   `complete:"dirs" placeholder:"DIR" default:"plots-out" help:"Where to put the pictures (${default})."`

	Format string `complete:"svg|png" placeholder:"FORMAT,..." default:"svg,png" help:"Format of the pictures: svg, png or both (${default})."`
	sweeping.Drawing
}

func (c *plotCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	var machines []*results.File // one for each
	repeated(&bad, c.Files)
	for _, name := range c.Files {
		file, err := results.ReadFile(name)
		bad.Add(noFile(err, "lockbench run"))
		if err == nil {
			for _, w := range file.Warnings {
				fmt.Fprintf(con.Err, "lockbench: warning: %s: %s\n", name, w)
			}
		}
		if err != nil {
			continue
		}
		i := slices.IndexFunc(machines, func(f *results.File) bool { return simulated(f) == simulated(file) })
		if i < 0 {
			machines = append(machines, file)
			continue
		}
		if simulated(file) == "" {
			bad.Add(sameMachine(machines[i], file))
		}
		machines[i].Append(file)
	}
	var all *results.File
	if len(machines) > 0 {
		// What was measured is what the figures are of; else the first machine's.
		i := max(0, slices.IndexFunc(machines, func(f *results.File) bool { return simulated(f) == "" }))
		all = machines[i]
		c.Beside = slices.Delete(machines, i, i+1)
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

// simulated returns the simulated machine of a file, "" if it was measured.
func simulated(f *results.File) string {
	name, _ := f.Simulated()
	return name
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
