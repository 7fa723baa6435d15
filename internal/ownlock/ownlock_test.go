package ownlock

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPaths(t *testing.T) {
	for arg, name := range map[string]string{
		"./mypkg.MyLock":             "mypkg.MyLock",
		".MyLock":                    "MyLock",
		"./.MyLock":                  "MyLock",
		"../../other/pkg.L":          "other.pkg.L",
		"/home/me/pkg.L":             "home.me.pkg.L",
		"example.com/mod/pkg.v2.Typ": "example.com.mod.pkg.v2.Typ",
		"./a/internal/b.Spin":        "a.internal.b.Spin",
	} {
		if !IsPath(arg) {
			t.Errorf("IsPath(%q) = false, want true", arg)
		}
		if got := Name(arg); got != name {
			t.Errorf("Name(%q) = %q, want %q", arg, got, name)
		}
	}
	for _, name := range []string{"ticket", "sync.Mutex", "!*-pinned", "xsync.RBMutex", "ticket*"} {
		if IsPath(name) {
			t.Errorf("IsPath(%q) = true, want false", name)
		}
	}
}

// A tree is files by name; write puts them below dir.
type tree map[string]string

func (files tree) write(t *testing.T, dir string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

const goodLock = `package p

import "sync"

type Good struct{ sync.Mutex }
`

// Each of these is refused with a reason, all of them at once.
func TestFindRefuses(t *testing.T) {
	dir := t.TempDir()
	tree{
		"m/go.mod": "module example.com/m\n\ngo 1.24\n",
		"m/p/good.go": goodLock + `
type Half struct{}

func (Half) Lock() {}

type Ctx struct{}

func (*Ctx) Lock(n int) {}
func (*Ctx) Unlock()    {}

type hidden struct{ Good }

type Gen[T any] struct{ Good }

type Iface interface{ sync.Locker }

const Const = 1
`,
		"m/bad/bad.go":   "package bad\n\nfunc f() int { return \"x\" }\n\nvar y = z\n",
		"m/prog/prog.go": "package main\n\nimport \"sync\"\n\ntype L struct{ sync.Mutex }\n\nfunc main() {}\n",
		"none/p.go":      goodLock,
	}.write(t, dir)
	locks := map[string][]string{ // the error for each
		"./p.Godo":             {"no type Godo in package example.com/m/p (locks there: Good)"},
		"./p.Const":            {"no type Const"},
		"./p.Half":             {"type Half is not a sync.Locker: it has no method Unlock (locks there: Good)"},
		"./p.Ctx":              {"its method Lock is func(n int), want func()"},
		"./p.hidden":           {"type hidden is not exported"},
		"./p.Gen":              {"has type parameters: want one without, such as an alias: type MyLock = Gen[int]"},
		"./p.Iface":            {"is an interface"},
		"./bad.L":              {"package example.com/m/bad:\n\t", "bad.go:3:23: cannot use \"x\"", "bad.go:5:9: undefined: z"},
		"./prog.L":             {"package example.com/m/prog is a program"},
		"./nowhere.L":          {"no directory "},
		"../none.Good":         {"is in no Go module: want a go.mod there, or above"},
		"./p":                  {"want a directory or an import path, a dot, and the name of a type"},
		"..":                   {"want a directory or an import path, a dot, and the name of a type"},
		"..L":                  {"want a directory or an import path, a dot, and the name of a type"},
		"./p.":                 {"want a directory or an import path, a dot, and the name of a type"},
		"example.com/absent.L": {"package example.com/absent:\n\t", "no required module provides package example.com/absent"},
		"container/list.List":  {"it has no method Lock, it has no method Unlock"},
	}
	args := slices.Sorted(maps.Keys(locks))
	found, err := Find(t.Context(), filepath.Join(dir, "m"), append(args, "./p.Good"))
	if len(found) != 1 || found[0].Arg != "./p.Good" || found[0].Pkg != "example.com/m/p" {
		t.Errorf("found %+v, want ./p.Good alone", found)
	}
	errs, ok := err.(interface{ Unwrap() []error })
	if !ok || len(errs.Unwrap()) != len(args) {
		t.Fatalf("want %d errors, have: %v", len(args), err)
	}
	for i, err := range errs.Unwrap() {
		for _, want := range append(locks[args[i]], "lock \""+args[i]+"\": ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", args[i], err, want)
			}
		}
		if n := strings.Count(err.Error(), "undefined: z"); n > 1 {
			t.Errorf("%s: reports the undefined name %d times: %v", args[i], n, err)
		}
	}
}

// A program has the locks of several modules: with a replacement in a go.mod, in a
// go.work, in a package that is internal twice, in one that is not compiled until
// it is made with a constructor. It finds the one that is broken.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command")
	}
	dir := t.TempDir()
	tree{
		"m/go.mod":   "module example.com/m\n\ngo 1.24\n\nrequire example.com/dep v1.2.3\n\nreplace example.com/dep => ../dep\n",
		"dep/go.mod": "module example.com/dep\n",
		"dep/dep.go": "package dep\n\nimport \"sync\"\n\ntype Base = sync.Mutex\n",
		"m/l.go":     "package m\n\nimport \"example.com/dep\"\n\ntype Lock struct{ dep.Base }\n",
		"m/internal/a/internal/b/l.go": `package b

import "sync/atomic"

// A Spin must be made by NewSpin, may be held pinned, and has its state told.
type Spin struct {
	made bool
	n    atomic.Int32
}

func NewSpin(options ...int) *Spin { return &Spin{made: true} }

func (l *Spin) Lock() {
	if !l.made {
		panic("not made")
	}
	for !l.n.CompareAndSwap(0, 1) {
	}
}
func (l *Spin) TryLock() bool       { return l.made && l.n.CompareAndSwap(0, 1) }
func (l *Spin) Unlock()             { l.n.Store(0) }
func (l *Spin) LockPinned()         { l.Lock() }
func (l *Spin) TryLockPinned() bool { return l.TryLock() }
func (l *Spin) UnlockPinned()       { l.Unlock() }
func (l *Spin) String() string      { return "spun" }
`,
		"w/go.work":    "go 1.23\n\nuse (\n\t./one\n\t./two\n)\n\nreplace old.com/x => ./x\n",
		"w/one/go.mod": "module one.com/one\n\ngo 1.22\n",
		"w/one/one.go": "package one\n\nconst Free = 1\n",
		"w/two/go.mod": "module two.com/two\n\ngo 1.23\n\nrequire old.com/x v1.0.0\n",
		"w/two/two.go": `package two

import (
	"old.com/x"
	"one.com/one"
)

// A Chan must be made by NewChan, which returns no pointer.
type Chan chan struct{}

func NewChan() Chan     { return make(Chan, one.Free) }
func (c Chan) Lock()    { c <- x.Token }
func (c Chan) Unlock()  { <-c }

type Busted struct{}

func (Busted) Lock()   {}
func (Busted) Unlock() {}
`,
		"w/x/go.mod": "module old.com/x\n",
		"w/x/x.go":   "package x\n\nvar Token struct{}\n",
	}.write(t, dir)
	args := []string{"./m.Lock", "./m/internal/a/internal/b.Spin", "./w/two.Chan", "./w/two.Busted"}
	locks, err := Find(t.Context(), dir, args)
	if err != nil {
		t.Fatal(err)
	}
	for i, pinned := range []bool{false, true, false, false} {
		if locks[i].Pinned != pinned {
			t.Errorf("%s can be held pinned: %t, want %t", args[i], locks[i].Pinned, pinned)
		}
	}
	p, err := Build(t.Context(), locks)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags string
		fails bool
		says  string
	}{
		{"--locks ./m.Lock,./w/two.Chan,ticket", false, "BenchmarkLock/lock=w.two.Chan/reads=0/workers=1/"},
		{"--locks ./m/internal/a/internal/b.Spin --mode pinned", false, "BenchmarkLock/lock=m.internal.a.internal.b.Spin/reads=0/workers=1/"},
		{"--locks ./w/two.Busted,none", true, `lock "w.two.Busted" is broken`},
	} {
		cmd := exec.Command(p.File, append([]string{"run", "--cpus", "1", "--reads", "0", "--count", "1", "--duration", "1ms", "--plots=", "--force", "--out", "out.txt"}, strings.Fields(test.flags)...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		file, readErr := os.ReadFile(filepath.Join(dir, "out.txt"))
		if said := string(out) + string(file); (err != nil) != test.fails || readErr != nil || !strings.Contains(said, test.says) {
			t.Errorf("run %s: %v, %v, want an error: %t, and %q in\n%s", test.flags, err, readErr, test.fails, test.says, said)
		}
	}
	t.Setenv(tempVar, p.dir)
	if err := Clean(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.dir); !os.IsNotExist(err) {
		t.Errorf("Clean left %s", p.dir)
	}
}

// Errors of the compiler in a package that the lock's package imports are reported, and
// no files are left behind.
func TestBuildFails(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	tree{
		"go.mod":     "module example.com/m\n\ngo 1.24\n",
		"bad/bad.go": "package bad\n\nvar y = z\n",
		"p/p.go":     strings.Replace(goodLock, "import", "import _ \"example.com/m/bad\"\nimport", 1),
	}.write(t, dir)
	locks, err := Find(t.Context(), dir, []string{"./p.Good"})
	if err == nil {
		t.Setenv("TMPDIR", temp)
		_, err = Build(t.Context(), locks)
	}
	if err == nil || !strings.Contains(err.Error(), "bad.go:3:9: undefined: z") {
		t.Errorf("got %v, want the undefined name", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left %v behind, %v", left, err)
	}
}

// A lock of lockbench's own module is built from the checkout that it is in, and not
// together with the one that this program is from.
func TestWorkspaceOfOurs(t *testing.T) {
	dir := t.TempDir()
	tree{"go.mod": "module " + ourModule + "\n\ngo 1.24\n", "p/p.go": goodLock}.write(t, dir)
	ours, err := source(thisFile())
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorkspace(t.Context(), ours, []string{filepath.Join(dir, "p")})
	if err != nil {
		t.Fatal(err)
	}
	if w.ours != dir || len(w.file.Use) != 1 {
		t.Errorf("ours is %s of %d modules, want %s of 1", w.ours, len(w.file.Use), dir)
	}
}

// Source in the module cache cannot have an overlay, so it is copied.
func TestMovable(t *testing.T) {
	cache, dir := t.TempDir(), t.TempDir()
	tree{"ours@v1/go.mod": "module " + ourModule + "\n", "ours@v1/a/a.go": goodLock}.write(t, cache)
	ours := filepath.Join(cache, "ours@v1")
	if args, same, err := movable(t.Context(), nil, ours, dir); same != ours || len(args) > 0 || err != nil {
		t.Errorf("not in the cache: %s, flags %q, %v, want it where it was", same, args, err)
	}
	t.Setenv("GOMODCACHE", cache)
	args, copied, err := movable(t.Context(), nil, ours, dir)
	if copied != filepath.Join(dir, "source") || !slices.Equal(args, []string{"-trimpath"}) || err != nil {
		t.Fatalf("in the cache: %s, flags %q, %v, want a copy in %s", copied, args, err, dir)
	}
	if text, err := os.ReadFile(filepath.Join(copied, "a", "a.go")); string(text) != goodLock {
		t.Errorf("the copy has %q, %v", text, err)
	}
}

func TestNoSource(t *testing.T) {
	for _, file := range []string{"github.com/lockbench/lockbench/internal/ownlock/workspace.go", "/gone/internal/ownlock/workspace.go"} {
		if dir, err := source(file); err == nil || !strings.Contains(err.Error(), "no source of lockbench in ") {
			t.Errorf("source of %s: %q, %v, want an error", file, dir, err)
		}
	}
}

func TestRequire(t *testing.T) {
	for _, test := range []struct {
		ours string
		err  error
		want string
	}{
		{"/home/me/lockbench", nil, "go mod edit -require " + ourModule + "@v0.0.0 -replace " + ourModule + "=/home/me/lockbench; go mod tidy"},
		{"/go/pkg/mod/github.com/lockbench/lockbench@v1.2.3", nil, "go get " + ourModule + "@v1.2.3"},
		{"", os.ErrNotExist, "go get " + ourModule},
	} {
		if got := strings.Join(require(test.ours, test.err), "; "); got != test.want {
			t.Errorf("source in %q, %v: %q, want %q", test.ours, test.err, got, test.want)
		}
	}
}
