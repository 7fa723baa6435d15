package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/slowbench"
	"github.com/lockbench/lockbench/internal/wording"
)

// selfTest shows with the given benchmarks that the gate can fail, and that it does not
// fail without reason: it compares the head with itself, and with itself made slower.
// Each gets half of the budget.
func (g *gating) selfTest(ctx context.Context) (*gate.Report, error) {
	share := g.slowdown(new(commandline.Problems)) // checked with the flags
	dir, err := os.MkdirTemp("", "lockbench-slowdown")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	slower, err := slowbench.Flag(dir, share, ".")
	if err != nil {
		return nil, asInput(ctx, err)
	}

	g.rules.Budget /= 2
	g.rules.Units = []string{"ns/op"} // what a slowdown changes
	g.measuring.Base, g.measuring.MeasureUnchanged = g.Head, true
	same, err := g.run(ctx, g.measuring)
	if err != nil {
		return nil, err
	}
	slow := g.measuring
	slow.HeadFlags = append(slow.HeadFlags, slower)
	slow.Seed++
	caught, err := g.run(ctx, slow)
	if err != nil {
		return nil, err
	}

	fmt.Fprintf(g.console.Out, "the same code:\n\n")
	if err := g.write(g.console.Out, g.Format, report.Document{Report: same}); err != nil {
		return nil, err
	}
	fmt.Fprintf(g.console.Out, "\nthe same code, made %s slower:\n\n", g.Slowdown)
	if err := g.write(g.console.Out, g.Format, report.Document{Report: caught}); err != nil {
		return nil, err
	}
	for _, rep := range []*gate.Report{same, caught} {
		if rep.Outcome() == gate.NoVerdict {
			return nil, noVerdict(report.Document{Report: rep})
		}
	}
	return nil, g.judgeSelf(same, caught, share)
}

// slowdown returns the value of --slowdown.
func (c *gateCmd) slowdown(bad *commandline.Problems) float64 {
	share, ok := config.ParseShare(c.Slowdown)
	if !ok || !(share > 0 && share <= 10) {
		bad.Addf("--slowdown %s: want a share such as 10%%", c.Slowdown)
	}
	return share
}

// judgeSelf says whether the gate gave the right verdicts.
func (g *gating) judgeSelf(same, slow *gate.Report, share float64) error {
	count := func(r *gate.Report) (n [gate.Regressed + 1]int) {
		for _, res := range r.Results {
			if !res.Minor {
				n[res.Verdict]++
			}
		}
		return n
	}
	a, b := count(same), count(slow)
	total := func(n [gate.Regressed + 1]int) int { return n[gate.Pass] + n[gate.CannotTell] + n[gate.Regressed] }
	fmt.Fprintf(g.console.Out, "\nself-test: of %s of the same code, %d called regressed, %d cannot be told; of %s made %s slower, %d called regressed, %d cannot be told, %d passed\n",
		wording.Count(total(a), "benchmark"), a[gate.Regressed], a[gate.CannotTell],
		wording.Count(total(b), "benchmark"), g.Slowdown, b[gate.Regressed], b[gate.CannotTell], b[gate.Pass])

	var failed []string
	if a[gate.Regressed] > 0 {
		failed = append(failed, "called the same code regressed")
	}
	if b[gate.Pass] > 0 && share > slow.Rules.Margin {
		failed = append(failed, fmt.Sprintf("let code pass that is %s slower", g.Slowdown))
	}
	switch {
	case len(failed) > 0:
		return commandline.Found(fmt.Errorf("self-test failed: the gate %s", strings.Join(failed, ", and ")))
	case (b[gate.Regressed] == 0 || a[gate.Pass] == 0) && g.CannotTell == "pass":
		fmt.Fprintln(g.console.Out, "self-test could tell nothing: the machine is too noisy, or the budget too small")
		return nil
	case b[gate.Regressed] == 0 || a[gate.Pass] == 0:
		return errCannotTell
	}
	fmt.Fprintln(g.console.Out, "self-test passed")
	return nil
}
