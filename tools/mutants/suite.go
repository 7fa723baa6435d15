package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"
)

// A suite is a package with all its mutants, compiled with its tests.
type suite struct {
	name          string
	woven         woven
	model, native program
	dir           string // of what was made; close removes it
}

// A program is the tests of a woven package, compiled.
type program struct {
	path, dir string
	flags     []string
	tests     []test // those that pass with no mutant on
	broken    []test // those that do not, for what is woven in is too slow or too large for them
}

// A test is one of a program's.
type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool // mutants
}

// load returns the syntax and types of some of our packages.
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
func newSuite(ctx context.Context, root, name string, pkg *packages.Package, say func(string, ...any)) (*suite, error) {
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
		if err := p.measure(ctx, p == &s.model, s.woven.mutants[len(s.woven.mutants)-1].id); err != nil {
			s.close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, t := range p.broken {
			say("%s: %s fails with no mutant on, and is not used", name, t.name)
		}
	}
	return s, nil
}

func (s *suite) close() { os.RemoveAll(s.dir) }

// compile builds both programs. A mutant that does not compile is left out, and
// the rest built again.
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

// blamed returns the mutants that stand last before what the compiler does not
// like.
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

// command runs some tests of the program with a mutant on. What takes more memory
// than any of them needs is ended, before the machine is.
func (p *program) command(ctx context.Context, id int, names string, args ...string) *exec.Cmd {
	args = append([]string{"-c", `ulimit -v 12000000; exec "$0" "$@"`, p.path, "-test.run=" + names, "-test.short", "-test.failfast"},
		append(args, p.flags...)...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "LOCKBENCH_MUTANT="+strconv.Itoa(id))
	cmd.WaitDelay = time.Second
	return cmd
}

// measure runs each test alone, with no mutant on. most is the largest number that
// a mutant has.
func (p *program) measure(ctx context.Context, model bool, most int) error {
	// What a mutant makes rapid find is not to be kept in the package's testdata.
	const keepNothing = "-rapid.nofailfile"
	if p.command(ctx, 0, "none", keepNothing).Run() == nil {
		p.flags = append(p.flags, keepNothing)
	}
	out, err := p.command(ctx, 0, "none", "-test.list=.").Output()
	if err != nil {
		return fmt.Errorf("listing the tests: %w", err)
	}
	reached := p.path + ".reached"
	for name := range strings.FieldsSeq(string(out)) {
		if !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Example") || model != strings.HasPrefix(name, "TestModel") {
			continue
		}
		if err := os.WriteFile(reached, make([]byte, most+1), 0o666); err != nil {
			return err
		}
		began := time.Now()
		cmd := p.command(ctx, 0, "^"+name+"$", "-test.timeout=5m")
		cmd.Env = append(cmd.Env, "LOCKBENCH_MUTANT_REACHED="+reached)
		err := cmd.Run()
		t := test{name: name, took: time.Since(began), reaches: make(map[int]bool)}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.broken = append(p.broken, t)
			continue
		}
		met, err := os.ReadFile(reached)
		if err != nil {
			return err
		}
		for id, b := range met {
			if b != 0 {
				t.reaches[id] = true
			}
		}
		p.tests = append(p.tests, t)
	}
	if len(p.tests) == 0 {
		return errors.New("no test passes with no mutant on")
	}
	return nil
}

// Outcomes of a mutant.
const (
	uncompiled   = ""         // there is no such program
	killedModel  = "model"    // a model test fails
	killedNative = "native"   // an ordinary test fails
	killedHang   = "hang"     // an ordinary test hangs
	endless      = "endless"  // no test fails, and the model tests do not end in time
	survived     = "survived" // no test fails
	unreached    = "unreached"
)

// slack is how much longer than five times as long as without a mutant tests may
// take with one.
var slack = 20 * time.Second

// An outcome is what became of a mutant.
type outcome struct {
	how string
	by  string // the test that failed or hung
}

func (o outcome) lives() bool { return o.how == survived || o.how == unreached }

// try runs the tests that reach a mutant.
func (s *suite) try(ctx context.Context, m mutant) (outcome, error) {
	last := outcome{how: unreached}
	for _, p := range []*program{&s.model, &s.native} {
		names, limit := p.reaching(m.id)
		if names == "" {
			continue
		}
		out, ended, err := p.run(ctx, m.id, names, limit)
		if ctx.Err() != nil {
			return outcome{}, ctx.Err()
		}
		switch {
		case err == nil && last.how == unreached:
			last = outcome{how: survived}
		case err == nil:
		case ended && p == &s.model:
			return outcome{killedModel, failed(out)}, nil
		case ended:
			return outcome{killedNative, failed(out)}, nil
		case p == &s.native:
			return outcome{killedHang, failed(out)}, nil
		default:
			last = outcome{endless, failed(out)}
		}
	}
	return last, nil
}

// reaching returns an expression for the tests that reach a mutant, and how long
// they may take together.
func (p *program) reaching(id int) (names string, limit time.Duration) {
	var list []string
	for _, t := range p.tests {
		if t.reaches[id] {
			list = append(list, t.name)
			limit += t.took
		}
	}
	if len(list) == 0 {
		return "", 0
	}
	return "^(" + strings.Join(list, "|") + ")$", slack + 5*limit
}

// run runs tests with a mutant on, and reports whether they ended in time.
func (p *program) run(ctx context.Context, id int, names string, limit time.Duration) (out []byte, ended bool, err error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err = p.command(limited, id, names, "-test.timeout=0", "-test.v").CombinedOutput()
	return out, limited.Err() == nil, err
}

var (
	failLine = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)
	runLine  = regexp.MustCompile(`(?m)^=== RUN\s+([^/\s]+)$`)
)

// failed returns the test that failed, or else the one that began last.
func failed(out []byte) string {
	if m := failLine.FindSubmatch(out); m != nil {
		return string(m[1])
	}
	if all := runLine.FindAllSubmatch(out, -1); len(all) > 0 {
		return string(all[len(all)-1][1])
	}
	return ""
}
