package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// A measuredFigure is drawn from a dataset, once for light pages and once for
// dark ones.
type measuredFigure struct {
	name string // of the file in docs, without .svg
	data string // a dataset
	keep func(results.Sample) bool
	draw []kind // the first kind for which there are data
	sync string // the lock that the others are compared with
}

type kind func([]results.Summary, plots.Options) ([]*plots.Figure, []plots.Skipped)

var measured = []measuredFigure{
	{
		name: "fig-throughput", data: "locks", sync: "sync.Mutex",
		keep: func(s results.Sample) bool { return s.Think == 100 },
		draw: []kind{plots.ThroughputBeside, plots.Throughput}, // near and far if there are both
	},
	{name: "fig-reads", data: "record", sync: "sync.Mutex", draw: []kind{plots.ReadsBeside}},
	{name: "fig-map", data: "map", sync: "sync.RWMutex", draw: []kind{plots.ReadsBeside}},
	{name: "writer-starvation", data: "starvation", sync: "sync.RWMutex", draw: []kind{plots.Latency}},
}

// figure draws a figure from its dataset.
func (m measuredFigure) figure(f *results.File) (*plots.Figure, error) {
	var samples []results.Sample
	for _, s := range f.Samples {
		if m.keep == nil || m.keep(s) {
			samples = append(samples, s)
		}
	}
	var why []plots.Skipped
	for _, draw := range m.draw {
		figures, skipped := draw(results.Summarize(samples), plots.Options{Facts: f.Facts, Reference: m.sync})
		if len(figures) > 0 {
			return figures[0], nil
		}
		why = append(why, skipped...)
	}
	return nil, fmt.Errorf("%s: nothing to draw in %s: %v", m.name, f.Name, why)
}

// drawMeasured adds the figures that are drawn from files to published.
func drawMeasured(files map[string]*results.File, published map[string][]byte) error {
	for _, m := range measured {
		f, err := m.figure(files[m.data])
		if err != nil {
			return err
		}
		for _, form := range []struct {
			suffix string
			dark   bool
		}{{"", false}, {"-dark", true}} {
			f.Dark = form.dark
			svg, err := f.Encode("svg")
			if err != nil {
				return err
			}
			published["docs/"+m.name+form.suffix+".svg"] = svg
		}
	}
	return nil
}

// drawGate adds the figure of the gate's report to published, if there is a report: the
// present figure is older than the practice of keeping reports.
func drawGate(root string, published map[string][]byte) error {
	file, err := os.Open(filepath.Join(root, gateReport))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	rep, err := report.ReadJSON(file)
	if err != nil {
		return fmt.Errorf("%s: %w", gateReport, err)
	}
	published[gateFigure], err = plots.Forest(rep.Report, plots.ForestOptions{}).Encode("svg")
	return err
}
