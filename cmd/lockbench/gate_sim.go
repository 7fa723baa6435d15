package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/commandline"
)

// simulatedUnits are the units that are judged in the simulator: the time, and what it
// counts. Others say how the workers share a lock, which depends on chance.
var simulatedUnits = []string{"ns/op", "lines/op", "remote-lines/op", "spin-ns/op"}

// ofMeasuring returns the flags of the command line, in order, that mean nothing in the
// simulator.
func (c *gateCmd) ofMeasuring() (names []string) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"--files", c.Files || len(c.Between) > 0}, {"--drift", c.Drift != ""}, {"--self-test", c.SelfTest}, {"--packages", c.Packages != nil},
		{"--bench", c.Bench != ""}, {"--skip", c.Skip != ""}, {"--margin", c.Margin != ""}, {"--fdr", c.FDR != ""},
		{"--confidence", c.Confidence != ""}, {"--exact", c.Exact}, {"--budget", c.Budget != ""}, {"--timeout", c.Timeout != ""},
		{"--min-rounds", c.MinRounds != ""}, {"--slice", c.Slice != ""}, {"--builds", c.Builds != ""}, {"--pin", c.Pin != ""},
		{"--history", c.History != ""},
	} {
		if f.set {
			names = append(names, f.name)
		}
	}
	return names
}

// ofSimulating returns the flags of the command line that mean something only in the
// simulator.
func (c *gateCmd) ofSimulating() (names []string) {
	for _, f := range []struct{ name, value string }{{"--machine", c.Machine}, {"--locks", c.Locks}, {"--tolerance", c.Tolerance}} {
		if f.value != "" {
			names = append(names, f.name)
		}
	}
	return names
}

// checkSim checks the flags of a run in the simulator, and returns what to simulate.
// Flags that mean nothing there are in unfit.
func (c *gateCmd) checkSim(bad *commandline.Problems, says saying, unfit []string) measure.Simulation {
	if len(unfit) > 0 {
		bad.Addf("--sim: want no %s: what is simulated does not vary, and its cells are chosen by --machine, --cpus and --locks", strings.Join(unfit, ", "))
	}
	if c.Base == "" {
		bad.Addf("--sim: want --base REF")
	}
	return measure.Simulation{
		Machines: listOf(bad, says.of("machine"), c.Machine),
		Locks:    listOf(bad, says.of("locks"), c.Locks),
	}
}

// listOf returns words that have commas between them, none of an empty text.
func listOf(bad *commandline.Problems, flag, text string) (words []string) {
	if text == "" {
		return nil
	}
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word == "" || strings.HasPrefix(word, "-") {
			bad.Addf("%s %s: want words with commas between them, have %q", flag, text, word)
			return nil
		}
		words = append(words, word)
	}
	return words
}

// simulatedRules makes the rules those of simulated values: the margin is the tolerance.
func (c *gateCmd) simulatedRules(bad *commandline.Problems, says saying, r gate.Rules) gate.Rules {
	tolerance, ok := config.ParseShare(c.Tolerance)
	if !ok || !(tolerance >= 0 && tolerance <= 1) {
		bad.Addf("%s %s: want a share from 0 to 1, such as 1%% or 0.01", says.of("tolerance"), c.Tolerance)
	}
	r.Margin = tolerance
	if len(r.Units) == 0 {
		r.Units = simulatedUnits
	}
	return r
}

// simulate compares the locks of two revisions in the simulator.
func (g *gating) simulate(ctx context.Context) (*gate.Report, error) {
	cfg := g.measuring
	cfg.Log = func(line string) { fmt.Fprintf(g.console.Err, "lockbench: %s\n", line) }
	meter := commandline.NewMeter(g.console.Err, "lockbench", commandline.Pace{First: 2 * time.Second, Every: 5 * time.Second})
	began := time.Now()
	sim := g.simulation
	sim.CPUs = cfg.CPU
	sim.Progress = func(machine string, base, head int) {
		meter.Show(func() string {
			return fmt.Sprintf("%s: %d samples of the base, %d of the head; %v", filepath.Base(machine), base, head, time.Since(began).Round(time.Second))
		})
	}
	done, err := measure.Simulate(ctx, cfg, sim)
	meter.Clear()
	if err != nil {
		return nil, asInput(ctx, err)
	}
	g.simulated = done.Files()
	// What both sides have done is judged even if a signal ended the rest.
	rep, err := beyondSeeds(g.rules, done).Compare(context.WithoutCancel(ctx), done)
	if err != nil {
		return nil, asInput(context.WithoutCancel(ctx), err)
	}
	rep.Base, rep.Head = done.Sides()
	rep.Interrupted, rep.Took = done.Ended(), done.Took()
	rep.Problems = slices.Concat(done.Problems(), rep.Problems)
	rep.Warnings = slices.Concat(rep.Warnings, done.Warnings())
	return rep, nil
}

// beyondSeeds returns rules by which what is worse by more than the margin, or that of an
// exception, has regressed only if it is worse by more than seeds make it, too.
func beyondSeeds(r gate.Rules, of *measure.Simulated) gate.Rules {
	exception := r.For
	r.For = func(b gate.Benchmark, unit string) (gate.Exception, bool) {
		e := gate.Exception{Margin: r.Margin}
		if exception != nil {
			if other, ok := exception(b, unit); ok {
				e = other
			}
		}
		e.Margin = max(e.Margin, of.Spread(b, unit))
		return e, true
	}
	return r
}

// keepSimulated writes what both sides have done into --out.
func (g *gating) keepSimulated() error {
	for _, f := range g.simulated {
		err := atomicfile.Write(filepath.Join(g.Out, f.Name), func(w io.Writer) error {
			_, err := w.Write(f.Text)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
