package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/packages"
)

// A suite is a package with all its mutants, compiled with its tests.
type suite struct {
	name          string
	woven         woven
	model, native program
	dir           string // the directory of all files made; close removes it
}

// A program is the tests of a woven package, compiled.
type program struct {
	path, dir string
	flags     []string
	tests     []test   // those that pass with no mutant on, the cheapest first
	unused    []string // names of the others, which fail or take too long
}

// A test is a test of a program, or a subtest without subtests.
type test struct {
	name    string
	cpu     time.Duration // of all CPUs
	wall    time.Duration
	reaches map[int]bool // mutants
}

// load returns the syntax and types of some packages of this module.
func load(ctx context.Context, root string, names []string) (map[string]*packages.Package, error) {
	var patterns []string
	for _, name := range names {
		patterns = append(patterns, "./"+name)
	}
	const need = packages.NeedName | packages.NeedCompiledGoFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo |
		packages.NeedImports | packages.NeedDeps
	found, err := packages.Load(&packages.Config{Context: ctx, Mode: need, Dir: root}, patterns...)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]*packages.Package)
	for _, pkg := range found {
		for _, err := range pkg.Errors {
			return nil, err
		}
		for _, name := range names {
			if strings.HasSuffix(pkg.PkgPath, "/lockbench/"+name) {
				byName[name] = pkg
			}
		}
	}
	return byName, nil
}

// sources reads the files of a package.
func sources(pkg *packages.Package) (map[string][]byte, error) {
	texts := make(map[string][]byte)
	for _, file := range pkg.CompiledGoFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		texts[file] = text
	}
	return texts, nil
}

// newSuite weaves and compiles a package, and runs its tests with no mutant on.
func newSuite(ctx context.Context, root, name string, pkg *packages.Package, jobs int, say func(string, ...any)) (*suite, error) {
	texts, err := sources(pkg)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	s := &suite{name: name, dir: dir}
	if err := s.compile(ctx, root, pkg, texts); err != nil {
		s.close()
		return nil, err
	}
	for _, p := range []*program{&s.model, &s.native} {
		if err := p.measure(ctx, jobs, p == &s.model, s.woven.mutants[len(s.woven.mutants)-1].id); err != nil {
			s.close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, test := range p.unused {
			say("%s: %s fails with no mutant on, or takes more than %v, and is not used", name, test, longest)
		}
	}
	return s, nil
}

func (s *suite) close() { os.RemoveAll(s.dir) }

// compile builds both programs. A mutant that does not compile is left out, and the
// others are built again.
func (s *suite) compile(ctx context.Context, root string, pkg *packages.Package, texts map[string][]byte) error {
	skip := make(map[int]bool)
	for {
		s.woven = weave(pkg, s.name, texts, skip)
		overlay, err := s.overlay()
		if err != nil {
			return err
		}
		out, err := goTest(ctx, root, s.name, filepath.Join(s.dir, "model.test"), "-overlay", overlay, "-tags", "virtual")
		if err == nil {
			out, err = goTest(ctx, root, s.name, filepath.Join(s.dir, "native.test"), "-overlay", overlay)
		}
		if err == nil {
			break
		}
		before := len(skip)
		for _, id := range blamed(out, s.woven.files) {
			skip[id] = true
		}
		if len(skip) == before || ctx.Err() != nil {
			return fmt.Errorf("%s with its mutants does not compile: %w\n%s", s.name, err, out)
		}
	}
	kept := s.woven.mutants[:0]
	for _, m := range s.woven.mutants {
		if !skip[m.id] {
			kept = append(kept, m)
		}
	}
	s.woven.mutants = kept
	s.model = program{path: filepath.Join(s.dir, "model.test"), dir: filepath.Join(root, s.name)}
	s.native = program{path: filepath.Join(s.dir, "native.test"), dir: filepath.Join(root, s.name)}
	return nil
}

func (s *suite) overlay() (file string, err error) {
	replace := make(map[string]string)
	for path, text := range s.woven.files {
		replace[path] = filepath.Join(s.dir, filepath.Base(path))
		if err := os.WriteFile(replace[path], text, 0o666); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file = filepath.Join(s.dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o666)
}

func goTest(ctx context.Context, root, pkg, program string, flags ...string) (out []byte, err error) {
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-gcflags=-e", "-o", program}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir = root
	return cmd.CombinedOutput()
}

var (
	compilerSays = regexp.MustCompile(`(?m)^(\S+\.go):(\d+):(\d+): `)
	wovenIn      = regexp.MustCompile(`mutant(?:On|Pick|Int)(?:\[\w+\])?\((\d+)`)
)

// blamed returns the mutants that come last before the compiler's errors.
func blamed(out []byte, files map[string][]byte) (ids []int) {
	for _, m := range compilerSays.FindAllSubmatch(out, -1) {
		line, _ := strconv.Atoi(string(m[2]))
		col, _ := strconv.Atoi(string(m[3]))
		for path, text := range files {
			if filepath.Base(path) != filepath.Base(string(m[1])) {
				continue
			}
			at := 0
			for range line - 1 {
				at += bytes.IndexByte(text[at:], '\n') + 1
			}
			before := wovenIn.FindAllSubmatch(text[:min(at+col, len(text))], -1)
			if len(before) > 0 {
				id, _ := strconv.Atoi(string(before[len(before)-1][1]))
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// longest is how much CPU time a test without subtests may take with no mutant on. A
// test that takes longer is not used, because it would be run once for each survivor.
const longest = 15 * time.Second

// A limit is how long tests may take.
type limit struct{ cpu, wall time.Duration }

// A result is how tests ended.
type result struct {
	out       []byte
	ended     bool // in time
	failed    bool
	cpu, wall time.Duration
}

// run runs some tests with a mutant on. A process that takes more memory than any of
// the tests needs is ended, before the machine runs out of it.
//
// The limit that matters is of CPU time, which is the same on a busy machine. A test
// that spins reaches it; one that is parked and takes no CPU time is ended, too.
func (p *program) run(ctx context.Context, id int, pattern string, most limit, env ...string) (result, error) {
	limited, cancel := context.WithTimeout(ctx, most.wall)
	defer cancel()
	const script = `ulimit -v 12000000; ulimit -t "$0"; exec "$@"`
	args := []string{"-c", script, strconv.Itoa(int(most.cpu.Seconds()) + 1), p.path,
		"-test.run=" + pattern, "-test.short", "-test.failfast", "-test.timeout=0", "-test.v"}
	cmd := exec.CommandContext(limited, "sh", append(args, p.flags...)...)
	cmd.Dir = p.dir
	cmd.Env = append(append(os.Environ(), "LOCKBENCH_MUTANT="+strconv.Itoa(id)), env...)
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	go endIdle(limited, cmd.Process.Pid, cancel)
	err := cmd.Wait()
	if ctx.Err() != nil {
		return result{}, ctx.Err()
	}
	return result{
		out: out.Bytes(), ended: cmd.ProcessState.Exited(), failed: err != nil,
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall: time.Since(began),
	}, nil
}

// endIdle calls end when a process has taken almost no CPU time for 10 s, three times
// in a row: once could be because the machine was stopped. It works only on Linux.
func endIdle(ctx context.Context, pid int, end func()) {
	const look, least = 10 * time.Second, 50 * time.Millisecond
	idle := 0
	for last := time.Duration(0); idle < 3; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(look):
		}
		used, ok := cpuTime(pid)
		if idle++; !ok || used-last >= least {
			idle = 0
		}
		last = used
	}
	end()
}

// cpuTime returns how much CPU time a process has taken.
func cpuTime(pid int) (used time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	const tick = 10 * time.Millisecond
	_, rest, _ := bytes.Cut(text, []byte(") ")) // the name may have spaces
	fields := bytes.Fields(rest)
	if len(fields) < 13 {
		return 0, false
	}
	for _, f := range fields[11:13] { // user and system
		n, err := strconv.Atoi(string(f))
		if err != nil {
			return 0, false
		}
		used += time.Duration(n) * tick
	}
	return used, true
}

// measure runs each test alone, with no mutant on. most is the largest number of a
// mutant.
func (p *program) measure(ctx context.Context, jobs int, model bool, most int) error {
	// Failures that rapid finds must not be kept in the package's testdata, and must be
	// the same each time.
	p.flags = []string{"-rapid.nofailfile", "-rapid.seed=1"}
	if r, err := p.run(ctx, 0, "^$", limit{longest, 50 * longest}); err != nil {
		return err
	} else if r.failed {
		p.flags = nil
	}
	out, err := exec.CommandContext(ctx, p.path, "-test.list=.").Output()
	if err != nil {
		return fmt.Errorf("listing the tests: %w", err)
	}
	var names, parts []string
	for name := range strings.FieldsSeq(string(out)) {
		if (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Example")) && model == strings.HasPrefix(name, "TestModel") {
			names = append(names, name)
		}
	}
	runs, err := p.alone(ctx, jobs, names, most, 3*longest)
	if err != nil {
		return err
	}
	for i, name := range names {
		r := runs[i]
		leaves := leaves(r.out)
		parts = append(parts, leaves...)
		switch {
		case len(leaves) > 0 && r.failed:
			p.unused = append(p.unused, "a subtest of "+name)
		case len(leaves) > 0:
		case r.failed || r.cpu > longest:
			p.unused = append(p.unused, name)
		default:
			p.tests = append(p.tests, r.test)
		}
	}
	if runs, err = p.alone(ctx, jobs, parts, most, longest); err != nil {
		return err
	}
	for _, r := range runs {
		if r.failed {
			p.unused = append(p.unused, r.name)
		} else {
			p.tests = append(p.tests, r.test)
		}
	}
	if len(p.tests) == 0 {
		return errors.New("no test passes with no mutant on")
	}
	slices.SortStableFunc(p.tests, func(a, b test) int { return cmp.Compare(a.cpu, b.cpu) })
	return nil
}

// A trial says how a test ended with no mutant on.
type trial struct {
	test
	failed bool
	out    []byte
}

// alone runs tests with no mutant on, each by itself and with a limit.
func (p *program) alone(ctx context.Context, jobs int, names []string, most int, cpu time.Duration) ([]trial, error) {
	trials, errs := make([]trial, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	turn := make(chan bool, jobs)
	for i, name := range names {
		turn <- true
		wg.Go(func() {
			defer func() { <-turn }()
			trials[i], errs[i] = p.trial(ctx, name, fmt.Sprintf("%s.reached%d", p.path, i), most, cpu)
		})
	}
	wg.Wait()
	return trials, errors.Join(errs...)
}

// trial runs one test with no mutant on, which notes in a file which mutants it
// reaches.
func (p *program) trial(ctx context.Context, name, reached string, most int, cpu time.Duration) (trial, error) {
	if err := os.WriteFile(reached, make([]byte, most+1), 0o666); err != nil {
		return trial{}, err
	}
	defer os.Remove(reached)
	r, err := p.run(ctx, 0, pattern(name), limit{cpu, 50 * cpu}, "LOCKBENCH_MUTANT_REACHED="+reached)
	if err != nil {
		return trial{}, err
	}
	met, err := os.ReadFile(reached)
	if err != nil {
		return trial{}, err
	}
	t := test{name: name, cpu: r.cpu, wall: r.wall, reaches: make(map[int]bool)}
	for id, b := range met {
		if b != 0 {
			t.reaches[id] = true
		}
	}
	return trial{t, r.failed, r.out}, nil
}

// leaves returns the subtests that passed and have no subtests.
func leaves(out []byte) (names []string) {
	for _, m := range passLine.FindAllSubmatch(out, -1) {
		names = append(names, string(m[1]))
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return !strings.Contains(name, "/") || slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, name+"/") })
	})
}

// pattern returns an expression for -test.run that matches one test.
func pattern(name string) string {
	elems := strings.Split(name, "/")
	for i, elem := range elems {
		elems[i] = "^" + regexp.QuoteMeta(elem) + "$"
	}
	return strings.Join(elems, "/")
}

// Outcomes of a mutant.
const (
	uncompiled   = ""         // there is no such program
	killedModel  = "model"    // a model test fails
	killedNative = "native"   // an ordinary test fails
	killedHang   = "hang"     // an ordinary test hangs
	endless      = "endless"  // no test fails, and a model test does not end in time
	survived     = "survived" // no test fails
	unreached    = "unreached"
)

// slack is how much CPU time tests may take with a mutant, beyond five times as much as
// without one.
var slack = 10 * time.Second

// An outcome is the result for a mutant.
type outcome struct {
	how string
	by  string // the test that failed or hung
}

func (o outcome) lives() bool { return o.how == survived || o.how == unreached }

// try runs the tests that reach a mutant.
func (s *suite) try(ctx context.Context, m mutant) (outcome, error) {
	last, tooLong := outcome{how: unreached}, 0
	for _, p := range []*program{&s.model, &s.native} {
		for _, b := range p.reaching(m.id) {
			r, err := p.run(ctx, m.id, b.pattern, b.limit())
			switch {
			case err != nil:
				return outcome{}, err
			case !r.failed && last.how == unreached:
				last = outcome{how: survived}
			case !r.failed:
			case r.ended && p == &s.model:
				return outcome{killedModel, failed(r.out)}, nil
			case r.ended:
				return outcome{killedNative, failed(r.out)}, nil
			case p == &s.native:
				return outcome{killedHang, failed(r.out)}, nil
			default:
				last = outcome{endless, failed(r.out)}
			}
			if last.how == endless && p == &s.model {
				if tooLong++; tooLong == 2 {
					break // the others would take long, too
				}
			}
		}
	}
	return last, nil
}

// A batch is tests that are run together.
type batch struct {
	pattern   string
	cpu, wall time.Duration
}

func (b batch) limit() limit {
	cpu := slack + 5*b.cpu
	return limit{cpu, 50*cpu + 5*b.wall}
}

// atOnce is how much CPU time the tests of a batch take together, unless a single test
// takes more.
const atOnce = time.Second

// reaching returns the tests that reach a mutant, in batches, the cheapest first:
// most mutants fail in the first.
func (p *program) reaching(id int) (batches []batch) {
	for _, t := range p.tests {
		if !t.reaches[id] {
			continue
		}
		if n := len(batches); n > 0 && batches[n-1].cpu+t.cpu <= atOnce {
			b := &batches[n-1]
			*b = batch{b.pattern + "|" + pattern(t.name), b.cpu + t.cpu, b.wall + t.wall}
		} else {
			batches = append(batches, batch{pattern(t.name), t.cpu, t.wall})
		}
	}
	return batches
}

var (
	failLine = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)
	passLine = regexp.MustCompile(`(?m)^ *--- PASS: (\S+)`)
	runLine  = regexp.MustCompile(`(?m)^=== RUN\s+(\S+)$`)
)

// failed returns the test that failed, or otherwise the one that began last.
func failed(out []byte) string {
	for _, line := range []*regexp.Regexp{failLine, runLine} { // a test is listed before its subtests
		if all := line.FindAllSubmatch(out, -1); len(all) > 0 {
			return string(all[len(all)-1][1])
		}
	}
	return ""
}
