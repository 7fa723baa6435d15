package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/gate/history"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/plots"
)

type historyCmd struct {
	Dir string `complete:"dirs" arg:"" optional:"" default:"results/history" help:"Directory of files of Go benchmarks, one a run: *.txt or *.bench (${default})."`

	Bench  string `placeholder:"RE" help:"Look at benchmarks that match: package, dot, name without Benchmark."`
	Unit   string `complete:"units" placeholder:"UNIT,..." help:"Look at only these units, such as ns/op,allocs/op."`
	FDR    string `name:"fdr" placeholder:"SHARE" default:"5%" help:"Share of the change points that may be false, on average (${default})."`
	Format string `complete:"text|markdown|json" placeholder:"FORMAT" default:"text" help:"text, markdown or json (${default})."`
	Plots  string `complete:"dirs" placeholder:"DIR" help:"Draw the trends that have change points."`
	Fail   bool   `help:"Exit with 1 if the last change of a benchmark is a regression, and recent."`
	Last   string `placeholder:"RUNS" default:"10" help:"How many of the last runs are recent, for --fail (${default})."`
}

// A regressedError is the error of --fail if there are regressions.
type regressedError []history.Found

func (e regressedError) Error() string {
	var names []string
	for _, f := range e {
		name := f.Benchmark.String() + " " + f.Unit
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "regressed: " + strings.Join(names, ", ")
}

// Run looks for change points. They are for people to judge, and a failure only with
// --fail.
func (c *historyCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	formats := []string{"text", "markdown", "json"}
	if !slices.Contains(formats, c.Format) {
		bad.Addf("--format %s: want %s", c.Format, strings.Join(formats, ", "))
	}
	fdr, ok := config.ParseShare(c.FDR)
	if !ok || !(fdr > 0 && fdr < 1) {
		bad.Addf("--fdr %s: want a share between 0 and 1, such as 5%% or 0.05", c.FDR)
	}
	last := commandline.One(&bad, "--last", c.Last, bad.Ints("--last", c.Last, 1, 1<<30))
	var units []string
	if c.Unit != "" {
		for unit := range strings.SplitSeq(c.Unit, ",") {
			if unit = strings.TrimSpace(unit); unit == "" {
				bad.Addf("--unit %s: want units such as ns/op,allocs/op", c.Unit)
			}
			units = append(units, unit)
		}
	}
	bench, err := regexp.Compile(c.Bench)
	if err != nil {
		bad.Addf("--bench: %w", err)
	}
	if c.Plots != "" {
		bad.Writable("--plots", c.Plots)
	}
	h, err := history.Read(c.Dir)
	bad.Add(noFile(err, "lockbench gate --history"))
	if err == nil && bench != nil {
		if err := h.Select(bench, units); err != nil {
			bad.Add(err)
		}
	}
	if len(bad) > 0 {
		return bad
	}

	h.Find(fdr)
	switch c.Format {
	case "markdown":
		err = h.WriteMarkdown(con.Out)
	case "json":
		err = h.WriteJSON(con.Out)
	default:
		width, _ := commandline.Terminal(con.Out)
		err = h.WriteText(con.Out, width)
	}
	if c.Plots != "" {
		files, drawErr := plots.WriteHistory(c.Plots, h, plots.Options{})
		err = errors.Join(err, drawErr)
		fmt.Fprintf(con.Err, "lockbench: %s in %s\n", wording.Count(len(files), "picture"), c.Plots)
	}
	if recent := h.Regressed(last); c.Fail && len(recent) > 0 {
		err = errors.Join(err, commandline.Found(fmt.Errorf("%w within the last %s", regressedError(recent), strconv.Itoa(last)+" runs")))
	}
	return err
}
