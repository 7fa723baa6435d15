// Command gatetrial puts the gate on trial: it measures how often it is wrong, on this
// machine, and prints what docs/gate-evidence.md says:
//
//	go run ./tools/gatetrial size [-module LIST] [-change NAME]
//	go run ./tools/gatetrial record -dir TAPES [-module LIST] [-change none,5,10] [-runs N] [-full]
//	go run ./tools/gatetrial replay -dir TAPES [-recombined N] [-json FILE]
//	go run ./tools/gatetrial sim [-benchmarks 1,20,200,2000] [-runs N]
//	go run ./tools/gatetrial figure
//
// Size finds out how much work in a function of a module makes a benchmark 5 % and 10 %
// slower, by long measurements that have nothing to do with the gate, and writes it into
// changes.toml. It measures every change again, or those that are named.
//
// Record runs the gate for real: on a module and itself with a function more that never
// runs, and on it and itself made slower. Each run is kept, a directory of its own below
// TAPES. It takes hours, so it goes on where it was: runs that are there are kept, and
// one that was killed begins again. With -full it measures for the whole budget, when
// all is decided too, so that other rules have as much to judge by.
//
// Replay judges the tapes by the rule of today and by its rivals, and runs that are put
// together of pairs of binaries of the tapes. Sim judges made-up readings. Figure makes
// the data of fig-gate.svg: one benchmark made 8 % slower, among others that are not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/commandline"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns 0, 1 if something could not be done, 2 if the command line makes no
// sense, or 130 if it was interrupted.
func run(args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"size": sizeCommand, "record": recordCommand, "replay": replayCommand, "sim": simCommand, "figure": figureCommand,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(stderr, "gatetrial: want size, record, replay, sim or figure: see go doc ./tools/gatetrial")
		return 2
	}
	ctx, stop := commandline.UntilSignal()
	defer stop()
	err := commands[args[0]](ctx, args[1:], stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil:
		return 0
	}
	fmt.Fprintf(stderr, "gatetrial: %s: %v\n", args[0], err)
	switch {
	case ctx.Err() != nil:
		return 130
	case errors.Is(err, errUsage):
		return 2
	}
	return 1
}

// errUsage is an error of the command line.
var errUsage = errors.New("usage")

// parse parses the flags of a command, which takes no arguments.
func parse(flags *flag.FlagSet, args []string, stderr io.Writer) error {
	flags.SetOutput(stderr)
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: want flags alone, have %q", errUsage, flags.Arg(0))
	}
	return nil
}

// modulesFlag defines -module; what it returns is for after the flags are parsed.
func modulesFlag(flags *flag.FlagSet) func() ([]module, error) {
	names := flags.String("module", "uuid,gjson,xsync,own", "which modules, with commas between them")
	return func() ([]module, error) {
		var of []module
		for name := range strings.SplitSeq(*names, ",") {
			m, err := find(name)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errUsage, err)
			}
			of = append(of, m)
		}
		return of, nil
	}
}

func sizeCommand(ctx context.Context, args []string, _, stderr io.Writer) error {
	flags := flag.NewFlagSet("size", flag.ContinueOnError)
	which := modulesFlag(flags)
	name := flags.String("change", "", "which change; all if empty")
	s := &sizes{stderr: stderr, file: changesFile, dir: os.TempDir()}
	flags.IntVar(&s.binaries, "binaries", 12, "pairs of binaries of a size")
	flags.IntVar(&s.pairs, "pairs", 6, "pairs of processes of each of those")
	if err := parse(flags, args, stderr); err != nil {
		return err
	}
	of, err := which()
	if err != nil {
		return err
	}
	command := strings.Join(append([]string{"go run ./tools/gatetrial size"}, args...), " ")
	return s.run(ctx, command, func(c change) bool {
		return slices.ContainsFunc(of, func(m module) bool { return m.name == c.Module }) && (*name == "" || *name == c.Name)
	})
}

func recordCommand(ctx context.Context, args []string, _, stderr io.Writer) error {
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	which := modulesFlag(flags)
	of := flags.String("change", "none,5,10", "by how much the head is slower, in percent, with commas between them")
	runs := flags.Int("runs", 1, "of each module and change, with those that are there")
	r := &recorder{stderr: stderr}
	flags.StringVar(&r.dir, "dir", "", "directory of the tapes")
	flags.BoolVar(&r.full, "full", false, "go on when all is decided, until the budget is spent")
	if err := parse(flags, args, stderr); err != nil {
		return err
	}
	if r.dir == "" || *runs < 1 {
		return fmt.Errorf("%w: want -dir, and -runs of at least 1", errUsage)
	}
	var of100 []float64
	for word := range strings.SplitSeq(*of, ",") {
		percent, ok := map[string]float64{"none": 0, "5": 0.05, "10": 0.10}[word]
		if !ok {
			return fmt.Errorf("%w: -change %s: want some of none, 5 and 10", errUsage, word)
		}
		of100 = append(of100, percent)
	}
	selected, err := which()
	if err != nil {
		return err
	}
	if r.changes, err = readChanges(changesFile); err != nil {
		return err
	}
	for n := 1; n <= *runs; n++ { // of all of them as many, whenever it ends
		for _, m := range selected {
			for _, share := range of100 {
				if err := r.record(ctx, m, share, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func replayCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	dir := flags.String("dir", "", "directory of the tapes")
	recombined := flags.Int("recombined", 1000, "runs put together of each module and change")
	jsonFile := flags.String("json", "", "file for the table, for the figure")
	if err := parse(flags, args, stderr); err != nil {
		return err
	}
	if *dir == "" || *recombined < 0 {
		return fmt.Errorf("%w: want -dir, and -recombined of at least 0", errUsage)
	}
	tapes, err := readTapes(*dir)
	if err != nil {
		return err
	}
	return replay(ctx, stdout, stderr, tapes, *recombined, *jsonFile)
}

func simCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	benchmarks := flags.String("benchmarks", "1,20,200,2000", "how many benchmarks a run has, with commas between them")
	runs := flags.Int("runs", 400, "of up to 20 benchmarks; fewer of more")
	builds := flags.Int("builds", 30, "pairs of binaries that the budget is good for")
	if err := parse(flags, args, stderr); err != nil {
		return err
	}
	if *runs < 1 || *builds < 1 {
		return fmt.Errorf("%w: want -runs and -builds of at least 1", errUsage)
	}
	var sizes []int
	for word := range strings.SplitSeq(*benchmarks, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return fmt.Errorf("%w: -benchmarks %s: want numbers of at least 1", errUsage, word)
		}
		sizes = append(sizes, n)
	}
	return simulate(ctx, stdout, stderr, sizes, *runs, *builds)
}
