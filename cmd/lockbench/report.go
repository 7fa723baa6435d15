package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/plots/report"
	"github.com/lockbench/lockbench/results"
)

type reportCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files, of one machine or several, also simulated ones."`
	Out   string   `complete:"files" placeholder:"FILE" default:"report.html" help:"The page (${default}). A report that is there is replaced."`
	Force bool     `help:"Replace FILE also if it is no report."`
	Open  bool     `help:"Show the page in a browser."`
}

func (c *reportCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	page := report.Page{Locks: describedLocks()}
	repeated(&bad, c.Files)
	for _, name := range c.Files {
		source, err := readSource(name)
		bad.Add(noFile(err, "lockbench run"))
		if err == nil {
			page.Sources = append(page.Sources, source)
		}
	}
	if slices.ContainsFunc(c.Files, func(name string) bool { return same(name, c.Out) }) {
		bad.Addf("--out %s: is one of the files, which a report would replace: want another name", c.Out)
	} else {
		c.replaceable(&bad)
	}
	if len(bad) > 0 {
		return bad
	}
	cells := 0
	for _, s := range page.Sources {
		for _, w := range s.File.Warnings {
			fmt.Fprintf(con.Err, "lockbench: warning: %s: %s\n", s.File.Name, w)
		}
		cells += len(s.File.Done())
	}
	if err := os.MkdirAll(filepath.Dir(c.Out), 0o777); err != nil {
		return err
	}
	if err := atomicfile.Write(c.Out, page.Write); err != nil {
		return err
	}
	_, err := fmt.Fprintf(con.Out, "%s\n\t%s of %s: open it in a browser\n", c.Out, wording.Count(cells, "cell"), wording.Count(len(c.Files), "file"))
	if c.Open {
		openPage(con, c.Out)
	}
	return err
}

// readSource reads a results file, and its text.
func readSource(name string) (report.Source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return report.Source{}, err
	}
	file, err := results.ReadAll(bytes.NewReader(text), name)
	return report.Source{File: file, Raw: text}, err
}

// repeated reports files that are given twice, under whatever names.
func repeated(bad *commandline.Problems, names []string) {
	for i, name := range names {
		if slices.ContainsFunc(names[:i], func(before string) bool { return same(before, name) }) {
			bad.Addf("%s: given twice, and its samples would count twice", name)
		}
	}
}

// same reports whether two names are of one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// replaceable reports a file in place of the page that is none, and a directory in which
// there can be no page.
func (c *reportCmd) replaceable(bad *commandline.Problems) {
	f, err := os.Open(c.Out)
	if errors.Is(err, fs.ErrNotExist) {
		bad.Writable("--out", filepath.Dir(c.Out))
		return
	}
	if err == nil && c.Force {
		f.Close()
		return
	}
	if err != nil {
		bad.Addf("--out: %w", err)
		return
	}
	defer f.Close()
	start := make([]byte, 1024) // its head
	n, err := io.ReadFull(f, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		bad.Addf("--out: %w", err)
		return
	}
	if !bytes.Contains(start[:n], []byte(report.Mark)) {
		bad.Addf("--out %s: exists, and is no report: want --force to replace it, or another name", c.Out)
	}
}

// describedLocks returns what the catalogue says of all locks.
func describedLocks() (all []report.Lock) {
	for _, e := range catalog.All() {
		all = append(all, report.Lock{
			Name: e.Name, Family: e.Family, Order: e.Fairness(), Waits: e.Waits.String(), Source: e.Source,
			Bytes: int(e.Bytes), Waiter: int(e.WaiterBytes), Control: e.Control,
		})
	}
	return all
}
