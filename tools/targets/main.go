// Command targets measures the locks and compares them with what is claimed of them:
//
//	go run ./tools/targets [-part all|PART] [-rounds N] [-out FILE] [-claims DIR]
//
// It is run in a checkout. The claims are shapes, as lockbench gate has them: those of a
// part are in DIR/PART.toml, by default in tools/targets/claims. Only ratios of samples
// taken in one round count on a machine that drifts, so most claims are such ratios.
// The parts:
//
//	cost     the harness itself
//	alone    Lock and Unlock without contention, by the packages' own benchmarks
//	reads    read sections on one CPU and on two, likewise
//	seq      reads of 16 bytes under a sequence lock on one CPU and on two, likewise
//	pair     two workers on two CPUs, think 100 ns, near and far apart
//	crowd    64 goroutines on two CPUs and on one, think 100 ns
//	shares   the same for long enough that each of them has several turns
//	waits    the same on two CPUs: how long they wait, and what CPU time that takes
//	idle     63 goroutines wait for one that holds for a millisecond
//	permits  a semaphore of one permit, contended
//	mix      0, 90, 99 and 100 % reads on one CPU and on two, think 0; and 90
//	         and 99 % on two, think 100 ns
//	starve   how long writers wait at 99 % reads
//	rcu-read read-side critical sections: what they cost, and how they scale
//	rcu-sync grace periods: how long they take, and how updaters share them
//	rcu-call callbacks
//
// A claim holds if its whole interval is within the limit, and fails if all of it is
// beyond. The exit code is 1 if a claim fails, 2 if something could not be measured, and
// 3 if it cannot be told of a claim. All parts take about a quarter of an hour; run them
// on a quiet machine.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// A measurement returns samples of so many rounds. What samples cannot say it writes to
// out. If it ends early, it returns the samples so far, and why.
type measurement func(ctx context.Context, out io.Writer, rounds int) ([]results.Sample, error)

// A part is what is measured together and has a file of claims.
type part struct {
	name   string
	rounds int
	tables []results.Table // to show, one for each unit

	measure measurement     // nil if there are sweeps
	sweeps  []harness.Sweep // of the locks
	locks   []string        // patterns of the catalogue
}

// run measures the part.
func (p part) run(ctx context.Context, out io.Writer, rounds int) ([]results.Sample, error) {
	if p.measure == nil {
		return p.sweep(ctx, rounds)
	}
	return p.measure(ctx, out, rounds)
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

const exitCannotTell = 3

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("targets", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	which := flags.String("part", "all", "what to measure: all, or one of "+strings.Join(names, ", "))
	rounds := flags.Int("rounds", 0, "how often; 0 is what each part needs")
	out := flags.String("out", "", "write the samples to this file, too")
	claims := flags.String("claims", filepath.Join("tools", "targets", "claims"), "directory of the claims")
	if flags.Parse(args) != nil {
		return 2
	}
	if *which != "all" && !slices.Contains(names, *which) {
		fmt.Fprintf(stderr, "targets: -part %s: want all, or one of %s\n", *which, strings.Join(names, ", "))
		return 2
	}
	ctx, stop := commandline.UntilSignal()
	defer stop()

	var keep *results.Writer
	if *out != "" {
		w, err := results.Create(*out, results.Host())
		if err != nil {
			fmt.Fprintln(stderr, "targets:", err)
			return 2
		}
		defer w.Close()
		keep = w
	}
	fmt.Fprintf(stdout, "%s, %d CPUs, %s\n\n", results.Host().CPU, runtime.NumCPU(), runtime.Version())
	verdict := gate.Pass
	for _, p := range parts {
		if *which != "all" && *which != p.name {
			continue
		}
		file, err := config.Read(filepath.Join(*claims, p.name+".toml")) // before measuring for minutes
		if err != nil {
			fmt.Fprintln(stderr, "targets:", err)
			return 2
		}
		fmt.Fprintf(stderr, "targets: measuring %s\n", p.name)
		fmt.Fprintf(stdout, "=== %s\n\n", p.name)
		samples, err := p.run(ctx, stdout, cmp.Or(*rounds, p.rounds))
		if keep != nil {
			for _, s := range samples {
				err = errors.Join(err, keep.Write(s))
			}
		}
		if err != nil {
			fmt.Fprintln(stderr, "targets:", err)
			return 2
		}
		v, err := p.judge(stdout, file, samples)
		if err != nil {
			fmt.Fprintln(stderr, "targets:", err)
			return 2
		}
		verdict = max(verdict, v)
	}
	switch verdict {
	case gate.Pass:
		return 0
	case gate.CannotTell:
		return exitCannotTell
	}
	return 1
}

// judge shows what was measured and what becomes of the claims. Of a claim without
// samples, such as one for CPUs that are far apart, it cannot tell.
func (p part) judge(out io.Writer, claims *config.File, samples []results.Sample) (gate.Verdict, error) {
	for _, t := range p.tables {
		if err := t.Write(out, samples); err != nil {
			return gate.NoVerdict, fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintln(out)
	}
	head := &results.File{Name: "the samples of " + p.name, Facts: results.Host(), Samples: samples}
	found, unseen := shape.Judge(claims.Shapes, claims.Confidence, head, nil)
	if err := report.Shapes(out, found); err != nil {
		return gate.NoVerdict, err
	}
	fmt.Fprintln(out)
	verdict := shape.Verdict(found)
	if unseen != nil {
		fmt.Fprintf(out, "cannot tell:\n%v\n\n", unseen)
		verdict = max(verdict, gate.CannotTell)
	}
	return verdict, nil
}

// cost measures what the harness adds to each operation.
func cost(ctx context.Context, _ io.Writer, rounds int) (samples []results.Sample, err error) {
	for round := range rounds {
		ns, err := harness.Cost(ctx, 0)
		if err != nil {
			return samples, err
		}
		samples = append(samples, results.Sample{
			Cell:     results.Cell{Lock: results.Empty, Workers: 1, CPUs: 1},
			Round:    round + 1,
			Distance: results.Local,
			Ops:      1,
			Values:   []results.Value{{Unit: "ns/op", Value: ns}},
		})
	}
	return samples, nil
}

// newMeter returns what says how far a measurement has come.
func newMeter() *commandline.Meter {
	return commandline.NewMeter(os.Stderr, "targets", commandline.Pace{First: 5 * time.Second, Every: 15 * time.Second})
}

// progress shows how many rounds of a measurement are done.
func progress(meter *commandline.Meter, what string, done, total int) {
	meter.Show(func() string { return fmt.Sprintf("%s: %d of %d rounds", what, done, total) })
	if done == total {
		meter.Clear()
	}
}
