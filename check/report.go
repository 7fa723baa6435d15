package check

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check/internal/search"
)

// A Report is the result of a search.
type Report struct {
	Config Config // of the search

	// Schedules is how many executions ran to their end, Abandoned how many
	// were given up because they were equivalent to another one, and Steps how many
	// steps all of them had.
	Schedules, Abandoned, Steps int

	// Cut is true if a wait that may end at any time, or a timer that starts itself
	// again, continued as often as Config.Spins allows, and was then ended.
	Cut bool

	// Long is how many executions did not end in half of Config.Steps steps, and
	// ended when all workers took turns. Other continuations from there were not
	// searched.
	Long int

	// Ended is true if the search went to its end: no failure and no budget ended
	// it early.
	Ended bool

	Elapsed time.Duration // wall time
	Failure *Failure      // nil if none was found

	other  bool        // nothing was run, because LOCKBENCH_REPLAY is for another search
	pinned bool        // a worker was pinned
	odds   search.Odds // of mode PCT
}

// Whole reports whether every schedule was taken, and no wait or timer was cut
// short.
func (r Report) Whole() bool {
	return r.Ended && r.Failure == nil && r.Config.Mode == Exhaustive && r.Config.Replay == "" && !r.other && !r.Cut && r.Long == 0
}

// String says what was searched, and within which bounds. It says "every schedule"
// only if every schedule was taken.
func (r Report) String() string {
	n := fmt.Sprintf("%s (%d abandoned, %s, %v)", plural(r.Schedules, "schedule"), r.Abandoned, plural(r.Steps, "step"), r.Elapsed.Round(time.Millisecond))
	if r.Failure != nil {
		return fmt.Sprintf("%s after %s", r.Failure.Kind, n)
	}
	return r.Scope("") + ": " + n
}

// Scope says which schedules of what were searched: "every schedule of 3 workers".
func (r Report) Scope(what string) string {
	c := r.Config
	of, bounds := "", ""
	if what != "" {
		of = " of " + what
	}
	if r.Cut {
		bounds = ", waits and timers that may end going on at most " + times(max(c.Spins, 0))
	}
	if r.pinned {
		if c.CPUs == 0 {
			bounds += ", each worker on a CPU of its own"
		} else {
			bounds += ", on " + plural(c.CPUs, "CPU")
		}
	}
	if c.Nodes > 1 {
		bounds += ", on " + plural(c.Nodes, "node")
	}
	every := "every schedule" + of
	if r.Long > 0 {
		every += fmt.Sprintf(" of at most %s, and one way on of each that is longer", plural(c.Steps/2, "step"))
	}
	if !r.Ended {
		every = "not " + every
		why := "the budget"
		select {
		case <-c.Done:
			why = "an interrupt"
		default:
		}
		bounds += ", " + why + " ended the search"
	}
	switch {
	case r.other:
		return "nothing: LOCKBENCH_REPLAY is of another search, and not this search"
	case c.Replay != "":
		return "one schedule" + of + ", that of the token"
	case c.Mode == Random:
		return fmt.Sprintf("random schedules%s, seed %d", of, c.Seed)
	case c.Mode == PCT:
		s := fmt.Sprintf("schedules%s with random priorities and %s of them, seed %d", of, plural(c.Bound, "change"), c.Seed)
		if o := r.odds; o.Schedules > 0 {
			apart := ""
			if o.Chosen {
				apart = ", choices apart,"
			}
			s += fmt.Sprintf(": what %s in order show%s is found with a probability of at least %.2g (n = %d that have a priority, k = %d steps)",
				plural(c.Bound+1, "step"), apart, o.Found(c.Bound+1), o.Procs, o.Steps)
		}
		return s
	case c.Mode == Bounded:
		return fmt.Sprintf("%s with at most %s%s", every, plural(c.Bound, "preemption"), bounds)
	default:
		return every + bounds
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// in notes that the n'th search of test t found f: the command that shows it again,
// and the figure, in the directory that LOCKBENCH_SVG names, if any. A test runs in
// the directory of its package, but its user is mostly in that of the module.
func (f *Failure) in(t testing.TB, n int) {
	t.Helper()
	token, file := f.Token, regexp.MustCompile(`[^\w.=-]+`).ReplaceAllString(t.Name(), "_")
	if n > 1 {
		token = fmt.Sprintf("%d:%s", n, token)
		file = fmt.Sprintf("%s#%d", file, n) // no test has such a name
	}
	f.Replay = fmt.Sprintf("LOCKBENCH_REPLAY=%s go test -tags virtual -run '%s' %s", token, pattern(t.Name()), testPackage())
	dir := os.Getenv("LOCKBENCH_SVG")
	if dir == "" {
		return
	}
	if root, _, ok := module(); ok && !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	name := filepath.Join(dir, file+".svg")
	if err := errors.Join(os.MkdirAll(dir, 0o777), f.writeFile(name)); err != nil {
		t.Errorf("LOCKBENCH_SVG: %v", err)
		return
	}
	t.Logf("figure: %s", name)
}

func (f *Failure) writeFile(name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := f.WriteSVG(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// pattern returns the argument of go test -run that names one test.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// testPackage returns the package of the running test, as go test wants it in the
// directory of the module. A test runs in the directory of its package, whichever
// package it calls Explore through.
func testPackage() string {
	_, dir, ok := module()
	if !ok || dir == "." {
		return "."
	}
	return "./" + filepath.ToSlash(dir)
}

// module returns the directory of the module that the working directory is in,
// and where in it that is.
func module() (root, dir string, ok bool) {
	here, err := os.Getwd()
	if err != nil {
		return "", "", false
	}
	for root = here; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			dir, err := filepath.Rel(root, here)
			return root, dir, err == nil
		}
		if root == filepath.Dir(root) {
			return "", "", false
		}
	}
}
