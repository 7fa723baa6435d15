package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A target is a flavour of RCU with a fault, for lockbench torture to find.
type target struct {
	flavour string // as the command knows it
	fault   string // of a twin in rcu, or in onlyTortured

	// sure says that torture must find the fault. The other faults need a moment that
	// may not come in that time; the checker always finds them.
	sure bool
}

// targets has at least one sure target of each flavour; -quick takes the first.
var targets = []target{
	{"rcu-domain", "does not wait for the readers of the old set", true},
	{"rcu-domain", "one flip: does not look at the set that readers will use next", false},
	{"rcu-domain", "no fence: the updater leaves out the membarrier", false},
	{"rcu-domain", "sums arrivals before departures", false},
	{"rcu-domain", "runs callbacks without a grace period", true},
	{"rcu-pinned", "does not wait for the readers of the old set", true},
	{"rcu-pinned", "one flip: does not look at the set that readers will use next", false},
	{"rcu-pinned", "no fence: the updater leaves out the membarrier", false},
	{"rcu-registered", "Registered: does not wait for the readers of the old phase", true},
	{"rcu-registered", "Registered: an inner section's end is the outer one's", true},
	{"rcu-registered", "Registered: one flip", false},
	{"rcu-registered", "no fence: the updater leaves out the membarrier", false},
	{"rcu-qsbr", "QSBR: a quiescent state is announced too early: for a grace period to come", true},
	{"rcu-qsbr", "QSBR: a grace period takes a quiescent state before it for one in it", true},
	{"rcu-qsbr", "QSBR: no fence: Online announces itself without one", false},
}

// onlyTortured has twins that the checker does not try: rcu has subtler ones.
var onlyTortured = []twin{
	{file: "registered.go", fault: "Registered: does not wait for the readers of the old phase",
		old: "	g.turn()\n	r.pass(g)\n",
		new: ""},
}

// twin returns the twin that has the target's fault.
func (v target) twin() (twin, error) {
	for _, t := range slices.Concat(rcu, onlyTortured) {
		if t.fault == v.fault {
			return t, nil
		}
	}
	return twin{}, fmt.Errorf("no twin of rcu %q", v.fault)
}

func (v target) String() string { return v.flavour + "/" + v.fault }

const (
	tortureTime  = 10 * time.Second
	tortureTries = 3
)

// A result is the result for a target.
type result struct {
	target
	after []time.Duration // in each try, the time until it was found, or 0
}

// found reports whether it was found every time.
func (o result) found() bool { return len(o.after) > 0 && !slices.Contains(o.after, 0) }

// tortureAll runs torture on the targets that match, and writes the results. If quick,
// it takes the first of each flavour, once, with all faults in one program.
func tortureAll(ctx context.Context, pattern *regexp.Regexp, quick, toPage bool, stdout, progress io.Writer) error {
	dir, err := os.MkdirTemp("", "twin")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var chosen []target
	for _, v := range targets {
		first := !slices.ContainsFunc(chosen, func(w target) bool { return w.flavour == v.flavour })
		if pattern.MatchString(v.String()) && (first || !quick) {
			chosen = append(chosen, v)
		}
	}
	tries := tortureTries
	programs := map[string]string{} // by fault
	build := func(vs ...target) error {
		program := filepath.Join(dir, fmt.Sprintf("lockbench%d", len(programs)))
		if err := buildCommand(ctx, program, vs); err != nil {
			return err
		}
		for _, v := range vs {
			programs[v.fault] = program
		}
		return nil
	}
	if quick {
		tries = 1
		if err := build(chosen...); err != nil {
			return err
		}
	}
	var results []result
	var errs []error
	for _, v := range chosen {
		if programs[v.fault] == "" {
			if err := build(v); err != nil {
				return err
			}
		}
		o := result{target: v}
		for seed := range tries {
			after, err := v.torture(ctx, programs[v.fault], seed+1)
			if err != nil {
				return err
			}
			o.after = append(o.after, after)
			fmt.Fprintf(progress, "%s, seed %d: %s\n", v, seed+1, seconds(after))
		}
		if v.sure && !o.found() {
			errs = append(errs, fmt.Errorf("%s: torture does not find it in %v", v, tortureTime))
		}
		results = append(results, o)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if toPage {
		return splice(torturePage, tortureBeginning, tortureEnd, func(string) string { return resultTable(results) })
	}
	_, err = io.WriteString(stdout, resultTable(results))
	return err
}

// buildCommand builds lockbench with the faults of all of vs.
func buildCommand(ctx context.Context, program string, vs []target) error {
	var twins []twin
	for _, v := range vs {
		t, err := v.twin()
		if err != nil {
			return err
		}
		if !slices.Contains(twins, t) {
			twins = append(twins, t)
		}
	}
	root, err := root()
	if err != nil {
		return err
	}
	overlay, err := overlay(program+".src", "rcu", twins...)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, "./cmd/lockbench")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build of %v: %w\n%s", vs, err, out)
	}
	return nil
}

// torture returns how long it took to find the fault, or 0 if it was not found.
func (v target) torture(ctx context.Context, program string, seed int) (after time.Duration, err error) {
	cmd := exec.CommandContext(ctx, program, "torture", "--locks", v.flavour, "--duration", tortureTime.String(), "--seed", fmt.Sprint(seed))
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	began := time.Now()
	err = cmd.Run()
	after = time.Since(began)
	exit := (*exec.ExitError)(nil)
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.ExitCode() == 1 && strings.Contains(out.String(), "FAILURE of "+v.flavour):
		return after, nil
	}
	return 0, fmt.Errorf("%s: lockbench torture: %w\n%s%s", v, err, out.String(), said.String())
}

// seconds returns a time as a table has it.
func seconds(after time.Duration) string {
	if after == 0 {
		return "no"
	}
	return fmt.Sprintf("%.1f s", after.Seconds())
}

const (
	torturePage      = "docs/torture.md"
	tortureBeginning = "<!-- twins: written by go run ./tools/twins -torture -->\n"
	tortureEnd       = "<!-- end of twins -->\n"
)

func resultTable(results []result) string {
	var b strings.Builder
	b.WriteString("| flavour | fault | found after |\n|---|---|---|\n")
	for _, o := range results {
		var times []string
		for _, after := range o.after {
			times = append(times, seconds(after))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", o.flavour, o.fault, strings.Join(times, ", "))
	}
	return b.String()
}
