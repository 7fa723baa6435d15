package main

import (
	"fmt"
	"io"
	"os"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
)

type exportCmd struct {
	File   string `complete:"files" arg:"" help:"Results file, or trace; - is stdin."`
	Format string `complete:"csv|json" placeholder:"FORMAT" default:"csv" help:"csv, a row for each sample, or json (${default})."`
	Out    string `complete:"files" placeholder:"FILE" help:"File to write (stdout without it)."`
	Force  bool   `help:"Replace FILE."`
	perfettoFlags
}

func (c *exportCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	read := func() (*results.File, error) { return results.ReadFile(c.File) }
	if c.File == "-" {
		read = func() (*results.File, error) { return results.ReadAll(os.Stdin, "stdin") }
	}
	if !c.Perfetto && !sweeping.IsData(c.Format) {
		bad.Addf("--format %s: want csv or json", c.Format)
	}
	if c.Out != "" && !c.Force {
		if _, err := os.Lstat(c.Out); err == nil {
			bad.Addf("--out %s: exists: want --force to replace it, or another name", c.Out)
		}
	}
	if c.Perfetto {
		return c.timelines(con, bad)
	}
	c.alone(&bad, "--perfetto")
	file, err := read()
	bad.Add(noFile(err, "lockbench run"))
	if len(bad) > 0 {
		return bad
	}
	for _, w := range file.Warnings {
		fmt.Fprintf(con.Err, "lockbench: warning: %s: %s\n", file.Name, w)
	}
	return c.write(con, func(w io.Writer) error { return sweeping.Export(w, c.Format, file) })
}
