// Command targets measures what the spinlocks, and the mutex, are meant to
// reach against sync.Mutex, and prints each claim beside what it found:
//
//	go run ./internal/targets [-part all|alone|pair|crowd|cost] [-rounds N] [-out FILE]
//
// Only ratios of samples taken in one round count on a machine that drifts, so
// every number is the median of such ratios, with a 95 % interval. The parts:
//
//	alone  Lock and Unlock when nobody contends, with no interface between
//	pair   two workers on two CPUs, think 100 ns, near and far told apart
//	crowd  64 goroutines on two CPUs and on one, think 100 ns
//	cost   the harness itself
//
// A claim fails if the whole interval is on the wrong side of it, and cannot be
// told if only the median is. The exit code is 1 if one fails. All parts take
// about five minutes; run them on a quiet machine.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"text/tabwriter"

	"github.com/montanaflynn/stats"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/results"
)

// A claim is what one lock is meant to reach in one situation.
type claim struct {
	lock     string
	unit     string           // what is compared
	distance results.Distance // at which it is claimed
	limit    float64          // the most that it may be: times sync.Mutex, or in unit if absolute; 0 if nothing is claimed
	absolute bool
	atLeast  bool // limit is the least instead
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("targets", flag.ContinueOnError)
	flags.SetOutput(stderr)
	part := flags.String("part", "all", "what to measure: all, alone, pair, crowd or cost")
	rounds := flags.Int("rounds", 0, "how often; 0 is what each part needs")
	out := flags.String("out", "", "write the samples to this file, too")
	if flags.Parse(args) != nil {
		return 2
	}
	names := []string{"cost", "alone", "pair", "crowd"}
	if *part != "all" && !slices.Contains(names, *part) {
		fmt.Fprintf(stderr, "targets: -part %s: want all, alone, pair, crowd or cost\n", *part)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	j := judge{table: tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)}
	if *out != "" {
		w, err := results.Create(*out, results.Host())
		if err != nil {
			fmt.Fprintln(stderr, "targets:", err)
			return 2
		}
		defer w.Close()
		j.file = w
	}
	fmt.Fprintf(stdout, "%s, %d CPUs, %s\n\n", results.Host().CPU, runtime.NumCPU(), runtime.Version())
	for _, name := range names {
		if *part != "all" && *part != name {
			continue
		}
		fmt.Fprintf(stderr, "targets: measuring %s\n", name)
		if err := measure(ctx, &j, name, *rounds); err != nil {
			j.table.Flush()
			fmt.Fprintln(stderr, "targets:", err)
			return 1
		}
		j.table.Flush()
	}
	if j.failed {
		return 1
	}
	return 0
}

func measure(ctx context.Context, j *judge, part string, rounds int) error {
	switch part {
	case "alone":
		return alone(ctx, j, cmp.Or(rounds, 300))
	case "pair":
		return pair(ctx, j, cmp.Or(rounds, 200))
	case "crowd":
		for _, cpus := range []int{2, 1} {
			if err := errors.Join(crowd(ctx, j, cpus, cmp.Or(rounds, 20)), shares(ctx, j, cpus, 6)); err != nil {
				return err
			}
		}
		return nil
	default:
		return cost(ctx, j)
	}
}

// A judge holds claims against samples and prints a line for each.
type judge struct {
	table  *tabwriter.Writer
	file   *results.Writer
	failed bool
}

func (j *judge) title(format string, args ...any) {
	j.table.Flush()
	fmt.Fprintf(j.table, format+"\n", args...)
	fmt.Fprintln(j.table, "  lock\tclaim\tmeasured\t95 % interval\tn\tmedian\treference\t")
}

// sample keeps what was measured, so that others can judge it, too.
func (j *judge) sample(s results.Sample) error {
	if j.file == nil {
		return nil
	}
	return j.file.Write(s)
}

func (j *judge) claims(samples []results.Sample, claims []claim) {
	summaries := results.Summarize(samples)
	median := func(lock, unit string, d results.Distance) results.Summary {
		for _, s := range summaries {
			if s.Lock == lock && s.Unit == unit && s.Distance == d {
				return s
			}
		}
		return results.Summary{Median: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	}
	for _, c := range claims {
		own := median(c.lock, c.unit, c.distance)
		got, lo, hi, n := own.Median, own.Lo, own.Hi, own.N
		if !c.absolute {
			got, lo, hi, n = math.NaN(), math.NaN(), math.NaN(), 0
			for _, r := range results.Ratios(samples, "sync.Mutex", c.unit) {
				if r.Lock == c.lock && r.Distance == c.distance {
					got, lo, hi, n = r.Median, r.Lo, r.Hi, r.N
				}
			}
		}
		verdict := "holds"
		switch {
		case n == 0:
			verdict = "not seen in this run"
		case c.limit == 0:
			verdict = ""
		case c.atLeast && hi < c.limit, !c.atLeast && lo > c.limit:
			verdict = "FAILS"
			j.failed = true
		case c.atLeast && got < c.limit, !c.atLeast && got > c.limit:
			verdict = "cannot tell"
		}
		sign, times := "≤", "×"
		if c.atLeast {
			sign = "≥"
		}
		if c.absolute {
			times = " " + c.unit
		}
		claimed := "–"
		if c.limit != 0 {
			claimed = fmt.Sprintf("%s %.3g%s", sign, c.limit, times)
		}
		name := c.lock
		switch c.distance {
		case results.Local:
		case results.Unknown:
			name += ", distance unknown"
		default:
			name += ", " + string(c.distance)
		}
		fmt.Fprintf(j.table, "  %s\t%s\t%.3g\t%.3g–%.3g\t%d\t%.4g\t%.4g %s\t%s\n", name, claimed, got, lo, hi, n,
			own.Median, median("sync.Mutex", c.unit, c.distance).Median, c.unit, verdict)
	}
	fmt.Fprintln(j.table)
}

// cost measures what the harness adds to each operation.
func cost(ctx context.Context, j *judge) error {
	var each []float64
	for range 20 {
		ns, err := harness.Cost(ctx)
		if err != nil {
			return err
		}
		each = append(each, ns)
	}
	q, err := stats.Quartile(each)
	if err != nil {
		return err
	}
	verdict := "holds"
	if q.Q2 > 5 {
		verdict, j.failed = "FAILS", true
	}
	fmt.Fprintf(j.table, "The harness's own cost with an empty lock, 20 times\n  ≤ 5 ns/op\t%.3g\tquartiles %.3g–%.3g\t%s\n\n", q.Q2, q.Q1, q.Q3, verdict)
	return nil
}
