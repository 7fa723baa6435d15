package measure

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
)

// Worktree is the name of the head if it is no commit but the files as they are now,
// with uncommitted changes, and with new files unless git ignores them.
const Worktree = "worktree"

// Config says what to compare, and how. Only Base, or BaseDir and HeadDir, are
// required.
type Config struct {
	// Dir is a directory of the module, in a git repository; "" is the
	// current one.
	Dir string

	// Base and Head are revisions of git or [Worktree], which is the default of Head.
	Base, Head string

	// BaseDir and HeadDir are two directories with a go.mod each, instead of revisions:
	// for example two versions of a module in the module cache.
	BaseDir, HeadDir string

	Packages []string // patterns, in the module's directory; default ./...
	Bench    string   // which benchmarks, as for go test -bench; default all
	Skip     string   // which of them never to run, as for go test -skip; default none

	// CPU is as for go test -cpu. By default, benchmarks that start goroutines have all
	// CPUs of the machine, or all of Pin, and the others have one.
	CPU []int

	Tags       string   // build tags, separated by commas
	BuildFlags []string // more flags for go test -c
	HeadFlags  []string // and more for the head only
	Env        []string // added to the environment of the go command and of the benchmarks

	// Slice is how long a slice of a benchmark is meant to be, on its slower side;
	// default 3 ms. A process takes up to eight of them, the first of which is dropped.
	Slice time.Duration

	// With are files and directories of the repository, or in the current directory,
	// that both sides get as they are now: files that git ignores and that are needed.
	With []string

	// Units are the units that will be asked for. One that no benchmark can have is an
	// error before anything is built.
	Units []string

	// Ignore, if it is not nil, reports whether a benchmark is not judged in any unit
	// or, if all is set, no benchmark that a function may have is. Such a function is
	// never run. A sub-benchmark that is ignored is only listed, since its name is not
	// known before.
	Ignore func(b gate.Benchmark, all bool) bool

	// Timeout is for one slice of one benchmark; default a minute. A benchmark that
	// takes longer has failed.
	Timeout time.Duration

	// Builds is how many pairs of binaries of a package are made before the first
	// round, and MaxBuilds how many at most, made as they are needed; default 12 and
	// 48, or Builds if that is more. A benchmark of several CPUs may have twice
	// MaxBuilds, for its readings are 10 to 15 % apart. After those there are no more
	// rounds.
	Builds, MaxBuilds int

	// MeasureUnchanged measures packages that are the same on both sides, too, as a
	// trial of the gate does; and [Simulate] runs locks that are the same.
	MeasureUnchanged bool

	// Pin are the CPUs that the benchmarks may use; default all.
	Pin []int

	Instructions Instructions // how they are counted

	// Record is a directory for files with all readings: base.txt and head.txt, in the
	// Go benchmark format. It must not have such files yet. "" means none.
	Record string

	// Seed determines the order and the layouts of a run; 0 means a random one.
	Seed uint64

	// Log, if it is not nil, is called with lines that say what is being done.
	Log func(line string)

	most int // CPUs of a benchmark
}

// Instructions says whether to count the instructions of a benchmark, in the
// unit instructions/op: those of user mode if the machine counts them, and otherwise
// those of a CPU that Callgrind simulates, if valgrind is installed; both with
// GOMAXPROCS=1. [Source.Warnings] says which.
type Instructions int

// Whether to count instructions.
const (
	DontCount       Instructions = iota
	CountIfPossible              // and warn if it is not
	MustCount                    // it is an error if it is not possible
)

// check fills in the defaults, and returns an error with all that is wrong.
func (c *Config) check() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	if c.Dir == "" {
		c.Dir = "."
	}
	switch dirs := c.BaseDir != "" || c.HeadDir != ""; {
	case dirs && (c.BaseDir == "" || c.HeadDir == ""):
		bad("want a directory of both sides, have %q and %q", c.BaseDir, c.HeadDir)
	case dirs && (c.Base != "" || c.Head != ""):
		bad("want either revisions or directories, have both")
	case !dirs && c.Base == "":
		bad("no base: want a revision to compare to")
	case !dirs && c.Head == "":
		c.Head = Worktree
	}
	if len(c.Packages) == 0 {
		c.Packages = []string{"./..."}
	}
	for _, p := range c.Packages {
		if p == "" || strings.HasPrefix(p, "-") {
			bad("package %q: want a pattern such as ./...", p)
		}
	}
	if c.Bench == "" {
		c.Bench = "."
	}
	if _, err := topLevel(c.Bench); err != nil {
		bad("benchmarks %q: %w", c.Bench, err)
	}
	if _, err := topLevel(c.Skip); err != nil {
		bad("skip %q: %w", c.Skip, err)
	}
	pins := slices.Clone(c.Pin)
	slices.Sort(pins)
	if len(slices.Compact(pins)) != len(c.Pin) {
		bad("pin to CPUs %v: one of them twice", c.Pin)
	}
	if err := canPin(c.Pin); err != nil {
		bad("pin to CPUs %v: %w", c.Pin, err)
	}
	if c.most = runtime.GOMAXPROCS(0); len(c.Pin) > 0 {
		c.most = len(c.Pin)
	}
	for i, n := range c.CPU {
		if n < 1 || slices.Contains(c.CPU[:i], n) {
			bad("CPUs %v: want different numbers of at least 1", c.CPU)
			break
		}
	}
	if c.Record != "" {
		if err := MayRecord(c.Record); err != nil {
			bad("%w", err)
		}
	}
	c.Slice = orDefault(c.Slice, 3*time.Millisecond)
	c.Timeout = orDefault(c.Timeout, time.Minute)
	c.MaxBuilds = orDefault(c.MaxBuilds, max(48, c.Builds))
	c.Builds = orDefault(c.Builds, min(12, c.MaxBuilds))
	if c.Slice < 0 || c.Timeout < 0 || c.Builds < 0 || c.MaxBuilds < c.Builds {
		bad("slice %v, timeout %v, %d pairs of binaries and up to %d: want none negative, and no fewer at last than at first", c.Slice, c.Timeout, c.Builds, c.MaxBuilds)
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	return errors.Join(wrong...)
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// mostBuilds returns how many pairs of binaries a benchmark of so many CPUs may have.
func (c *Config) mostBuilds(cpu int) int {
	if cpu > 1 {
		return 2 * c.MaxBuilds
	}
	return c.MaxBuilds
}

func (c *Config) logf(format string, args ...any) { c.Log(fmt.Sprintf(format, args...)) }

// side returns the name of a side: the revision or the directory.
func (c *Config) side(s gate.Side) string {
	if c.BaseDir != "" {
		return filepath.Base([]string{c.BaseDir, c.HeadDir}[which(s)])
	}
	return []string{c.Base, c.Head}[which(s)]
}

// sides are both sides, in the order of [which].
var sides = [2]gate.Side{gate.Base, gate.Head}

// which returns 0 for the base, and 1 for the head.
func which(s gate.Side) int {
	if s == gate.Head {
		return 1
	}
	return 0
}

// environ returns the environment of the go command and of the benchmarks.
func (c *Config) environ(more ...string) []string {
	return slices.Concat(os.Environ(), c.Env, more)
}

// topLevel returns expressions such that at least one matches the name of each
// top-level benchmark that bench may select. Like package testing it splits bench into
// alternatives, and those into elements.
func topLevel(bench string) ([]*regexp.Regexp, error) {
	var first []*regexp.Regexp
	for _, elements := range splitBench(bench) {
		for i, e := range elements {
			re, err := regexp.Compile(e)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				first = append(first, re)
			}
		}
	}
	return first, nil
}

// Skips reports whether go test -skip would pass over the benchmark of that name,
// without the word Benchmark.
func Skips(skip, name string) bool {
	if skip == "" {
		return false
	}
	parts := strings.Split("Benchmark"+name, "/")
	return slices.ContainsFunc(splitBench(skip), func(elements []string) bool {
		for i, e := range elements {
			re, err := regexp.Compile(e)
			if err != nil || i >= len(parts) || !re.MatchString(parts[i]) {
				return false
			}
		}
		return true
	})
}

// skipsBelow reports whether go test -skip may pass over parts of the benchmark of
// that name.
func skipsBelow(skip, name string) bool {
	depth := strings.Count(name, "/") + 1
	return skip != "" && slices.ContainsFunc(splitBench(skip), func(elements []string) bool {
		return len(elements) > depth && Skips(strings.Join(elements[:depth], "/"), name)
	})
}

// passesOver reports whether a function is never run: it is skipped, or all its
// benchmarks are ignored.
func (c *Config) passesOver(pkg, function string) bool {
	name := strings.TrimPrefix(function, "Benchmark")
	if Skips(c.Skip, name) {
		return true
	}
	return c.Ignore != nil && c.Ignore(gate.Benchmark{Pkg: pkg, Name: name}, true)
}

// splitBench splits s at each | and / that is not in brackets and not quoted.
func splitBench(s string) [][]string {
	var alternatives [][]string
	var elements []string
	square, round, start := 0, 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[':
			square++
		case ']':
			square = max(square-1, 0) // a surplus bracket is allowed
		case '(':
			if square == 0 {
				round++
			}
		case ')':
			if square == 0 {
				round--
			}
		case '\\':
			i++
		case '/', '|':
			if square != 0 || round != 0 {
				continue
			}
			elements = append(elements, s[start:i])
			start = i + 1
			if s[i] == '|' {
				alternatives = append(alternatives, elements)
				elements = nil
			}
		}
	}
	return append(alternatives, append(elements, s[start:]))
}

// exactly returns an expression for -bench that selects the benchmark with that name,
// as printed without the number of CPUs, and its sub-benchmarks.
func exactly(name string) string {
	elements := strings.Split(name, "/")
	for i, e := range elements {
		elements[i] = "^" + regexp.QuoteMeta(e) + "$"
	}
	return strings.Join(elements, "/")
}
