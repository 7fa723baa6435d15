// Twins runs the model tests of every primitive against its broken twins: the
// primitive with one small fault. A twin that no model test notices is a hole in
// the tests, and makes the command fail.
//
//	go run ./tools/twins            writes the tables in testdata, and the rows that docs/verification.md shows
//	go run ./tools/twins -package ticket,mcs   those of these packages alone
//	go run ./tools/twins -stress    also tries an ordinary stress test, in up to 40 s for each twin
//	go run ./tools/twins -run NAME  only the twins whose package or fault match, to stdout
//	go run ./tools/twins -torture   tries lockbench torture on RCU's twins, in some minutes, and writes docs/torture.md
//	go run ./tools/twins -torture -quick   one twin of each flavour, in seconds, to stdout
//	go test -tags virtual ./tools/twins   checks that each twin is caught, by the test that the table names
//
// # The form of a twin
//
// A package's twins are in the file named after it, a table of
//
//	{file: "ticket.go", fault: "draws the ticket with a load and a store", kind: check.DataRace,
//		old: `text in the file, exactly once`,
//		new: `text instead of it`},
//
// and in the list packages. The texts may have many lines, and need not begin or end at
// the bounds of lines; the changed file must compile. No source is copied: the twin is
// built from the present file, by go test -overlay. The package's tests whose names
// begin with TestModel are run, in order, until one fails. It must fail with a failure
// of that kind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/commandline"
)

// A twin is a primitive with a fault.
type twin struct {
	file, fault string
	kind        check.Kind // of the failure
	old, new    string
}

// twinsOf are the twins of a package.
type twinsOf struct {
	name  string
	twins []twin
}

// packages has all twins.
var packages = []twinsOf{
	{"spinlock", spinlock},
	{"ticket", ticket},
	{"anderson", anderson},
	{"internal/waiter", waiter},
	{"mcs", mcs},
	{"qspinlock", qspinlock},
	{"reciprocating", reciprocating},
	{"rcu", rcu},
	{"rcu/list", list},
	{"rcu/hash", hash},
	{"blocking", blocking},
	{"rwlock", rwlock},
	{"seqlock", seqlock},
}

func main() {
	ctx, stop := commandline.UntilSignal()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("twins", flag.ContinueOnError)
	flags.SetOutput(stderr)
	stress := flags.Bool("stress", false, "also run each package's ordinary tests under the race detector for 10 s each")
	torture := flags.Bool("torture", false, "run lockbench torture with the twins of RCU instead, each three times for up to 10 s")
	quick := flags.Bool("quick", false, "with -torture: once, with one twin of each flavour")
	of := flags.String("package", "", "try and write those of these packages alone, with commas between them")
	only := flags.String("run", "", "run those of which package/fault matches this expression, and print them")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	pattern, err := regexp.Compile(*only)
	if err != nil || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "twins: want no arguments and an expression for -run:", err)
		return 2
	}
	if *torture {
		if err := tortureAll(ctx, pattern, *quick, *only == "" && !*quick, stdout, stderr); err != nil {
			fmt.Fprintln(stderr, "twins:", err)
			return 1
		}
		return 0
	}
	named := strings.FieldsFunc(*of, func(r rune) bool { return r == ',' })
	for _, name := range named {
		if !slices.ContainsFunc(packages, func(p twinsOf) bool { return p.name == name }) {
			fmt.Fprintf(stderr, "twins: -package %s: has no twins\n", name)
			return 2
		}
	}
	var chosen []*verdict
	for _, p := range packages {
		if len(named) > 0 && !slices.Contains(named, p.name) {
			continue
		}
		for _, t := range p.twins {
			if pattern.MatchString(p.name + "/" + t.fault) {
				chosen = append(chosen, &verdict{pkg: p.name, twin: t})
			}
		}
	}
	tryAll(ctx, chosen, stderr)
	if *stress {
		stressAll(ctx, chosen, stderr)
	}
	code := 0
	for _, v := range chosen {
		if v.err != nil {
			fmt.Fprintf(stderr, "twins: %s: %v\n", v, v.err)
			code = 1
		}
	}
	switch {
	case code != 0:
	case *only != "":
		fmt.Fprint(stdout, table(chosen))
	default:
		if err := rewrite(chosen); err != nil {
			fmt.Fprintln(stderr, "twins:", err)
			return 1
		}
	}
	return code
}

// A verdict is the result for a twin.
type verdict struct {
	pkg string
	twin
	schedules int    // that it took to catch it
	test      string // the test that caught it
	stress    string // the result of an ordinary stress test; "" if it was not run
	err       error  // it was not caught, or not for the reason stated
}

func (v *verdict) String() string { return v.pkg + "/" + v.fault }

// tryAll fills in the verdicts, as many at a time as there are CPUs.
func tryAll(ctx context.Context, verdicts []*verdict, progress io.Writer) {
	var wg sync.WaitGroup
	turn := make(chan bool, runtime.GOMAXPROCS(0))
	for _, v := range verdicts {
		turn <- true
		wg.Go(func() {
			v.try(ctx, every)
			if v.err == nil {
				fmt.Fprintf(progress, "%s: %s on schedule %d\n", v, v.kind, v.schedules)
			}
			<-turn
		})
	}
	wg.Wait()
}

// stressAll fills in the results of the stress tests, one twin at a time: each needs the
// whole machine. First the tests of each package must pass without a fault.
func stressAll(ctx context.Context, verdicts []*verdict, progress io.Writer) {
	sound := make(map[string]error) // by package
	for _, v := range verdicts {
		if _, tried := sound[v.pkg]; !tried {
			same := v.twin
			same.new = same.old
			says, err := stressed(ctx, v.pkg, same)
			if err == nil && says != "no" {
				err = fmt.Errorf("a stress test of the sound %s says %q: the machine is too busy, or the package is broken", v.pkg, says)
			}
			sound[v.pkg] = err
		}
		err := sound[v.pkg]
		if err == nil {
			v.stress, err = stressed(ctx, v.pkg, v.twin)
		}
		if err != nil {
			v.err = errors.Join(v.err, err)
			continue
		}
		fmt.Fprintf(progress, "%s, under stress: %s\n", v, v.stress)
	}
}

// root is the module's directory, from which commands are run.
var root = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
})
