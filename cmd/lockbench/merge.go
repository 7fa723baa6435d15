package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

type mergeCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files of all shards of a sweep."`
	Out   string   `complete:"files" placeholder:"FILE" default:"results.txt" help:"File for all of them (${default})."`
	Force bool     `help:"Replace FILE."`
}

func (c *mergeCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	var files []*results.File
	for _, name := range c.Files {
		file, err := results.ReadFile(name)
		bad.Add(err)
		if err == nil {
			files = append(files, file)
		}
	}
	if len(bad) > 0 {
		return bad
	}
	merged, err := results.Merge(files)
	if err != nil {
		bad.Add(err)
		return bad
	}
	create := results.Create
	if c.Force {
		create = results.Overwrite
	}
	w, err := create(c.Out, merged.Facts)
	if errors.Is(err, results.ErrInUse) || errors.Is(err, fs.ErrExist) {
		return commandline.Problems{fmt.Errorf("--out: %w", err)}
	}
	if err != nil {
		return err
	}
	for _, s := range merged.Samples {
		if err := w.Write(s); err != nil {
			return errors.Join(err, w.Close())
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.Out, "%s\n\t%s of %s\n", c.Out, wording.Count(len(merged.Samples), "sample"), wording.Count(len(merged.Done()), "cell"))
	return err
}
