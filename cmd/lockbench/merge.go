package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

type mergeCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files of all shards of a sweep, or one into which they were concatenated."`
	Out   string   `complete:"files" placeholder:"FILE" default:"results.txt" help:"File for all of them (${default})."`
	Force bool     `help:"Replace FILE."`
}

func (c *mergeCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	var files []*results.File
	for _, name := range c.Files {
		parts, err := readParts(name)
		bad.Add(err)
		files = append(files, parts...)
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

// header begins each file of results: of a simulated machine, it has no other such line.
var header = regexp.MustCompile(`^(goos|goarch|cpu|machine): `)

// readParts reads the files of which one consists: several, if they were concatenated.
func readParts(name string) (parts []*results.File, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var begins []int // lines
	samples := true
	lines := bytes.SplitAfter(text, []byte("\n"))
	for i, line := range lines {
		switch {
		case bytes.HasPrefix(line, []byte("Benchmark")):
			samples = true
		case samples && header.Match(line):
			begins, samples = append(begins, i), false
		}
	}
	if len(begins) < 2 {
		file, err := results.ReadFile(name)
		if err != nil {
			return nil, err
		}
		return []*results.File{file}, nil
	}
	begins[0] = 0
	var errs []error
	for i, begin := range begins {
		end := len(lines)
		if i+1 < len(begins) {
			end = begins[i+1]
		}
		// Empty lines before it, so that errors have the numbers of its lines.
		part := slices.Concat(bytes.Repeat([]byte("\n"), begin), bytes.Join(lines[begin:end], nil))
		file, err := results.ReadAll(bytes.NewReader(part), name)
		errs = append(errs, err)
		if err == nil {
			file.Name = fmt.Sprintf("%s, from line %d", name, begin+1)
			parts = append(parts, file)
		}
	}
	return parts, errors.Join(errs...)
}
