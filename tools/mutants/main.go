// Mutants breaks the lock packages in many small ways, one at a time, and runs
// their tests on each: a fault that no test notices is a hole in the tests.
//
//	go run ./tools/mutants                       every mutant of every package; takes hours
//	go run ./tools/mutants -packages ticket,mcs  of some packages
//	go run ./tools/mutants -run 'Lock.Unlock'    of which the name matches
//	go run ./tools/mutants -list                 only their names
//	go run ./tools/mutants -sample 30 -seed $(git rev-parse HEAD)
//	                                             some, chosen by the seed, as CI does
//	go run ./tools/mutants -out FILE             keeps what is found, and goes on from there
//
// tools/twins has faults that a person thought of, each with a reason. Here faults
// are made by rule, including those of which no person thought. The first word of a
// mutant's description says which rule:
//
//	drop     a statement without effect: a call, an assignment, a defer, a go
//	early    a statement before its predecessor
//	never    an if, a loop or an operand of || whose condition never holds
//	always   an if or an operand of && whose condition always holds
//	negate   a bool returned the other way around
//	order    a Store as a StoreRelease, which leaves the store buffer later
//	race     a CompareAndSwap, Swap, Add, And or Or as a load and a store
//	const    a constant that is one more or less, a mask or flag one bit to the left or right, true as false
//	op       + as -, & as |, << as >>, < as <=, and the other way around
//
// # What is run
//
// All mutants of a package are in one program, and a variable of the environment says
// which of them is on, so that a package is compiled twice and not a thousand times.
// First each test, and each subtest, runs alone, with no mutant on, and writes a list
// of the mutants whose place it reached. A test that takes more than 15 s of CPU time
// is not used. For each mutant the tests that reached it are run: first the model tests
// (build tag virtual), where a failure is the same every time, and then the ordinary
// ones, the quickest first, up to the first that fails. Properties of package rapid get
// the same seed each time. Tests that take 5 times as much CPU time as without the
// mutant, and 10 s more, or none at all for 30 s, are ended. An ordinary test then
// counts as hung, and the mutant is killed; a model test may have more schedules to
// try, so the ordinary tests are run too, and if all of them pass the mutant counts as
// endless, which is no survivor.
//
// # Survivors
//
// A mutant that no test notices is a survivor. survivors.toml has the reviewed ones,
// each with the reason why it is accepted: for example it changes only the speed, or it
// is equivalent to the original. A survivor that is not in the file makes the command
// fail with exit code 1. So does a row that names no mutant, and, if the whole package
// was run, a row whose mutant the model tests kill. Its first table says how far each
// package is reviewed; in a package that is not reviewed completely, survivors without
// a row are to be expected.
//
// Methods named String and functions named Decode are left out: they are for diagnosis.
// So are functions whose comments say that they are for tests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/commandline"
)

// lockPackages are the packages that are mutated.
var lockPackages = []string{
	"spinlock", "ticket", "anderson", "internal/waiter", "mcs", "qspinlock", "reciprocating", "rwlock", "seqlock", "blocking", "rcu", "rcu/list", "rcu/hash",
}

func main() {
	ctx, stop := commandline.UntilSignal()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// options are the settings of the command line.
type options struct {
	packages []string
	match    *regexp.Regexp
	list     bool
	sample   int
	seed     string
	out      string
	jobs     int
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return 2
	}
	err = hunt(ctx, opts, stdout, stderr)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "mutants: interrupted")
		return 130
	case err != nil:
		for line := range strings.Lines(err.Error()) {
			fmt.Fprint(stderr, "mutants: ", line)
		}
		fmt.Fprintln(stderr)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	packages := flags.String("packages", strings.Join(lockPackages, ","), "the packages to mutate, separated by commas")
	match := flags.String("run", "", "only mutants whose name matches this regular expression")
	flags.BoolVar(&opts.list, "list", false, "print the names of the mutants and run none")
	flags.IntVar(&opts.sample, "sample", 0, "run only this many, chosen by the seed; 0: all")
	flags.StringVar(&opts.seed, "seed", "", "what chooses the sample, such as a commit")
	flags.StringVar(&opts.out, "out", "", "append what is found to this file, and do not run what it already has")
	flags.IntVar(&opts.jobs, "jobs", runtime.NumCPU(), "how many mutants run at a time")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	var wrong []error
	if flags.NArg() > 0 {
		wrong = append(wrong, fmt.Errorf("want no arguments, have %q", flags.Args()))
	}
	for name := range strings.SplitSeq(*packages, ",") {
		if !slices.Contains(lockPackages, name) {
			wrong = append(wrong, fmt.Errorf("-packages: unknown package %q (known: %s)", name, strings.Join(lockPackages, ", ")))
		}
		opts.packages = append(opts.packages, name)
	}
	var err error
	if opts.match, err = regexp.Compile(*match); err != nil {
		wrong = append(wrong, fmt.Errorf("-run: %w", err))
	}
	if opts.sample < 0 || opts.jobs < 1 {
		wrong = append(wrong, errors.New("-sample and -jobs: want at least 0 and 1"))
	}
	if opts.sample > 0 && opts.seed == "" {
		wrong = append(wrong, errors.New("-sample: want a -seed that chooses it"))
	}
	return opts, errors.Join(wrong...)
}
