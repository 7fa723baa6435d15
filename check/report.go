package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// A Report is what came of a search.
type Report struct {
	Config Config

	// Schedules is how many executions ran to their end, Abandoned how many
	// were given up because they were like one that was or would be run, and
	// Steps how many steps all of them had.
	Schedules, Abandoned, Steps int

	// Cut is true if some wait that may end at any time, or some timer that starts
	// itself again, went on for as often as Config.Spins allows, and so was ended
	// then.
	Cut bool

	// Ended is true if there was nothing left to search: no failure and no
	// budget ended it.
	Ended bool

	Elapsed time.Duration
	Failure *Failure // nil if none was found
}

// String says what was searched, and within which bounds. Only a search that
// took every schedule says so.
func (r Report) String() string {
	n := fmt.Sprintf("%s (%d abandoned, %s, %v)", plural(r.Schedules, "schedule"), r.Abandoned, plural(r.Steps, "step"), r.Elapsed.Round(time.Millisecond))
	if r.Failure != nil {
		return fmt.Sprintf("%s after %s", r.Failure.Kind, n)
	}
	return r.Scope() + ": " + n
}

// Scope says which schedules were searched: of those the report says that they
// do not fail.
func (r Report) Scope() string {
	c := r.Config
	bounds := ""
	if r.Cut {
		bounds = fmt.Sprintf(", waits and timers that may end going on at most %s", times(max(c.Spins, 0)))
	}
	switch {
	case c.Replay != "":
		return "the schedule of the token"
	case c.Mode == Random:
		return fmt.Sprintf("random schedules, seed %d%s", c.Seed, bounds)
	case c.Mode == PCT:
		return fmt.Sprintf("random priorities with %s, seed %d%s", plural(c.Bound, "change"), c.Seed, bounds)
	case c.Mode == Bounded && !r.Ended:
		return fmt.Sprintf("not every schedule with at most %s%s, the budget ended the search", plural(c.Bound, "preemption"), bounds)
	case c.Mode == Bounded:
		return fmt.Sprintf("every schedule with at most %s%s", plural(c.Bound, "preemption"), bounds)
	case !r.Ended:
		return "not every schedule" + bounds + ", the budget ended the search"
	default:
		return "every schedule" + bounds
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

// in says that f was found in test t: how to see it again, and the figure in the
// directory that LOCKBENCH_SVG names, if it does.
func (f *Failure) in(t testing.TB) {
	t.Helper()
	f.Replay = fmt.Sprintf("LOCKBENCH_REPLAY=%s go test -tags virtual -run '%s' %s", f.Token, pattern(t.Name()), testPackage())
	if strings.Contains(f.Token, "(") {
		f.Replay = strings.Replace(f.Replay, f.Token, "'"+f.Token+"'", 1)
	}
	dir := os.Getenv("LOCKBENCH_SVG")
	if dir == "" {
		return
	}
	name := filepath.Join(dir, regexp.MustCompile(`[^\w.=-]+`).ReplaceAllString(t.Name(), "_")+".svg")
	if err := f.writeFile(name); err != nil {
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

// testPackage returns the package of the test that runs, as go test wants it in
// the directory of the module.
func testPackage() string {
	path := ""
	for _, f := range callers() {
		switch p := functionPackage(f.Function); p {
		case "testing", "runtime":
		default:
			path = strings.TrimSuffix(p, "_test")
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Path != "" {
		if dir, ours := strings.CutPrefix(path, info.Main.Path+"/"); ours {
			return "./" + dir
		}
	}
	return path
}
