// Command gatetrial puts the gate on trial: it measures how often it is wrong,
// on this machine, and prints what docs/gate.md says:
//
//	go run ./internal/gatetrial [-part all|PART] [-runs N] [-tape FILE] [flags]
//
// The parts:
//
//	aa       gate runs of identical code, real ones and then resampled: false alarms; beside it what benchstat says
//	power    the same code made slower, in truth (real runs) and in figures (resampled)
//	drift    a neighbour that starts half-way
//	layout   a head that differs by one unused function
//	sim      made-up noise, 1 to 2,000 benchmarks: false discoveries and power against the nominal ones
//	versions two versions of a module from the module cache
//	figure   the data of the figure of docs/gate.md, which go run ./internal/figures draws: one benchmark made 8 % slower, among others that are not
//
// Part aa leaves its readings in the tape, from which the others resample:
// they are drawn in blocks of ten rounds, so that what noise remembers stays.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
)

// A trial is what the parts have in common.
type trial struct {
	out, log io.Writer
	measure  measure.Config
	rules    gate.Rules
	runs     int
	resample int // runs, with the real ones
	tape     string
	module   string
	from, to string
}

var parts = []struct {
	name string
	run  func(context.Context, *trial) error
}{
	{"aa", falseAlarms},
	{"power", power},
	{"drift", drift},
	{"layout", layout},
	{"sim", simulation},
	{"versions", versions},
	{"figure", figure},
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "burn" {
		burn(os.Args[2])
		return
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	t := &trial{out: stdout, log: stderr}
	flags := flag.NewFlagSet("gatetrial", flag.ContinueOnError)
	flags.SetOutput(stderr)
	part := flags.String("part", "all", "what to try: all, or some of aa,power,drift,layout,sim,versions,figure")
	packages := flags.String("packages", "./ticket ./qspinlock ./mcs ./results", "whose benchmarks, with spaces between them")
	flags.IntVar(&t.runs, "runs", 20, "real gate runs of a part")
	flags.IntVar(&t.resample, "resample", 200, "gate runs in all, the rest of them resampled")
	flags.StringVar(&t.tape, "tape", "gate-tape.json", "file with the readings of part aa")
	flags.StringVar(&t.module, "module", "github.com/puzpuzpuz/xsync/v4", "module of part versions")
	flags.StringVar(&t.from, "from", "v4.4.0", "its base")
	flags.StringVar(&t.to, "to", "v4.5.0", "its head")
	bench := flags.String("bench", ".", "which benchmarks")
	slice := flags.Duration("slice", 0, "of one run of a benchmark; 0 is the gate's own")
	fastestOf := flags.Int("fastest-of", 1, "slices, of which the fastest counts")
	cpus := flags.String("cpu", "1,2", "on how many CPUs")
	flags.DurationVar(&t.rules.Budget, "budget", 5*time.Minute, "of a run")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 || t.runs < 1 || t.resample < t.runs {
		fmt.Fprintln(stderr, "gatetrial: want no arguments, -runs of at least 1, and no fewer of -resample")
		return 2
	}
	t.measure = measure.Config{Base: "HEAD", Head: "HEAD", Packages: strings.Fields(*packages), Bench: *bench, Slice: *slice, FastestOf: *fastestOf}
	for _, word := range strings.Split(*cpus, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			fmt.Fprintf(stderr, "gatetrial: -cpu %s: want numbers of at least 1, with commas between them\n", *cpus)
			return 2
		}
		t.measure.CPU = append(t.measure.CPU, n)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ran := false
	for _, p := range parts {
		if *part != "all" && !strings.Contains(","+*part+",", ","+p.name+",") {
			continue
		}
		ran = true
		fmt.Fprintf(t.out, "## %s\n\n", p.name)
		if err := p.run(ctx, t); err != nil {
			fmt.Fprintf(stderr, "gatetrial: %s: %v\n", p.name, err)
			return 1
		}
		fmt.Fprintln(t.out)
	}
	if !ran {
		fmt.Fprintf(stderr, "gatetrial: no part %q\n", *part)
		return 2
	}
	return 0
}

// A count is how many results had each verdict.
type count struct {
	pass, cannotTell, regressed int
}

func (c *count) add(v gate.Verdict) {
	switch v {
	case gate.Pass:
		c.pass++
	case gate.CannotTell:
		c.cannotTell++
	case gate.Regressed:
		c.regressed++
	}
}

func (c count) all() int { return c.pass + c.cannotTell + c.regressed }

// times counts what was measured in time; counts such as allocations are exact,
// and no art.
func (c *count) times(rep *gate.Report) {
	for _, r := range rep.Results {
		if r.Unit == "ns/op" && !r.Minor {
			c.add(r.Verdict)
		}
	}
}

// gate runs one gate, on a tape.
func (t *trial) gate(ctx context.Context, cfg measure.Config, rules gate.Rules, taped *tape, meanwhile func(gate.Progress)) (*gate.Report, error) {
	src, err := measure.Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	rules.Progress = meanwhile
	var from gate.Source = src
	if taped != nil {
		from = &taping{src, taped}
	}
	rep, err := rules.Compare(ctx, from)
	if err != nil {
		return nil, err
	}
	_, during := src.Fitness()
	rep.Warnings = append(rep.Warnings, during.Warnings()...)
	return rep, nil
}

// line prints what became of a run, as it ends.
func (t *trial) line(i int, what string, rep *gate.Report) {
	var c count
	c.times(rep)
	fmt.Fprintf(t.log, "gatetrial: %s %d: %d pass, %d cannot tell, %d regressed, %d rounds in %v\n",
		what, i, c.pass, c.cannotTell, c.regressed, rep.Rounds, rep.Took.Round(time.Second))
	whys := make(map[string]int) // of those that it cannot tell
	for _, r := range rep.Results {
		if r.Verdict == gate.CannotTell && !r.Minor {
			whys[r.Why]++
		}
	}
	for _, why := range slices.Sorted(maps.Keys(whys)) {
		fmt.Fprintf(t.log, "\t%d: %s\n", whys[why], why)
	}
}

func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}
