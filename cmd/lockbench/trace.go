package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// checkTrace adds what is wrong with --trace.
func (c *runCmd) checkTrace(bad *commandline.Problems, sweep harness.Sweep) {
	if c.Trace == "" {
		return
	}
	if c.Forks != "" {
		bad.Addf("--trace --forks: want one of them: forks measure in processes of their own, which record nothing")
	}
	if c.Counters {
		bad.Addf("--trace --counters: want one of them: what recording does would count, too")
	}
	for _, a := range sweep.Arrivals {
		if !a.Closed() {
			bad.Addf("--trace: want a closed loop, have load %v: its waits begin before the call of Lock", a)
		}
	}
	if filepath.Clean(c.Trace) == filepath.Clean(c.Out) {
		bad.Addf("--trace %s: is the file for the results: want another", c.Trace)
	}
	switch info, err := os.Stat(c.Trace); {
	case errors.Is(err, fs.ErrNotExist):
		bad.Writable("--trace", filepath.Dir(c.Trace))
	case err != nil:
		bad.Addf("--trace: %w", err)
	case info.IsDir():
		bad.Addf("--trace %s: is a directory, want a file", c.Trace)
	case !info.Mode().IsRegular():
		bad.Addf("--trace %s: want a file", c.Trace)
	case !c.Resume && !c.Extend && !c.Force:
		bad.Addf("--trace %s: exists: want --resume to add what is missing, --force to replace it, or another name", c.Trace)
	}
}

// A tracer writes the first sample of each cell to a file of traces.
type tracer struct {
	file *os.File
	done map[string]bool // cells, by name
	n    int             // traces written now
	err  error
}

// openTrace opens the file of traces, if one is asked for. One that is to be resumed loses
// a line that was cut off.
func (c *runCmd) openTrace(con commandline.Console) (*tracer, error) {
	if c.Trace == "" {
		return nil, nil
	}
	t := &tracer{done: make(map[string]bool)}
	if err := os.MkdirAll(filepath.Dir(c.Trace), 0o777); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(c.Trace)
	if again := err == nil && (c.Resume || c.Extend); again && bytes.ContainsRune(text, '\n') {
		_, torn, err := timeline.Read(bytes.NewReader(text), c.Trace, func(of timeline.Trace) error {
			t.done[of.Cell] = true
			return nil
		})
		if err != nil {
			return nil, commandline.Problems{err}
		}
		if torn {
			con.Sayf("%s: dropped its last line, which was cut off", c.Trace)
		}
		if t.file, err = os.OpenFile(c.Trace, os.O_WRONLY|os.O_APPEND, 0); err != nil {
			return nil, err
		}
		return t, t.file.Truncate(int64(bytes.LastIndexByte(text, '\n') + 1))
	}
	if t.file, err = os.Create(c.Trace); err != nil {
		return nil, err
	}
	return t, timeline.Write(t.file, timeline.NewHeader("lockbench "+strings.Join(con.Args, " ")))
}

// measure measures a scenario as a sweep does, and records the first sample of a cell.
func (t *tracer) measure(ctx context.Context, _ int, s harness.Scenario) (results.Sample, error) {
	cell := s.Cell()
	if name := cell.String(); !t.done[name] {
		t.done[name] = true
		s.Trace = func(of harness.Timeline) {
			if t.err == nil {
				t.err = timeline.Write(t.file, timeline.NewTrace(cell, of))
				t.n++
			}
		}
	}
	sample, err := harness.Run(ctx, s)
	return sample, errors.Join(err, t.err)
}

// close closes the file and says what is in it.
func (t *tracer) close(con commandline.Console) error {
	if t == nil {
		return nil
	}
	con.Sayf("%s in %s; lockbench export --perfetto draws them", wording.Count(t.n, "trace"), t.file.Name())
	if err := t.file.Close(); err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	return nil
}
