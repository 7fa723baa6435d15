package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/commandline"
)

type compareCmd struct {
	Old string `complete:"files" arg:"" help:"File of Go benchmarks, of lockbench or any other."`
	New string `complete:"files" arg:"" help:"The same benchmarks, later."`

	Bench  string `placeholder:"RE" help:"Compare benchmarks that match: package, dot, name without Benchmark."`
	Unit   string `complete:"units" placeholder:"UNIT,..." help:"Compare only these units, such as ns/op,allocs/op."`
	Metric string `complete:"units" hidden:"" now:"unit"`
	Format string `complete:"text|markdown|json" placeholder:"FORMAT" default:"text" help:"text, markdown or json (${default})."`
}

// Run compares, and leaves verdicts to the gate: it succeeds if there was something to
// compare.
func (c *compareCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	formats := []string{"text", "markdown", "json"}
	if !slices.Contains(formats, c.Format) {
		bad.Addf("--format %s: want %s", c.Format, strings.Join(formats, ", "))
	}
	var rules gate.Rules
	if c.Unit != "" {
		for unit := range strings.SplitSeq(c.Unit, ",") {
			if unit = strings.TrimSpace(unit); unit == "" {
				bad.Addf("--unit %s: want units such as ns/op,allocs/op", c.Unit)
			} else if !slices.Contains(rules.Units, unit) {
				rules.Units = append(rules.Units, unit)
			}
		}
	}
	re, err := regexp.Compile(c.Bench)
	if err != nil {
		bad.Addf("--bench: %w", err)
	}
	files, err := gate.ReadFiles(c.Old, c.New)
	bad.Add(err)
	if len(bad) > 0 {
		return bad
	}

	files.IgnoreMachine = true // the reader can judge that
	if c.Bench != "" {
		files.Only = func(b gate.Benchmark) bool { return re.MatchString(b.String()) }
	}
	rep, err := rules.CompareFiles(context.Background(), files)
	if err != nil {
		bad.Add(err)
		return bad
	}
	if !slices.ContainsFunc(rep.Results, func(r gate.Result) bool { return r.N > 0 }) {
		why := rep.Problems
		if len(rep.Results) > 0 {
			why = []string{rep.Results[0].Why}
		}
		bad.Addf("%w: %s", gate.ErrNothing, strings.Join(why, "; "))
		return bad
	}
	switch c.Format {
	case "markdown":
		fmt.Fprintln(con.Out, "```text")
		return errors.Join(report.Text(con.Out, report.Document{Report: rep}, report.TextOptions{Width: 120, Verbose: true, NoVerdict: true}), writeLine(con.Out, "```"))
	case "json":
		return writeComparison(con.Out, rep)
	}
	width, _ := commandline.Terminal(con.Out)
	return report.Text(con.Out, report.Document{Report: rep}, report.TextOptions{Width: width, Color: commandline.Color(con.Out), Verbose: true, NoVerdict: true})
}

func writeLine(w io.Writer, s string) error {
	_, err := fmt.Fprintln(w, s)
	return err
}

// writeComparison writes the report as JSON, as the gate does, without verdicts.
func writeComparison(w io.Writer, rep *gate.Report) error {
	var b bytes.Buffer
	if err := report.JSON(&b, report.Document{Report: rep}); err != nil {
		return err
	}
	var all map[string]any
	d := json.NewDecoder(&b)
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		return err
	}
	judgement := []string{"verdict", "why", "whole", "counts", "improved", "minor", "margin", "evidence", "confirmed"}
	for _, key := range judgement {
		delete(all, key)
	}
	list, _ := all["results"].([]any)
	for _, r := range list {
		if r, ok := r.(map[string]any); ok {
			for _, key := range judgement {
				delete(r, key)
			}
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(all)
}
