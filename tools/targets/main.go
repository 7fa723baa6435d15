// Command targets measures the locks against their peers, and prints each claim next to
// the measured value:
//
//	go run ./tools/targets [-part all|PART] [-rounds N] [-out FILE]
//
// Only ratios of samples taken in one round count on a machine that drifts, so
// every number is the median of such ratios, with a 95 % interval. The parts:
//
//	alone    Lock and Unlock without contention, by direct calls
//	pair     two workers on two CPUs, think 100 ns, near and far apart
//	crowd    64 goroutines on two CPUs and on one, think 100 ns; and the CPU time of
//	         waiters for one that holds for a millisecond
//	reads    read sections on one CPU and on two, by direct calls
//	mix      0, 90, 99 and 100 % reads on one CPU and on two, think 0; and 90
//	         and 99 % on two, think 100 ns
//	starve   how long writers wait at 99 % reads
//	permits  a semaphore of one permit, contended
//	seq      seqlock readers, and writers without contention
//	rcu-read read-side critical sections: what they cost, and how they scale
//	rcu-sync grace periods: how long they take, and how updaters share them
//	rcu-call callbacks
//	cost     the harness itself
//
// A claim fails if the whole interval is on the wrong side of the limit. If only the
// median is, or if there are too few samples for an interval, the command cannot tell.
// The exit code is 1 if a claim fails. All parts take about a quarter of an hour; run
// them on a quiet machine.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/montanaflynn/stats"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// A claim is what one lock should reach in one situation.
type claim struct {
	lock     string
	unit     string           // what is compared
	distance results.Distance // at which it is claimed
	against  string           // the reference; "" is sync.Mutex
	limit    float64          // the most that it may be: times the reference, or in unit if absolute; 0 if nothing is claimed
	absolute bool
	atLeast  bool // limit is the least instead
}

// parts are what can be measured, and in how many rounds.
var parts = []struct {
	name    string
	rounds  int
	measure func(ctx context.Context, j *judge, rounds int) error
}{
	{"cost", 20, cost},
	{"alone", 300, uncontended},
	{"pair", 200, pair},
	{"crowd", 20, crowds},
	{"reads", 200, onlyReaders},
	{"mix", 100, mixes},
	{"starve", 20, starvation},
	{"permits", 100, permits},
	{"seq", 200, seqReaders},
	{"rcu-read", 100, readCosts},
	{"rcu-sync", 50, gracePeriods},
	{"rcu-call", 30, calls},
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("targets", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	part := flags.String("part", "all", "what to measure: all, or one of "+strings.Join(names, ", "))
	rounds := flags.Int("rounds", 0, "how often; 0 is what each part needs")
	out := flags.String("out", "", "write the samples to this file, too")
	if flags.Parse(args) != nil {
		return 2
	}
	if *part != "all" && !slices.Contains(names, *part) {
		fmt.Fprintf(stderr, "targets: -part %s: want all, or one of %s\n", *part, strings.Join(names, ", "))
		return 2
	}
	ctx, stop := commandline.UntilSignal()
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
	for _, p := range parts {
		if *part != "all" && *part != p.name {
			continue
		}
		fmt.Fprintf(stderr, "targets: measuring %s\n", p.name)
		if err := p.measure(ctx, &j, cmp.Or(*rounds, p.rounds)); err != nil {
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

// A judge compares claims with samples and prints a line for each.
type judge struct {
	table  *tabwriter.Writer
	file   *results.Writer
	failed bool
}

func (j *judge) title(format string, args ...any) {
	j.table.Flush()
	fmt.Fprintf(j.table, format+"\n", args...)
	fmt.Fprintln(j.table, "  lock\tclaim\tmeasured\t95 % interval\tn\tmedian\treference\tverdict")
}

// sample keeps a measurement for the results file.
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
		reference := cmp.Or(c.against, "sync.Mutex")
		own := median(c.lock, c.unit, c.distance)
		got, lo, hi, n := own.Median, own.Lo, own.Hi, own.N
		if !c.absolute {
			got, lo, hi, n = math.NaN(), math.NaN(), math.NaN(), 0
			for _, r := range results.Ratios(samples, reference, c.unit) {
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
		case c.atLeast && got < c.limit, !c.atLeast && got > c.limit, math.IsInf(lo, -1):
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
		if c.against != claims[0].against { // otherwise the title has it
			name += " / " + c.against
		}
		switch c.distance {
		case results.Local:
		case results.Unknown:
			name += ", distance unknown"
		default:
			name += ", " + string(c.distance)
		}
		beside := fmt.Sprintf("%.4g %s", median(reference, c.unit, c.distance).Median, c.unit)
		if strings.HasPrefix(beside, "NaN") { // an absolute claim may have none
			beside = "– " + c.unit
		}
		fmt.Fprintf(j.table, "  %s\t%s\t%.3g\t%.3g–%.3g\t%d\t%.4g\t%s\t%s\n", name, claimed, got, lo, hi, n, own.Median, beside, verdict)
	}
	fmt.Fprintln(j.table)
}

// cost measures what the harness adds to each operation.
func cost(ctx context.Context, j *judge, rounds int) error {
	var each []float64
	for range rounds {
		ns, err := harness.Cost(ctx, 0)
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
	fmt.Fprintf(j.table, "The harness's own cost with an empty lock, %d times\n  ≤ 5 ns/op\t%.3g\tquartiles %.3g–%.3g\t%s\n\n", rounds, q.Q2, q.Q1, q.Q3, verdict)
	return nil
}
