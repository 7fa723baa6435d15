package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Simulation says what to simulate. All cells have no think time, and 0 and 90 % reads.
type Simulation struct {
	Machines []string // names of described machines, or files of descriptions; at least one
	CPUs     []int    // of each machine
	Locks    []string // names and patterns, as locksim run takes them; none: its default. One side may have none of them.

	// Progress, if it is not nil, is called now and then during a run of both sides: how
	// many samples of the machine each side has.
	Progress func(machine string, base, head int)
}

// Simulated has the readings of the locks of both sides in one simulator. It is a
// [gate.Source] whose values do not vary. A benchmark is a cell of locksim run, and the
// machine has the place of the package.
type Simulated struct {
	base, head string
	warnings   []string
	problems   []string
	unchanged  []gate.Unchanged
	runs       []*simulatedRun
	given      map[gate.Benchmark]bool // those of which Round has returned all
	ended      bool                    // before its time
	took       time.Duration
}

// A simulatedRun is what both sides have done on one machine.
type simulatedRun struct {
	machine string
	order   [2][]gate.Benchmark // as they were written
	records [2]map[gate.Benchmark][]results.Record
	texts   [2][]byte // of the files
	whole   bool      // each side has all that was asked for
}

// A ResultsFile is what one side did on one machine, as locksim run wrote it.
type ResultsFile struct {
	Name string // base-milan-2s.txt
	Text []byte // what package results reads
}

// Simulate runs the locks of both sides in the simulator of the head: ./cmd/locksim of
// the module, built with the tag virtual. Of the Config it uses what says where the two
// sides are (Dir, Base, Head, BaseDir, HeadDir, With), and Tags, Env, Seed and Log.
//
// Results of two simulators are not comparable. So where the simulator differs between
// the sides, the base's locks are built with the head's: its locks are internal/catalog
// and all that only this imports, and the simulator is everything else that locksim is
// made of. A warning names what differs. If the base's locks do not build with the
// head's simulator, the error is a [*BuildError]. Locks of which no file differs are the
// same, and are not run.
//
// A cell has one sample. Where the two sides' differ, their code does, and the lock's cells
// have four more, each with another seed: one operation more or less gives the waiters
// another order, as another seed does, and [Simulated.Spread] says what that may change.
//
// If ctx ends during a run, the readings are those of the cells that both sides had
// finished: see [Simulated.Ended]. If it ends earlier, the error is its cause. In any
// case no files are left.
func Simulate(ctx context.Context, c Config, sim Simulation) (_ *Simulated, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if len(sim.Machines) == 0 || len(sim.CPUs) == 0 {
		return nil, errors.New("no machine or no CPUs to simulate")
	}
	began := time.Now()
	s := newSource(c)
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx, done, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := s.copyTrees(ctx); err != nil {
		return nil, err
	}
	result := &Simulated{given: make(map[gate.Benchmark]bool)}
	result.base, result.head = s.Sides()
	programs, err := s.simulators(ctx)
	switch {
	case err != nil:
		return nil, err
	case programs == nil:
		result.unchanged = []gate.Unchanged{{Pkg: locksim, Why: "no file that its locks are built of has changed"}}
	default:
		locks := s.chosen(ctx, programs, sim.Locks)
		for _, m := range sim.Machines {
			if strings.HasSuffix(m, ".toml") {
				if m, err = filepath.Abs(m); err != nil {
					return nil, err
				}
			}
			if err := s.onMachine(ctx, sim, m, programs, locks, result); err != nil {
				return nil, err
			}
			if result.ended {
				break
			}
		}
	}
	result.warnings, result.took = s.Warnings(), time.Since(began)
	return result, nil
}

// locksim is the program that runs locks in the simulator, and lockTable the package that
// knows all locks. The packages of apparatus, with all that they import, are the simulator
// even if locks import them.
const (
	locksim   = "./cmd/locksim"
	lockTable = "internal/catalog"
)

// seeds is how many samples a cell has whose sides differ, and leastSpread is by how much
// values differ at least that are not the same.
const (
	seeds       = 5
	leastSpread = 0.01
)

// locksimFields are what is asked of the packages that locksim is made of: see [node].
const locksimFields = "ImportPath,Dir,Standard,Deps,GoFiles,CgoFiles,CFiles,CXXFiles,MFiles,HFiles,FFiles,SFiles,SwigFiles,SwigCXXFiles,SysoFiles,EmbedFiles"

var apparatus = []string{"sim", "sim/machines", "harness", "primitives", "internal/engine"}

// simulationTags returns the flag for the build tags.
func (c *Config) simulationTags() string {
	if c.Tags == "" {
		return "-tags=virtual"
	}
	return "-tags=virtual," + c.Tags
}

// The parts of a side are the packages in the repository that locksim is made of, by
// their directories.
type parts struct {
	all, simulator, locks map[string]*node
}

// parts lists the parts of a side.
func (s *Source) parts(ctx context.Context, t *tree) (*parts, error) {
	if files, _ := filepath.Glob(filepath.Join(t.module, locksim, "*.go")); len(files) == 0 {
		return nil, fmt.Errorf("%v: has no %s, the simulator: want a %v that has it", t.side, locksim, t.side)
	}
	g, err := s.listGraph(ctx, t, []string{"list", "-deps", "-json=" + locksimFields, s.c.simulationTags(), "--", locksim})
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &BuildError{t.side, locksim, err.Error()}
	}
	p := &parts{all: make(map[string]*node), simulator: make(map[string]*node), locks: make(map[string]*node)}
	for _, n := range g {
		if dir, inside := t.within(n.Dir); inside && !n.Standard {
			p.all[dir] = n
		}
	}
	table := p.all[t.inModule(lockTable)]
	if table == nil {
		return nil, fmt.Errorf("%v: %s does not import %s, the table of the locks: there is nothing to compare", t.side, locksim, lockTable)
	}
	needed := make(map[string]bool) // import paths
	for _, name := range apparatus {
		if n := p.all[t.inModule(name)]; n != nil {
			needed[n.ImportPath] = true
			for _, dep := range n.Deps {
				needed[dep] = true
			}
		}
	}
	for dir, n := range p.all {
		if ofTable := n == table || slices.Contains(table.Deps, n.ImportPath); ofTable && !needed[n.ImportPath] {
			p.locks[dir] = n
		} else {
			p.simulator[dir] = n
		}
	}
	return p, nil
}

// inModule returns the place in the tree of a directory of the module.
func (t *tree) inModule(name string) string {
	module, _ := t.within(t.module)
	return path.Join(module, name)
}

// differing returns the files in which packages of the two sides differ, in order.
func (s *Source) differing(base, head map[string]*node) (names []string, err error) {
	where := make(map[string][2]bool)
	for i, packages := range []map[string]*node{base, head} {
		for dir, n := range packages {
			for _, file := range n.built() {
				name := path.Join(dir, filepath.ToSlash(file))
				have := where[name]
				have[i] = true
				where[name] = have
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(where)) {
		same := where[name] == [2]bool{true, true}
		if same {
			if same, err = sameFile(filepath.Join(s.trees[0].root, name), filepath.Join(s.trees[1].root, name), 0); err != nil {
				return nil, err
			}
		}
		if !same {
			names = append(names, name)
		}
	}
	return names, nil
}

// simulators builds locksim of both sides, with the same simulator. It returns nil if
// their locks are the same.
func (s *Source) simulators(ctx context.Context) (programs []string, err error) {
	var of [2]*parts
	var wrong error
	for i, t := range s.trees {
		of[i], err = s.parts(ctx, t)
		wrong = errors.Join(wrong, err)
	}
	if wrong != nil {
		return nil, wrong
	}
	locks, err := s.differing(of[0].locks, of[1].locks)
	if err != nil || len(locks) == 0 && !s.c.MeasureUnchanged {
		return nil, err
	}
	replaced := maps.Clone(of[0].all)
	maps.DeleteFunc(replaced, func(dir string, _ *node) bool { return of[1].simulator[dir] == nil })
	simulator, err := s.differing(replaced, of[1].simulator)
	if err != nil {
		return nil, err
	}
	modules, err := s.modules()
	if err != nil {
		return nil, err
	}
	simulator = append(simulator, modules...)

	s.c.logf("building %s of both sides", locksim)
	head, err := s.buildLocksim(ctx, s.trees[1])
	if err != nil {
		return nil, err
	}
	if len(simulator) == 0 {
		base, err := s.buildLocksim(ctx, s.trees[0])
		return []string{base, head}, err
	}
	differs := fmt.Sprintf("the simulator differs between the sides (%s)", wording.Elide(strings.Join(simulator, ", "), 300))
	if err := s.lend(of, modules); err != nil {
		return nil, err
	}
	base, err := s.buildLocksim(ctx, s.trees[0])
	table := s.trees[1].inModule(lockTable)
	if err != nil && ctx.Err() == nil && of[1].locks[table] != nil {
		// The table of locks may have to fit the harness.
		of[1].simulator[table] = of[1].locks[table]
		if err := s.lend(of, nil); err != nil {
			return nil, err
		}
		differs += fmt.Sprintf(", and with it %s", lockTable)
		base, err = s.buildLocksim(ctx, s.trees[0])
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("%s, and the base's locks do not build with the head's, so there is nothing to compare: want a base since that change: %w", differs, err)
	}
	s.warn("%s: both sides' locks ran in that of the head", differs)
	return []string{base, head}, nil
}

// modules returns those of the module's own files that differ.
func (s *Source) modules() (names []string, err error) {
	for _, name := range []string{"go.mod", "go.sum"} {
		var text [2][]byte
		for i, t := range s.trees {
			if text[i], err = os.ReadFile(filepath.Join(t.module, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
		if !bytes.Equal(text[0], text[1]) {
			names = append(names, s.trees[1].inModule(name))
		}
	}
	return names, nil
}

// lend replaces the packages of the head's simulator in the base's tree, and some other
// files, by those of the head. What else the base's locks are made of stays.
func (s *Source) lend(of [2]*parts, others []string) error {
	from, to := s.trees[1].root, s.trees[0].root
	give := slices.Clone(others)
	for dir, n := range of[1].simulator {
		if old := of[0].all[dir]; old != nil {
			for _, file := range old.built() {
				if err := os.Remove(filepath.Join(to, dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
		for _, file := range n.built() {
			give = append(give, path.Join(dir, filepath.ToSlash(file)))
		}
	}
	for _, name := range give {
		info, err := os.Stat(filepath.Join(from, name))
		switch {
		case errors.Is(err, fs.ErrNotExist): // a go.sum that the head has no more
			err = os.Remove(filepath.Join(to, name))
		case err == nil:
			err = copyFile(filepath.Join(from, name), filepath.Join(to, name), info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// buildLocksim builds the simulator of a side, and returns its file. For the go command
// both sides are in the same place, so that packages that do not differ are compiled once.
func (s *Source) buildLocksim(ctx context.Context, t *tree) (_ string, err error) {
	file := filepath.Join(s.dir, "bin", t.side.String())
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	place := filepath.Join(s.dir, "side")
	if err := os.Rename(t.root, place); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.Rename(place, t.root)) }()
	there := tree{side: t.side, module: strings.Replace(t.module, t.root, place, 1)}
	for _, v := range t.env {
		there.env = append(there.env, strings.Replace(v, t.root, place, 1))
	}
	if _, err := s.goCommand(ctx, &there, "build", "-o", file, s.c.simulationTags(), "-ldflags=-w", locksim); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", &BuildError{t.side, locksim, err.Error()}
	}
	return file, nil
}

// A choice is the locks of a side to run: patterns, or all if there is none.
type choice struct {
	patterns []string
	none     bool // the side has none of what was asked for
}

// chosen returns the locks of each side to run. A pattern that matches locks of one side
// alone is for that side: the others may be new, or gone. Of one that matches none, both
// programs say that they do not know it.
func (s *Source) chosen(ctx context.Context, programs []string, patterns []string) []choice {
	of := make([]choice, len(programs))
	if len(patterns) == 0 {
		return of
	}
	leavesOut := func(pattern string) bool { return strings.HasPrefix(pattern, "!") }
	named := slices.ContainsFunc(patterns, func(p string) bool { return !leavesOut(p) }) // or all but some
	var names [2][]string
	for i, program := range programs {
		out, _ := exec.CommandContext(ctx, program, "__complete", "bash", "run", "--locks", "").Output() // what its completion offers
		names[i] = strings.Fields(string(out))
		of[i].none = named
	}
	for _, p := range patterns {
		var has [2]bool
		for i := range has {
			has[i] = leavesOut(p) || slices.ContainsFunc(names[i], func(name string) bool { ok, _ := path.Match(p, name); return ok })
		}
		for i := range of {
			if has[i] || has == [2]bool{} {
				of[i].patterns = append(of[i].patterns, p)
				of[i].none = of[i].none && leavesOut(p)
			}
		}
	}
	return of
}

// onMachine runs both sides on a machine, and adds what they did to the result. It returns
// no error if ctx ends.
func (s *Source) onMachine(ctx context.Context, sim Simulation, machine string, programs []string, locks []choice, to *Simulated) error {
	dir, err := os.MkdirTemp(s.temp, "sim")
	if err != nil {
		return err
	}
	run := &simulatedRun{machine: machine, whole: true}
	to.runs = append(to.runs, run)
	r := bothRun{machine: machine, programs: programs, locks: locks, samples: 1}
	for i := range programs {
		r.files = append(r.files, filepath.Join(dir, sides[i].String()+".txt"))
	}
	s.runBoth(ctx, sim, r, run, to)
	if differ := run.differing(); len(differ) > 0 && run.whole {
		r.locks, r.samples = []choice{{patterns: differ}, {patterns: differ}}, seeds
		s.runBoth(ctx, sim, r, run, to)
	}
	return nil
}

// A bothRun is a run of both sides.
type bothRun struct {
	machine         string
	programs, files []string
	locks           []choice
	samples         int // that each cell has then; files have the first
}

// runBoth runs both sides on a machine, at the same time.
func (s *Source) runBoth(ctx context.Context, sim Simulation, r bothRun, run *simulatedRun, to *Simulated) {
	type end struct {
		side int
		err  error
	}
	ends := make(chan end, len(r.programs))
	for i := range r.programs {
		go func() {
			var err error
			if !r.locks[i].none {
				err = s.locksimRun(ctx, sim, r, i)
			}
			ends <- end{i, err}
		}()
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var failed [2]error
	for left := len(r.programs); left > 0; {
		select {
		case e := <-ends:
			failed[e.side] = e.err
			left--
		case <-tick.C:
			if sim.Progress != nil {
				sim.Progress(r.machine, samplesIn(r.files[0]), samplesIn(r.files[1]))
			}
		}
	}
	to.ended = ctx.Err() != nil
	for i, file := range r.files {
		if r.locks[i].none {
			continue
		}
		err := errors.Join(failed[i], run.read(i, file))
		if err == nil {
			continue
		}
		run.whole = false
		if !to.ended {
			to.problems = append(to.problems, fmt.Sprintf("%v: %v", sides[i], err))
		}
	}
}

// locksimRun runs one side.
func (s *Source) locksimRun(ctx context.Context, sim Simulation, r bothRun, side int) error {
	t, file := s.trees[side], r.files[side]
	cpus := make([]string, len(sim.CPUs))
	for i, n := range sim.CPUs {
		cpus[i] = strconv.Itoa(n)
	}
	args := []string{"run", "--machine", r.machine, "--cpus", strings.Join(cpus, ","), "--reads", "0,90", "--think", "0s",
		"--seed", strconv.FormatUint(s.c.Seed, 10), "--jobs", strconv.Itoa(max(1, runtime.GOMAXPROCS(0)/len(s.trees))),
		"--out", file, "--plots="}
	if locks := r.locks[side].patterns; len(locks) > 0 {
		args = append(args, "--locks", strings.Join(locks, ","))
	}
	if r.samples > 1 {
		args = append(args, "--count", strconv.Itoa(r.samples), "--extend")
	}
	cmd := exec.CommandContext(ctx, r.programs[side], args...)
	cmd.Dir = filepath.Dir(file)
	cmd.Env = s.c.environ("PWD="+cmd.Dir, "TMPDIR="+t.temp)
	killable(cmd)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it writes what it has; after WaitDelay it is killed
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	_, err := runOn(cmd, s.c.Pin, false, func() {})
	cleanUp(cmd)
	if err != nil {
		f := &failure{err: err, stderr: stderr.Bytes()}
		return fmt.Errorf("locksim %s: %w\n%s", strings.Join(args[:3], " "), err, indent(f.tail()))
	}
	return nil
}

// samplesIn returns how many benchmark lines a file has; 0 if it does not exist yet.
func samplesIn(file string) int {
	text, _ := os.ReadFile(file)
	return bytes.Count(text, []byte("\nBenchmark"))
}

// read reads what a side wrote. If that is not a results file of a simulated machine, the
// error says why.
func (r *simulatedRun) read(side int, file string) error {
	r.records[side], r.order[side] = make(map[gate.Benchmark][]results.Record), nil
	text, err := os.ReadFile(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return errors.New("it wrote no results")
		}
		return err
	}
	r.texts[side] = text[:bytes.LastIndexByte(text, '\n')+1]
	f, err := results.ReadRecords(bytes.NewReader(r.texts[side]), filepath.Base(file))
	name, simulated := f.Simulated()
	switch {
	case err != nil:
		return err
	case !simulated:
		return fmt.Errorf("%s: want results of a simulated machine, have machine %q", f.Name, f.Machine)
	}
	r.machine = name
	for _, rec := range f.Records {
		b := gate.Benchmark{Pkg: name, Name: rec.Name}
		if r.records[side][b] == nil {
			r.order[side] = append(r.order[side], b)
		}
		r.records[side][b] = append(r.records[side][b], rec)
	}
	return nil
}

// same reports whether all samples of b are the same on both sides.
func (r *simulatedRun) same(b gate.Benchmark) bool {
	return slices.EqualFunc(r.records[0][b], r.records[1][b], func(base, head results.Record) bool { return slices.Equal(base.Values, head.Values) })
}

// differing returns the locks that have a cell with samples that differ.
func (r *simulatedRun) differing() (locks []string) {
	for b := range r.records[0] {
		cell, err := results.ParseCell(b.Name)
		if err == nil && r.records[1][b] != nil && !r.same(b) {
			locks = append(locks, cell.Lock)
		}
	}
	slices.Sort(locks)
	return slices.Compact(locks)
}

// rounds returns how many samples of b can be compared: none if its sides differ, and a
// signal has ended the run before all were taken.
func (r *simulatedRun) rounds(b gate.Benchmark) int {
	n := min(len(r.records[0][b]), len(r.records[1][b]))
	if n < seeds && !r.same(b) {
		return 0
	}
	return n
}

// Spread returns by how much, as a share of the base's median, the samples of b of one side
// differ by their seeds, the larger of both sides; 0 if both sides' samples are the same.
// Only if the medians differ by more, the seeds do not explain it. It is infinite if the
// base's median is 0 and the head's is within that of it.
func (s *Simulated) Spread(b gate.Benchmark, unit string) float64 {
	for _, r := range s.runs {
		if n := r.rounds(b); n > 0 && !r.same(b) {
			return r.spread(b, unit)
		}
	}
	return 0
}

func (r *simulatedRun) spread(b gate.Benchmark, unit string) float64 {
	widest := leastSpread
	var medians [2]float64
	for side, records := range r.records {
		var values []float64
		for _, rec := range records[b] {
			if v, ok := rec.Value(unit); ok {
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			return 0
		}
		slices.Sort(values)
		widest = max(widest, values[len(values)-1]-values[0])
		medians[side] = (values[(len(values)-1)/2] + values[len(values)/2]) / 2
	}
	switch base, head := medians[0], medians[1]; {
	case base != 0:
		return widest / math.Abs(base)
	case math.Abs(head) <= widest:
		return math.Inf(1)
	}
	return 0
}

// Benchmarks implements [gate.Source]. If a run did not come to its end, it is not known
// which cells only one side has: all are among both, and so is the machine as a whole, of
// which there is no round.
func (s *Simulated) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	for _, r := range s.runs {
		for side, order := range r.order {
			for _, b := range order {
				switch there := r.records[1-side][b] != nil; {
				case there && side == 1: // has been added
				case there || !r.whole:
					both = append(both, b)
				case side == 0:
					onlyBase = append(onlyBase, b)
				default:
					onlyHead = append(onlyHead, b)
				}
			}
		}
		if !r.whole {
			both = append(both, gate.Benchmark{Pkg: r.machine})
		}
	}
	return both, onlyBase, onlyHead
}

// Round implements [gate.Source]: all rounds of each of the benchmarks.
func (s *Simulated) Round(_ context.Context, of []gate.Benchmark) (rounds []gate.Round, err error) {
	for _, b := range of {
		if s.given[b] {
			continue
		}
		s.given[b] = true
		for _, r := range s.runs {
			base, head := r.records[0][b], r.records[1][b]
			for k := range r.rounds(b) {
				round := gate.Round{Benchmark: b, Number: k + 1}
				for i, rec := range []results.Record{base[k], head[k]} {
					round.Readings[sides[i]] = &gate.Reading{Build: 1, Values: rec.Values}
				}
				rounds = append(rounds, round)
			}
		}
	}
	if len(rounds) == 0 {
		return nil, io.EOF
	}
	return rounds, nil
}

// Unchanged implements [gate.Source].
func (s *Simulated) Unchanged() []gate.Unchanged { return s.unchanged }

// Cost implements [gate.Source].
func (s *Simulated) Cost(gate.Benchmark) time.Duration { return 0 }

// Apart implements [gate.Source].
func (s *Simulated) Apart() time.Duration { return 0 }

// Better implements [gate.Source].
func (s *Simulated) Better(unit string) int { return results.Better(unit) }

// Exact implements [gate.Source]: nothing varies.
func (s *Simulated) Exact(gate.Benchmark, string) (tolerance float64, exact bool) { return 0, true }

// Sides returns what was compared, as [Source.Sides].
func (s *Simulated) Sides() (base, head string) { return s.base, s.head }

// Warnings returns what a reader of the verdict should know.
func (s *Simulated) Warnings() []string { return s.warnings }

// Problems returns why cells are missing, unless the context ended.
func (s *Simulated) Problems() []string { return s.problems }

// Ended reports whether the context ended before the last run did.
func (s *Simulated) Ended() bool { return s.ended }

// Took returns how long all took.
func (s *Simulated) Took() time.Duration { return s.took }

// Files returns what the sides have written.
func (s *Simulated) Files() (files []ResultsFile) {
	for _, r := range s.runs {
		for side, text := range r.texts {
			if len(text) > 0 {
				files = append(files, ResultsFile{fmt.Sprintf("%v-%s.txt", sides[side], strings.ReplaceAll(r.machine, "/", "-")), text})
			}
		}
	}
	return files
}
