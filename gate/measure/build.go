package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/gate"
)

// A BuildError is a package of one side that cannot be built. Several of them
// are joined, as by [errors.Join].
type BuildError struct {
	Side   gate.Side // which was to be built
	Pkg    string    // import path, or the patterns if the error is about all of them
	Output string    // what the go command printed
}

// Error says what does not build, and what the go command printed, on several lines.
func (e *BuildError) Error() string {
	return fmt.Sprintf("%v does not build: %s\n%s", e.Side, e.Pkg, indent(e.Output))
}

// A pkg is a package that at least one side has.
type pkg struct {
	key   string      // its place in the tree, the same on both sides
	sides [2]*sidePkg // nil if a side does not have it
	pairs []*binaries // in order; nil if no benchmark needs them any more
}

// A sidePkg is a package as a side has it.
type sidePkg struct {
	path      string // import path
	dir       string
	files     []string // Go files, those of tests included
	functions []string // benchmarks that are run
	skip      []string // those that never are, for -test.skip
}

// path returns the import path for reports: the head's, if it has the package.
func (p *pkg) path() string {
	if p.sides[1] != nil {
		return p.sides[1].path
	}
	return p.sides[0].path
}

// binaries are the test binaries of both sides of a package, linked with one seed:
// functions that both sides have are in the same order.
type binaries struct {
	build int       // their number in the package, from 1
	files [2]string // "" where a side does not have the package
}

// flags returns the flags that go list and go test -c share.
func (c *Config) flags() []string {
	flags := slices.DeleteFunc(slices.Clone(c.BuildFlags), isLdflags)
	if c.Tags != "" {
		flags = append(flags, "-tags="+c.Tags)
	}
	return flags
}

var ldflags = regexp.MustCompile(`^--?ldflags=`)

func isLdflags(flag string) bool { return ldflags.MatchString(flag) }

// findPackages returns the packages that may have selected benchmarks, judging by the
// names of functions in test files.
func (s *Source) findPackages(ctx context.Context) ([]*pkg, error) {
	first, err := topLevel(s.c.Bench)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*pkg)
	absent := make(map[string][]error)
	var all []*pkg
	var wrong error
	for side, t := range s.trees {
		listed, err := s.list(ctx, t)
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		for i := range listed {
			l := &listed[i]
			key := l.ImportPath
			if rel, err := filepath.Rel(t.root, l.Dir); err == nil && filepath.IsLocal(rel) {
				key = "./" + filepath.ToSlash(rel)
			}
			tests := slices.Concat(l.TestGoFiles, l.XTestGoFiles)
			if l.Error != nil && len(tests) == 0 && len(l.GoFiles) == 0 {
				absent[key] = append(absent[key], &BuildError{t.side, l.ImportPath, l.Error.Err})
				continue
			}
			has, err := s.mayHave(l, tests, first)
			if err != nil {
				wrong = errors.Join(wrong, err)
			}
			if !has {
				continue
			}
			if l.Error != nil {
				wrong = errors.Join(wrong, &BuildError{t.side, l.ImportPath, l.Error.Err})
				continue
			}
			p := found[key]
			if p == nil {
				p = &pkg{key: key}
				found[key] = p
				all = append(all, p)
			}
			p.sides[side] = &sidePkg{path: l.ImportPath, dir: l.Dir, files: slices.Concat(l.inDir(l.GoFiles), l.inDir(l.CgoFiles), l.inDir(tests)), functions: l.functions, skip: l.skip}
		}
	}
	for _, errs := range absent {
		if len(errs) == 2 { // a package that is new, or removed, is no error
			wrong = errors.Join(wrong, errors.Join(errs...))
		}
	}
	return all, wrong
}

// A listed is a package as go list prints it.
type listed struct {
	ImportPath, Dir                              string
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles []string
	Error                                        *struct{ Err string }

	functions []string // benchmarks that are run
	skip      []string // those that never are
}

// inDir returns where files of the package are.
func (l *listed) inDir(names []string) []string {
	paths := slices.Clone(names)
	for i, name := range paths {
		if !filepath.IsAbs(name) {
			paths[i] = filepath.Join(l.Dir, name)
		}
	}
	return paths
}

func (s *Source) list(ctx context.Context, t *tree) ([]listed, error) {
	args := slices.Concat([]string{"list", "-e", "-json=ImportPath,Dir,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Error"}, s.c.flags(), []string{"--"}, s.c.Packages)
	out, err := s.goCommand(ctx, t, args...)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &BuildError{t.side, strings.Join(s.c.Packages, " "), err.Error()}
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		switch err := d.Decode(&l); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("%v: go list: %w", t.side, err)
		}
		all = append(all, l)
	}
}

// mayHave reports whether test files declare a benchmark that one of the expressions
// matches and that is run. It notes in l which are run and which are not.
func (s *Source) mayHave(l *listed, tests []string, first []*regexp.Regexp) (has bool, err error) {
	for _, name := range l.inDir(tests) {
		src, err := os.ReadFile(name)
		if err != nil {
			return false, err
		}
		for _, m := range declaration.FindAllSubmatch(src, -1) {
			switch function := string(m[1]); {
			case !slices.ContainsFunc(first, func(re *regexp.Regexp) bool { return re.MatchString(function) }):
			case s.c.passesOver(l.ImportPath, function):
				l.skip = append(l.skip, exactly(function))
			default:
				l.functions = append(l.functions, function)
			}
		}
	}
	return len(l.functions) > 0, nil
}

var declaration = regexp.MustCompile(`(?m)^func\s+(Benchmark[\pL\pN_]*)\s*\(`)

// fill makes pairs of binaries for packages, up to the n'th.
func (s *Source) fill(ctx context.Context, of []*pkg, n int) error {
	var links []*link
	made := make(map[*pkg][]*binaries)
	for _, p := range of {
		for build := len(p.pairs) + 1; build <= n; build++ {
			b := &binaries{build: build}
			made[p] = append(made[p], b)
			for i, side := range p.sides {
				if side == nil {
					continue
				}
				s.built++
				// The names have the same length, because they are among a process's
				// arguments, above its stack.
				b.files[i] = filepath.Join(s.dir, "bin", fmt.Sprintf("%06d.test", s.built))
				if runtime.GOOS == "windows" {
					b.files[i] += ".exe"
				}
				links = append(links, &link{p: p, tree: s.trees[i], file: b.files[i], seed: s.layout(p, build)})
			}
		}
	}
	if err := s.build(ctx, links); err != nil {
		return err
	}
	for p, pairs := range made {
		p.pairs = append(p.pairs, pairs...)
	}
	return nil
}

// layout returns the seed of a pair of binaries, for the linker. It does not depend on
// what else was built.
func (s *Source) layout(p *pkg, build int) int64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%d", p.key, build)
	return 1 + rand.New(rand.NewPCG(s.c.Seed, h.Sum64())).Int64N(1<<31-1)
}

// drop removes the binaries of p that none of its benchmarks needs any more.
func (s *Source) drop(p *pkg) {
	oldest := len(p.pairs)
	for _, c := range s.cells {
		if c.p == p && c.failed == nil {
			oldest = min(oldest, c.pairs/gate.PairsPerBuild)
		}
	}
	for i, b := range p.pairs[:oldest] {
		if b != nil {
			for _, file := range b.files {
				os.Remove(file)
			}
			p.pairs[i] = nil
		}
	}
}

// A link is a binary to be made.
type link struct {
	p    *pkg
	tree *tree
	file string
	seed int64
	bare bool // without anything that says where it was built, and when
}

// build makes binaries, several at a time. The error joins all errors.
func (s *Source) build(ctx context.Context, links []*link) error {
	began := time.Now()
	defer func() { s.apart += time.Since(began) }()
	errs := make([]error, len(links))
	one := func(i int) { errs[i] = s.link(ctx, links[i]) }
	if len(links) > 0 {
		one(0) // compiles what all of them share, once
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i := 1; i < len(links) && ctx.Err() == nil; i++ {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			one(i)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(firsts(errs)...)
}

// firsts keeps one error for each package of a side.
func firsts(errs []error) []error {
	type key struct {
		side gate.Side
		pkg  string
	}
	seen := make(map[key]bool)
	return slices.DeleteFunc(errs, func(err error) bool {
		b, ok := err.(*BuildError)
		if !ok {
			return err == nil
		}
		k := key{b.Side, b.Pkg}
		defer func() { seen[k] = true }()
		return seen[k]
	})
}

func (s *Source) link(ctx context.Context, l *link) error {
	p := l.p.sides[which(l.tree.side)]
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fixed := s.fixedLayout[which(l.tree.side)].Load()
		linker := []string{"-w"} // no DWARF: it is not read here and takes time
		for _, f := range s.c.BuildFlags {
			if isLdflags(f) {
				linker = append(linker, ldflags.ReplaceAllString(f, ""))
			}
		}
		if !fixed {
			linker = append(linker, fmt.Sprintf("-randlayout=%d", l.seed))
		}
		flags := s.c.flags()
		if l.tree.side == gate.Head {
			flags = slices.Concat(flags, s.c.HeadFlags)
		}
		if l.bare {
			flags = append(flags, "-trimpath", "-buildvcs=false")
			linker = append(linker, "-buildid=")
		}
		args := slices.Concat([]string{"test", "-c", "-o", l.file}, flags, []string{"-ldflags=" + strings.Join(linker, " "), p.path})
		_, err := s.goCommand(ctx, l.tree, args...)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			if _, err := os.Stat(l.file); err != nil {
				return &BuildError{l.tree.side, p.path, "the go command made no binary"}
			}
			return nil
		case !fixed && strings.Contains(err.Error(), "-randlayout"):
			s.fixedLayout[which(l.tree.side)].Store(true)
			s.warn("%v: the linker of %s knows no -randlayout: layout is not randomised, so a change of it may look like a change of the code", l.tree.side, l.tree.goVers)
		default:
			return &BuildError{l.tree.side, p.path, err.Error()}
		}
	}
}

// goCommand runs the go command in the directory of a side. The error has what it
// printed.
func (s *Source) goCommand(ctx context.Context, t *tree, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = t.module
	cmd.Env = s.c.environ(append(t.env, "PWD="+t.module, "GOTMPDIR="+s.temp)...)
	killable(cmd)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = err.Error()
		}
		return nil, errors.New(said)
	}
	return stdout.Bytes(), nil
}

func indent(text string) string {
	return "\t" + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n\t")
}
