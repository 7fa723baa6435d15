package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/lockbench/lockbench/gate"
)

// falseAlarms runs the gate on identical code.
func falseAlarms(ctx context.Context, t *trial) error {
	taped := new(tape)
	var runs, alarms int
	var real count
	for i := range t.runs {
		taped.Runs = append(taped.Runs, make(map[string][]gate.Round))
		cfg := t.measure
		cfg.Seed = uint64(i + 1)
		rep, err := t.gate(ctx, cfg, t.rules, taped, nil)
		if err != nil {
			return err
		}
		t.line(i+1, "aa", rep)
		runs++
		if rep.Verdict == gate.Regressed {
			alarms++
		}
		real.times(rep)
		if err := taped.write(t.tape); err != nil {
			return err
		}
	}
	resampledAlarms, resampledCount, err := resampleAlarms(ctx, t, taped, t.resample-t.runs)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%d benchmarks\n\n", len(taped.Of))
	fmt.Fprintln(t.out, "| gate runs of identical code | runs with a false alarm | of all verdicts: pass | cannot tell | regressed |")
	fmt.Fprintln(t.out, "|---|---|---|---|---|")
	row := func(what string, runs, alarms int, c count) {
		fmt.Fprintf(t.out, "| %d %s | %d (%s) | %s | %s | %s |\n", runs, what, alarms, percent(alarms, runs), percent(c.pass, c.all()), percent(c.cannotTell, c.all()), percent(c.regressed, c.all()))
	}
	row("real", runs, alarms, real)
	row("resampled", t.resample-t.runs, resampledAlarms, resampledCount)

	fmt.Fprintln(t.out, "\nThe same readings by \"benchstat p < 0.05 and more than 3 %\":")
	fmt.Fprintln(t.out, "\n| base and head were | comparisons called worse | runs with one |")
	fmt.Fprintln(t.out, "|---|---|---|")
	for _, how := range []struct {
		name string
		of   func([]gate.Round) (base, head []float64)
	}{
		{"interleaved (the rounds of one run)", interleaved},
		{"one after the other (the first half of a run's rounds, and the second)", halves},
	} {
		worse, of, bad := 0, 0, 0
		for _, run := range taped.Runs {
			alarm := false
			for _, rounds := range run {
				base, head := how.of(rounds)
				if len(base) < 5 {
					continue
				}
				of++
				if naive(base, head) {
					worse++
					alarm = true
				}
			}
			if alarm {
				bad++
			}
		}
		fmt.Fprintf(t.out, "| %s | %d of %d (%s) | %d of %d (%s) |\n", how.name, worse, of, percent(worse, of), bad, len(taped.Runs), percent(bad, len(taped.Runs)))
	}
	// A base of one run, a head of another: what CI has that keeps a baseline.
	worse, of, bad, pairs := 0, 0, 0, 0
	for i := 1; i < len(taped.Runs); i++ {
		alarm := false
		for b, rounds := range taped.Runs[i] {
			base, _ := interleaved(taped.Runs[i-1][b])
			_, head := interleaved(rounds)
			if len(base) == 0 || len(head) == 0 {
				continue
			}
			of++
			if naive(base, head) {
				worse++
				alarm = true
			}
		}
		pairs++
		if alarm {
			bad++
		}
	}
	fmt.Fprintf(t.out, "| of two runs (a stored baseline) | %d of %d (%s) | %d of %d (%s) |\n", worse, of, percent(worse, of), bad, pairs, percent(bad, pairs))
	return nil
}

// resampleAlarms runs the gate on resampled rounds.
func resampleAlarms(ctx context.Context, t *trial, taped *tape, runs int) (alarms int, c count, err error) {
	for i := range runs {
		rules := t.rules
		rules.Budget = 0
		rep, err := rules.Compare(ctx, newResampled(taped, uint64(i), 150))
		if err != nil {
			return 0, c, err
		}
		if rep.Verdict == gate.Regressed {
			alarms++
		}
		c.times(rep)
	}
	return alarms, c, nil
}

// naive is the gate that people build from benchstat: a significant difference,
// and medians more than 3 % apart.
func naive(base, head []float64) bool {
	b, h := benchmath.NewSample(slices.Clone(base), &benchmath.DefaultThresholds), benchmath.NewSample(slices.Clone(head), &benchmath.DefaultThresholds)
	p := benchmath.AssumeNothing.Compare(b, h).P
	mb, mh := benchmath.AssumeNothing.Summary(b, 0.95).Center, benchmath.AssumeNothing.Summary(h, 0.95).Center
	return p < 0.05 && mh/mb > 1.03
}

func interleaved(rounds []gate.Round) (base, head []float64) {
	for _, r := range rounds {
		if len(base) == 10 {
			break
		}
		base, head = append(base, nsPerOp(r.Readings[gate.Base])), append(head, nsPerOp(r.Readings[gate.Head]))
	}
	return base, head
}

func halves(rounds []gate.Round) (base, head []float64) {
	n := min(len(rounds)/2, 10)
	for i := range n {
		base = append(base, nsPerOp(rounds[i].Readings[gate.Base]))
		head = append(head, nsPerOp(rounds[len(rounds)-1-i].Readings[gate.Head]))
	}
	return base, head
}

func nsPerOp(r *gate.Reading) float64 {
	for _, v := range r.Values {
		if v.Unit == "ns/op" {
			return v.Value
		}
	}
	return math.NaN()
}
