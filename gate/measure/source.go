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
	"github.com/lockbench/lockbench/internal/distance"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/results"
)

// A Source measures rounds; it is a [gate.Source]. Its methods must not be
// called by several goroutines at once, save for Close.
type Source struct {
	c      Config
	dir    string // everything is in here
	temp   string // of the go command and of benchmarks
	unlock func() // lets go of dir
	trees  [2]*tree
	rng    *rand.Rand

	fixedLayout [2]atomic.Bool // the linker of a side cannot randomise it
	built       int            // binaries, so far

	pkgs               []*pkg
	cells              map[gate.Benchmark]*cell
	both               []gate.Benchmark
	onlyBase, onlyHead []gate.Benchmark
	units              results.Directions // as the benchmarks say
	declared           [2]results.Directions

	rec      *recording
	began    fitness.Counters
	before   fitness.State
	switches int64
	walls    []time.Duration // of slices, less what the benchmark took
	slices   []time.Duration // what the benchmark took

	mu       sync.Mutex
	warnings []string

	stop    context.CancelCauseFunc
	stopped context.Context
	busy    sync.Mutex // held by who runs children
}

// A cell is a benchmark with a number of CPUs.
type cell struct {
	gate.Benchmark
	p       *pkg
	name    string // without the number of CPUs
	cpu     int
	n       int    // iterations of a slice
	times   int    // slices of a run, of which the fastest counts
	skip    string // for -test.skip: what is below it
	verbose bool   // it prints what cannot be told from its result otherwise
	timed   bool   // measured in time; if not, only instructions are counted
	counts  int    // iterations to count instructions of, 0 if they are not
	round   int    // how often it was measured
	failed  *gate.Failure
}

// fail takes note that c failed, if that is what err says.
func (c *cell) fail(err error) bool {
	f := (*RunError)(nil)
	if !errors.As(err, &f) {
		return false
	}
	c.failed = &gate.Failure{Why: fmt.Sprintf("it fails on the %v, of which it ran once: %v", f.Side, f.Err), Output: f.Output}
	return true
}

// Prepare copies both versions, builds and lists their benchmarks, and finds
// out how many iterations to run. On error, and if ctx is done, nothing is left.
//
// The error joins all that is wrong, such as a [*BuildError] for each package that
// does not build. A benchmark that fails is no error: its first round says so. The
// error is [gate.ErrNothing] if neither side has a benchmark that was asked for.
func Prepare(ctx context.Context, c Config) (_ *Source, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Instructions == MustCount {
		if err := canCount(); err != nil {
			return nil, err
		}
	}
	s := &Source{c: c, rng: rand.New(rand.NewPCG(c.Seed, 0)), cells: make(map[gate.Benchmark]*cell), units: make(results.Directions), declared: [2]results.Directions{{}, {}}}
	s.stopped, s.stop = context.WithCancelCause(context.Background())
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
	s.began = fitness.Count()
	return s, nil
}

func (s *Source) prepare(ctx context.Context) (err error) {
	sweep()
	// A path without links, since the go command compares it to what getwd says.
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
	for _, d := range []string{s.temp, filepath.Join(s.dir, "bin")} {
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

	if err := s.checkUnits(); err != nil {
		return err
	}
	if s.pkgs, err = s.findPackages(ctx); err != nil {
		return err
	}
	s.c.logf("%d packages may have benchmarks; building them", len(s.pkgs))
	if err := s.buildFirst(ctx); err != nil {
		return err
	}
	if err := s.listAll(ctx); err != nil {
		return err
	}
	if len(s.both)+len(s.onlyBase)+len(s.onlyHead) == 0 {
		why := fmt.Sprintf("no benchmark matches %q in %s", s.c.Bench, strings.Join(s.c.Packages, " "))
		if s.c.Skip != "" {
			why += fmt.Sprintf(", and is not skipped by %q", s.c.Skip)
		}
		return fmt.Errorf("%w: %s", gate.ErrNothing, strings.Join(append([]string{why}, s.Warnings()...), "; "))
	}
	s.c.logf("%d benchmarks; calibrating", len(s.both))
	if err := s.calibrate(ctx); err != nil {
		return err
	}
	var of []*pkg
	for _, p := range s.pkgs {
		if s.measured(p) {
			of = append(of, p)
		}
	}
	s.c.logf("building %d packages for screening", len(of))
	if err := s.fill(ctx, of); err != nil {
		return err
	}
	s.rec, err = s.newRecording()
	return err
}

// checkUnits returns an error for each unit that is not known and that no Go file
// of either side has in it: a benchmark that measures in it would name it, and so
// would the line that declares what is better.
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

// start makes ctx end with Close, too. Done must be called when all children
// have ended.
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

// Close ends what runs and removes all files but the recording.
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

// warn takes note of what a reader of the verdict should know, once.
func (s *Source) warn(format string, args ...any) {
	w := fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.warnings, w) {
		s.warnings = append(s.warnings, w)
	}
}

// Warnings returns what a reader of the verdict should know, save for what
// [Source.Fitness] says of the machine.
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

// Better implements [gate.Source]: what a benchmark declares in a line such as
// "Unit hops/op better=lower", or else what [results.Better] knows.
func (s *Source) Better(unit string) int { return s.units.Better(unit) }

// Exact implements [gate.Source]: what is measured has noise.
func (s *Source) Exact(string) (tolerance float64, exact bool) { return 0, false }

// measured reports whether there is anything to be measured in p.
func (s *Source) measured(p *pkg) bool {
	for _, c := range s.cells {
		if c.p == p && c.failed == nil {
			return true
		}
	}
	return false
}

// fill gives packages their pairs of binaries.
func (s *Source) fill(ctx context.Context, of []*pkg) error {
	var links []*link
	for _, p := range of {
		for range s.c.Builds {
			seed := 1 + s.rng.Int64N(1<<31-1)
			for i := range 2 {
				links = append(links, &link{p: p, tree: s.trees[i], seed: seed})
			}
		}
	}
	if err := s.build(ctx, links); err != nil {
		return err
	}
	for _, l := range links {
		side := which(l.tree.side)
		l.p.pool[side] = append(l.p.pool[side], l.made)
		l.made.build = len(l.p.pool[side])
	}
	return nil
}

// Unchanged implements [gate.Source].
func (s *Source) Unchanged() []gate.Unchanged { return nil }

// Apart implements [gate.Source].
func (s *Source) Apart() time.Duration { return 0 }

// Cost implements [gate.Source].
func (s *Source) Cost(b gate.Benchmark) time.Duration { return 2 * s.c.Slice }

func (s *Source) knows(of []gate.Benchmark) error {
	for _, b := range of {
		if s.cells[b] == nil {
			return fmt.Errorf("%v: no such benchmark on both sides", b)
		}
	}
	return nil
}

// Round implements [gate.Source].
func (s *Source) Round(ctx context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	ctx, done, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.knows(of); err != nil {
		return nil, err
	}
	if len(of) == 0 {
		return nil, io.EOF
	}
	var rounds []gate.Round
	for _, i := range s.rng.Perm(len(of)) {
		c := s.cells[of[i]]
		if c.round == gate.PairsPerBuild*s.c.Builds {
			continue
		}
		var r gate.Round
		if c.failed == nil {
			if r, err = s.pair(ctx, c); err != nil && !c.fail(err) {
				return nil, err
			}
		}
		if c.failed != nil {
			r = gate.Round{Benchmark: c.Benchmark, Number: c.round, Failed: c.failed}
		}
		rounds = append(rounds, r)
	}
	if len(rounds) == 0 {
		return nil, io.EOF
	}
	return rounds, nil
}

// pair runs a benchmark once for each side.
func (s *Source) pair(ctx context.Context, c *cell) (gate.Round, error) {
	build := c.round / gate.PairsPerBuild
	c.round++
	r := gate.Round{Benchmark: c.Benchmark, Number: c.round}
	order := []gate.Side{gate.Base, gate.Head}
	s.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	var took [2]int
	before, err := s.probe(c)
	if err != nil {
		return r, err
	}
	for _, side := range order {
		b := c.p.pool[side][build]
		r.Readings[side] = &gate.Reading{Build: b.build}
		if c.timed {
			l, err := s.slice(ctx, c, side, b)
			if err != nil {
				return r, err
			}
			r.Readings[side].Values, took[side] = l.values, l.n
		}
	}
	after := before
	if before.Distance != results.Unknown {
		if after, err = s.probe(c); err != nil {
			return r, err
		}
	}
	r.Distance = before.And(after)

	// Counts are not disturbed by what the machine does, so they come after
	// the times and keep those near each other.
	if c.counts > 0 && (!c.timed || c.round%countEvery == 1) {
		for _, side := range order {
			v, err := s.count(ctx, c, side, r.Readings[side].Build)
			if err != nil {
				return r, err
			}
			r.Readings[side].Values = append(r.Readings[side].Values, results.Value{Unit: unitInstructions, Value: v})
			took[side] = max(took[side], 1)
		}
	}
	return r, s.rec.write(&r, took)
}

// probe says how far the CPUs of c are from each other.
func (s *Source) probe(c *cell) (distance.Trip, error) {
	switch {
	case c.cpu == 1 || !c.timed:
		return distance.Trip{Distance: results.Local}, nil
	case len(s.c.Pin) == 1:
		return distance.Trip{Distance: results.Local}, nil // they share it
	case len(s.c.Pin) > 1:
		return distance.Probe(func(i int, f func()) error { return onCPU(s.c.Pin[i], f) })
	}
	return distance.Probe(nil)
}

// slice runs c once.
func (s *Source) slice(ctx context.Context, c *cell, side gate.Side, b *testBinary) (line, error) {
	l, wall, err := s.run(ctx, c, side, b, c.n, c.times)
	if err != nil {
		return line{}, err
	}
	if ns, ok := l.nsPerOp(); ok {
		took := time.Duration(ns * float64(l.n))
		s.slices = append(s.slices, took)
		s.walls = append(s.walls, wall-took*time.Duration(c.times))
	}
	return l, nil
}

// run runs n iterations of c, so many times, and returns the fastest result and
// how long the process was there.
func (s *Source) run(ctx context.Context, c *cell, side gate.Side, b *testBinary, n, times int) (line, time.Duration, error) {
	o, err := s.exec(ctx, job{side: side, p: c.p, b: b, bench: exactly("Benchmark" + c.name), skip: c.skip, cpu: c.cpu, n: n, times: times, verbose: c.verbose})
	if err != nil {
		return line{}, 0, explain(err, side, c.Benchmark)
	}
	l, err := find(o.stdout, suffixed(c.name, c.cpu), times)
	if err != nil {
		return line{}, 0, explain(err, side, c.Benchmark)
	}
	return l, o.wall, nil
}

func (l line) allocates() bool {
	return slices.ContainsFunc(l.values, func(v results.Value) bool { return v.Unit == "allocs/op" && v.Value > 0 })
}

func (l line) nsPerOp() (float64, bool) {
	for _, v := range l.values {
		if v.Unit == "ns/op" {
			return v.Value, true
		}
	}
	return 0, false
}

// Stats are what a run cost.
type Stats struct {
	Slices   int           // runs of a benchmark, each a process
	Slice    time.Duration // what the benchmark itself took of one, or the fastest slice of it, the median
	Overhead time.Duration // what the process took besides, the median
}

// Stats returns what the rounds have cost so far.
func (s *Source) Stats() Stats {
	median := func(ds []time.Duration) time.Duration {
		if len(ds) == 0 {
			return 0
		}
		return slices.Sorted(slices.Values(ds))[len(ds)/2]
	}
	return Stats{len(s.slices), median(s.slices), median(s.walls)}
}

// Fitness returns what the machine was like before anything was built, and what
// it has been like since the rounds began.
func (s *Source) Fitness() (before fitness.State, during fitness.Conditions) {
	during = fitness.Count().Since(s.began)
	if n := len(s.slices); n > 0 {
		during.Switches = float64(s.switches) / float64(n)
	}
	return s.before, during
}
