package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Source measures rounds; it is a [gate.Source]. Its methods, except Close, must not
// be called by several goroutines at once.
type Source struct {
	c      Config
	dir    string // everything is in here
	temp   string // of the go command and of benchmarks
	unlock func() // gives up dir
	trees  [2]*tree
	rng    *rand.Rand

	fixedLayout [2]atomic.Bool // the linker of a side cannot randomise it
	built       int            // binaries so far
	apart       time.Duration  // how long building took since Prepare
	cpus        []int          // CPUs that benchmarks may use; nil if they cannot be bound

	pkgs               []*pkg
	cells              map[gate.Benchmark]*cell
	both               []gate.Benchmark
	unchanged          []gate.Unchanged
	onlyBase, onlyHead []gate.Benchmark
	units              results.Directions // as the benchmarks declare them
	declared           [2]results.Directions

	rec      *recording
	began    fitness.Counters
	before   fitness.State
	taken    int   // slices
	switches int64 // how often slices lost their CPU

	counted     string       // how instructions are counted, "" if they are not
	callgrind   *callgrind   // nil if it does not count them
	simulations atomic.Int64 // runs under it

	mu       sync.Mutex
	warnings []string

	stop    context.CancelCauseFunc
	stopped context.Context
	busy    sync.Mutex // held while child processes run
}

// A cell is a benchmark with a number of CPUs.
type cell struct {
	gate.Benchmark
	p       *pkg
	name    string        // without the number of CPUs
	cpu     int           //
	once    time.Duration // time of the first iteration when it was listed, 0 if it is not known
	n       int           // iterations of a slice
	warm    int           // slices of a process that are dropped
	turn    int           // slices of a turn
	slices  int           // and those that count
	apart   bool          // its two sides cannot run at the same time
	skip    string        // for -test.skip: its sub-benchmarks
	verbose bool          // its output can be distinguished from its result only with -test.v
	timed   bool          // measured in time; if not, only instructions are counted
	counts  int           // iterations when counting instructions, 0 if they are not counted
	varies  bool          // the count varies from one process to the next
	pairs   int           // how often it was measured
	cost    time.Duration // of a pair
	failed  *gate.Failure
}

// fail notes that c failed, if err says so.
func (c *cell) fail(err error) bool {
	f := (*RunError)(nil)
	if !errors.As(err, &f) {
		return false
	}
	c.failed = &gate.Failure{Why: fmt.Sprintf("it fails on the %v, of which it ran once: %v", f.Side, f.Err), Output: f.Output}
	return true
}

// Prepare copies both versions, builds and lists their benchmarks, and finds out how
// many iterations to run. On error, and if ctx is done, it leaves no files.
//
// The error joins all that is wrong, such as a [*BuildError] for each package that
// does not build. A benchmark that fails is no error: its first round says so. The
// error is [gate.ErrNothing] if neither side has a benchmark that was asked for.
func Prepare(ctx context.Context, c Config) (_ *Source, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	s := newSource(c)
	if err := s.findCounter(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	ctx, done, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	s.before = fitness.Look(ctx)
	if err := s.prepare(ctx); err != nil {
		if build := (*BuildError)(nil); ctx.Err() == nil && errors.As(err, &build) {
			if left := s.leftOut(ctx, err.Error()); left != "" {
				err = errors.Join(err, errors.New(left))
			}
		}
		return nil, err
	}
	s.began, s.apart = fitness.Count(), 0
	return s, nil
}

func newSource(c Config) *Source {
	s := &Source{c: c, rng: rand.New(rand.NewPCG(c.Seed, 0)), cells: make(map[gate.Benchmark]*cell), units: make(results.Directions), declared: [2]results.Directions{{}, {}}}
	s.stopped, s.stop = context.WithCancelCause(context.Background())
	return s
}

func (s *Source) prepare(ctx context.Context) error {
	if err := s.copyTrees(ctx); err != nil {
		return err
	}
	if err := s.checkUnits(); err != nil {
		return err
	}
	var err error
	if s.pkgs, err = s.findPackages(ctx); err != nil {
		return err
	}
	if err := s.setAside(ctx); err != nil {
		return err
	}
	s.c.logf("%s may have benchmarks to measure; building", wording.Plural(len(s.pkgs), "package"))
	if err := s.fill(ctx, s.pkgs, 1); err != nil {
		return err
	}
	if err := s.listAll(ctx); err != nil {
		return err
	}
	if len(s.both)+len(s.onlyBase)+len(s.onlyHead)+len(s.unchanged) == 0 {
		why := fmt.Sprintf("no benchmark matches %q in %s", s.c.Bench, strings.Join(s.c.Packages, " "))
		if s.c.Skip != "" {
			why += fmt.Sprintf(", and is not skipped by %q", s.c.Skip)
		}
		return fmt.Errorf("%w: %s", gate.ErrNothing, strings.Join(append([]string{why}, s.Warnings()...), "; "))
	}
	several := 0
	for _, c := range s.cells {
		if c.cpu > 1 {
			several++
		}
	}
	s.c.logf("%s, %d on several CPUs; calibrating", wording.Plural(len(s.both), "benchmark"), several)
	if err := s.calibrate(ctx); err != nil {
		return err
	}
	var of []*pkg
	for _, p := range s.pkgs {
		if s.measured(p) {
			of = append(of, p)
		}
	}
	s.c.logf("building %s of binaries of %s", wording.Plural(s.c.Builds, "pair"), wording.Plural(len(of), "package"))
	if err := s.fill(ctx, of, s.c.Builds); err != nil {
		return err
	}
	s.rec, err = s.newRecording()
	return err
}

// copyTrees makes the directory for all files, and copies the files of both sides into
// it.
func (s *Source) copyTrees(ctx context.Context) (err error) {
	sweep()
	if s.cpus = s.c.Pin; len(s.cpus) == 0 {
		s.cpus = usable()
	}
	// A path without symbolic links, since the go command compares it with the result
	// of getwd.
	if s.dir, err = os.MkdirTemp("", prefix); err != nil {
		return err
	}
	if s.dir, err = filepath.EvalSymlinks(s.dir); err != nil {
		return err
	}
	if s.unlock, err = hold(s.dir); err != nil {
		return err
	}
	s.temp = filepath.Join(s.dir, "t")
	for _, d := range []string{s.temp, filepath.Join(s.temp, "base"), filepath.Join(s.temp, "head"), filepath.Join(s.dir, "bin")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	if s.trees, err = trees(ctx, &s.c, s.dir); err != nil {
		return err
	}
	for _, t := range s.trees {
		for _, n := range t.notes {
			s.warn("%s", n)
		}
		version, err := s.goCommand(ctx, t, "env", "GOVERSION")
		if err != nil {
			return errors.Join(context.Cause(ctx), fmt.Errorf("%v: go env: %w", t.side, err))
		}
		t.goVers = strings.TrimSpace(string(version))
	}
	if b, h := s.trees[0].goVers, s.trees[1].goVers; b != h {
		s.warn("the base is built by %s, the head by %s: a change may be the compiler's", b, h)
	}

	return nil
}

// checkUnits returns an error for each unit that is not known and that occurs in no Go
// file of either side: a benchmark that measures in it would name it, and so would the
// line that declares its direction.
func (s *Source) checkUnits() error {
	var wrong error
	for _, unit := range s.c.Units {
		if s.Better(unit) != 0 {
			continue
		}
		found := errors.New("found")
		look := func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
				return err
			}
			if src, err := os.ReadFile(name); err != nil || !bytes.Contains(src, []byte(unit)) {
				return err
			}
			return found
		}
		err := filepath.WalkDir(s.trees[0].root, look)
		if err == nil {
			err = filepath.WalkDir(s.trees[1].root, look)
		}
		switch err {
		case nil:
			wrong = errors.Join(wrong, fmt.Errorf("unit %s: is not known, and no Go file of either side has it", unit))
		case found:
		default:
			wrong = errors.Join(wrong, err)
		}
	}
	return wrong
}

// start makes Close end ctx, too. done must be called when all children have ended.
func (s *Source) start(ctx context.Context) (_ context.Context, done func(), err error) {
	s.busy.Lock()
	if s.stopped.Err() != nil {
		s.busy.Unlock()
		return nil, nil, context.Cause(s.stopped)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(s.stopped, func() { cancel(context.Cause(s.stopped)) })
	return ctx, func() {
		unhook()
		cancel(nil)
		s.busy.Unlock()
	}, nil
}

var errClosed = errors.New("measure: closed")

// Close ends all processes and removes all files except the recording.
func (s *Source) Close() error {
	s.stop(errClosed)
	s.busy.Lock()
	defer s.busy.Unlock()
	err := s.rec.close()
	s.rec = nil
	if s.dir == "" {
		return err
	}
	err = errors.Join(err, removeAll(s.dir))
	if s.unlock != nil {
		s.unlock()
		s.unlock = nil
	}
	return err
}

// warn adds a warning, once.
func (s *Source) warn(format string, args ...any) {
	w := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.warnings, w) {
		s.warnings = append(s.warnings, w)
	}
}

// Warnings returns what a reader of the verdict should know, except what
// [Source.Fitness] says about the machine.
func (s *Source) Warnings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.warnings)
}

// Sides returns what was compared, for people: a revision with the beginning of
// its commit, a worktree, or a directory.
func (s *Source) Sides() (base, head string) {
	name := func(i int) string {
		n := s.c.side(s.trees[i].side)
		if commit := s.trees[i].commit; commit != "" && !strings.HasPrefix(commit, n) {
			n += " (" + commit[:12] + ")"
		}
		return n
	}
	return name(0), name(1)
}

// Seed returns the seed of the run.
func (s *Source) Seed() uint64 { return s.c.Seed }

// Benchmarks implements [gate.Source].
func (s *Source) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	return slices.Clone(s.both), slices.Clone(s.onlyBase), slices.Clone(s.onlyHead)
}

// Unchanged implements [gate.Source].
func (s *Source) Unchanged() []gate.Unchanged { return slices.Clone(s.unchanged) }

// Better implements [gate.Source]: what a benchmark declares in a line such as
// "Unit hops/op better=lower", or else what [results.Better] knows.
func (s *Source) Better(unit string) int { return s.units.Better(unit) }

// Exact implements [gate.Source]: the counts of Callgrind are nearly the same each
// time, unless they depend on something random in a process. All other units have
// noise.
func (s *Source) Exact(b gate.Benchmark, unit string) (tolerance float64, exact bool) {
	c := s.cells[b]
	if unit != results.Instructions || s.callgrind == nil || c == nil || c.varies {
		return 0, false
	}
	return gate.CountError, true
}

// measured reports whether p has any benchmark to measure.
func (s *Source) measured(p *pkg) bool {
	for _, c := range s.cells {
		if c.p == p && c.failed == nil {
			return true
		}
	}
	return false
}

func (s *Source) knows(of []gate.Benchmark) error {
	for _, b := range of {
		if s.cells[b] == nil {
			return fmt.Errorf("%v: no such benchmark on both sides", b)
		}
	}
	return nil
}

// Round implements [gate.Source]. A benchmark has no more rounds when it was measured
// with as many pairs of binaries as it may have. If ctx ends, the rounds are those that were
// measured before.
func (s *Source) Round(ctx context.Context, of []gate.Benchmark) (rounds []gate.Round, err error) {
	ctx, done, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.knows(of); err != nil {
		return nil, err
	}
	for _, i := range s.rng.Perm(len(of)) {
		if ctx.Err() != nil {
			return rounds, context.Cause(ctx)
		}
		c := s.cells[of[i]]
		r := gate.Round{Benchmark: c.Benchmark, Number: c.pairs + 1}
		if c.failed == nil {
			b, err := s.binaries(ctx, c)
			if err != nil {
				return rounds, err
			}
			if b == nil {
				continue
			}
			if err := s.measure(ctx, c, b, &r); err != nil && !c.fail(err) {
				return rounds, err
			}
			s.drop(c.p)
		}
		if c.failed != nil {
			r = gate.Round{Benchmark: c.Benchmark, Number: c.pairs + 1, Failed: c.failed}
		}
		rounds = append(rounds, r)
	}
	if len(rounds) == 0 {
		return nil, io.EOF
	}
	return rounds, nil
}

// binaries returns the binaries for the next pair of a benchmark, which it makes if
// needed; nil if there are no more.
func (s *Source) binaries(ctx context.Context, c *cell) (*binaries, error) {
	const batch = 6
	k := c.pairs / gate.PairsPerBuild
	most := s.c.mostBuilds(c.cpu)
	if k >= most {
		return nil, nil
	}
	if have := len(c.p.pairs); k >= have {
		n := min(have+batch, most)
		s.c.logf("building %d more pairs of binaries of %s", n-have, c.p.path())
		if err := s.fill(ctx, []*pkg{c.p}, n); err != nil {
			return nil, err
		}
	}
	return c.p.pairs[k], nil
}

// measure runs a pair of a benchmark.
func (s *Source) measure(ctx context.Context, c *cell, of *binaries, r *gate.Round) error {
	before, err := s.probe(c)
	if err != nil {
		return err
	}
	var n [2]int // iterations
	for _, side := range sides {
		r.Readings[side] = &gate.Reading{Build: of.build}
	}
	if c.timed {
		lines, err := s.pair(ctx, c, of)
		if err != nil {
			return err
		}
		for _, side := range sides {
			r.Readings[side].Values, n[which(side)] = lines[which(side)].values, lines[which(side)].n
		}
	}
	after := before
	if before.Distance != results.Unknown {
		if after, err = s.probe(c); err != nil {
			return err
		}
	}
	r.Distance = before.And(after)

	// The machine does not disturb counts, so they come after the times, which so stay
	// close to each other.
	if s.toCount(c) {
		counts, counted, err := s.countPair(ctx, c, of)
		if err != nil {
			return err
		}
		for _, side := range sides {
			if counted {
				r.Readings[side].Values = append(r.Readings[side].Values, results.Value{Unit: results.Instructions, Value: counts[which(side)]})
				n[which(side)] = max(n[which(side)], 1)
			}
		}
	}
	c.pairs++
	if !c.timed {
		c.pairs += gate.PairsPerBuild - 1 // a count with other binaries tells more than another with the same
	}
	return s.rec.write(r, n)
}

// Cost implements [gate.Source]: how long a pair of b takes, or took lately.
func (s *Source) Cost(b gate.Benchmark) time.Duration {
	if c := s.cells[b]; c != nil {
		return c.cost
	}
	return 0
}

// Apart implements [gate.Source]: how long the rounds have waited for binaries.
func (s *Source) Apart() time.Duration { return s.apart }

// probe measures how far the CPUs of c are from each other.
func (s *Source) probe(c *cell) (pingpong.Trip, error) {
	switch {
	case c.cpu == 1 || !c.timed:
		return pingpong.Trip{Distance: results.Local}, nil
	case len(s.c.Pin) == 1:
		return pingpong.Trip{Distance: results.Local}, nil // they share it
	case len(s.c.Pin) > 1:
		return pingpong.Probe(func(i int, f func()) error { return onCPU(s.c.Pin[i], f) })
	}
	return pingpong.Probe(nil)
}

// job returns a run of c on a side.
func (s *Source) job(c *cell, side gate.Side, of *binaries) job {
	return job{side: side, p: c.p, of: of, name: suffixed(c.name, c.cpu), bench: exactly("Benchmark" + c.name), skip: c.skip, cpu: c.cpu, verbose: c.verbose, pin: s.c.Pin}
}

// Fitness returns the state of the machine before anything was built, and its
// conditions since the rounds began.
func (s *Source) Fitness() (before fitness.State, during fitness.Conditions) {
	during = fitness.Count().Since(s.began)
	if s.taken > 0 {
		during.Switches = float64(s.switches) / float64(s.taken)
	}
	return s.before, during
}
