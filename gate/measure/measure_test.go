//go:build !purego && !virtual

package measure_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/perf/benchfmt"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/results"
)

var _ gate.Source = (*measure.Source)(nil)

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("git"); err != nil {
		fmt.Println("SKIP: needs git")
		return
	}
	// All files that tests leave behind are in this directory.
	dir, err := os.MkdirTemp("", "lockbench-gate-test-")
	if err != nil {
		panic(err)
	}
	os.Setenv("TMPDIR", dir)
	os.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	code := m.Run()
	shared.close()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

const sumTest = `package sum

import (
	"fmt"
	"sync"
	"testing"
)

var sink int

func work(b *testing.B) {
	for range b.N {
		for i := range 100 { sink += i }
	}
}

func BenchmarkSum(b *testing.B) {
	for _, name := range []string{"n=10", "a b", "x.y*[z]|(", "dup", "dup", "p", "p/q", ""} {
		b.Run(name, work)
	}
}

func BenchmarkSummary(b *testing.B) { work(b) }

func BenchmarkPair(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() { n := 0; for i := range 100 { n += i }; _ = n }
	})
}

var once sync.Once

func BenchmarkHops(b *testing.B) {
	once.Do(func() { fmt.Println("Unit hops/op better=higher\nUnit odd-thing assume=nothing") })
	for b.Loop() { sink++ }
	b.ReportMetric(3, "hops/op")
	b.ReportMetric(4, "odd-thing")
	b.ReportMetric(float64(b.N), "n")
}

func BenchmarkChatty(b *testing.B) {
	fmt.Println("between name and result")
	work(b)
}
`

// base is a module; head has the files that differ in the second commit.
var (
	base = files{
		"go.mod":                 "module example.com/m\n\ngo 1.26\n",
		".gitignore":             "*.ignored\n",
		".gitattributes":         "sub/testdata export-ignore\n", // which git archive obeys
		"sub/go.mod":             "module example.com/m/sub\n\ngo 1.26\n",
		"sub/sum.go":             "package sum\n",
		"sub/sum_test.go":        sumTest,
		"sub/gone_test.go":       "package sum\nimport \"testing\"\nfunc BenchmarkGone(b *testing.B) { work(b) }\nfunc BenchmarkSkipped(b *testing.B) { work(b) }\n",
		"sub/testdata/x":         "base",
		"sub/tests/t_test.go":    "package tests\nimport \"testing\"\nfunc TestBenchmark(*testing.T) {}\n",
		"sub/nothing/nothing.go": "package nothing\n",
	}
	head = files{
		"sub/gone_test.go": "",
		"sub/new_test.go":  "package sum\nimport (\"testing\"; \"os\")\nfunc BenchmarkNew(b *testing.B) { work(b) }\nfunc BenchmarkSkipped(b *testing.B) { b.Skip(\"not today\") }\nfunc init() { if _, err := os.Stat(\"testdata/x\"); err != nil { panic(err) } }\n",
	}
)

type files map[string]string

// write writes files; those without content are removed.
func (f files) write(dir string) error {
	for name, text := range f {
		name = filepath.Join(dir, name)
		if text == "" {
			if err := os.Remove(name); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %v: %w\n%s", args, err, out)
	}
	return string(out), nil
}

// repository makes a repository of two commits, and returns its directory.
func repository() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "repository"); err != nil {
		return "", err
	}
	steps := []func() error{
		func() error { _, err := git(dir, "init", "-q"); return err },
		func() error { return base.write(dir) },
		func() error { _, err := git(dir, "add", "-A"); return err },
		func() error { _, err := git(dir, "commit", "-qm", "one"); return err },
		func() error { _, err := git(dir, "tag", "one"); return err },
		func() error { return head.write(dir) },
		func() error { _, err := git(dir, "add", "-A"); return err },
		func() error { _, err := git(dir, "commit", "-qm", "two"); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// shared is one prepared module for most tests.
var shared sharedSource

type sharedSource struct {
	once sync.Once
	repo string
	rec  string
	src  *measure.Source
	err  error
}

func (s *sharedSource) get(t *testing.T) *measure.Source {
	t.Helper()
	s.once.Do(func() {
		if s.repo, s.err = repository(); s.err != nil {
			return
		}
		if s.rec, s.err = os.MkdirTemp("", "recording"); s.err != nil {
			return
		}
		s.src, s.err = measure.Prepare(context.Background(), measure.Config{
			Dir: filepath.Join(s.repo, "sub"), Base: "one", Head: "HEAD", CPU: []int{1, 2},
			Slice: time.Millisecond, Builds: 2, Record: s.rec, Seed: 1,
			Bench: "Sum|Pair|Hops|Chatty|Gone|New|Skipped",
		})
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.src
}

func (s *sharedSource) close() {
	if s.src != nil {
		s.src.Close()
	}
}

func named(name string) gate.Benchmark { return gate.Benchmark{Pkg: "example.com/m/sub", Name: name} }

func TestBenchmarks(t *testing.T) {
	src := shared.get(t)
	both, onlyBase, onlyHead := src.Benchmarks()
	for _, name := range []string{
		"Sum/n=10", "Sum/a_b", "Sum/x.y*[z]|(", "Sum/dup", "Sum/dup#01", "Sum/p", "Sum/p/q", "Sum/#00", "Summary", "Pair", "Hops", "Chatty",
	} {
		for _, name := range []string{name, name + "-2"} {
			if i := slices.Index(both, named(name)); i < 0 {
				t.Errorf("%s is not among those that both have", name)
			} else {
				both = slices.Delete(both, i, i+1)
			}
		}
	}
	if len(both) > 0 {
		t.Errorf("both have %v besides", both)
	}
	if want := []gate.Benchmark{named("Gone"), named("Gone-2")}; !slices.Equal(onlyBase, want) {
		t.Errorf("only base has %v, want %v", onlyBase, want)
	}
	if want := []gate.Benchmark{named("New"), named("New-2")}; !slices.Equal(onlyHead, want) {
		t.Errorf("only head has %v, want %v", onlyHead, want)
	}
	if all := strings.Join(src.Warnings(), "\n"); !strings.Contains(all, "head skips example.com/m/sub.Skipped: left out") {
		t.Errorf("warnings %q, want one about the skipped benchmarks", all)
	}
	for unit, want := range map[string]int{"ns/op": -1, "allocs/op": -1, "MB/s": +1, "hops/op": +1, "odd-thing": 0, "instructions/op": -1, "B/s": +1, "p99-ns": -1, "rtt-ns": 0} {
		if got := src.Better(unit); got != want {
			t.Errorf("Better(%s) = %d, want %d", unit, got, want)
		}
	}
	base, head := src.Sides()
	if !strings.HasPrefix(base, "one (") || !strings.HasPrefix(head, "HEAD (") {
		t.Errorf("sides %q and %q", base, head)
	}
}

func TestRound(t *testing.T) {
	src := shared.get(t)
	both, _, _ := src.Benchmarks()
	builds := make(map[gate.Side]map[int]bool)
	last := 0
	round := func() {
		rounds, err := src.Round(context.Background(), both)
		if err != nil {
			t.Fatal(err)
		}
		met := make(map[gate.Benchmark]bool)
		for _, r := range rounds {
			met[r.Benchmark] = true
			if r.Number != rounds[0].Number || r.Number <= last {
				t.Errorf("%v: round %d after %d", r.Benchmark, r.Number, last)
			}
			if cpus := strings.HasSuffix(r.Name, "-2"); cpus == (r.Distance == results.Local) {
				t.Errorf("%v: distance %q", r.Benchmark, r.Distance)
			}
			var n float64
			for _, side := range []gate.Side{gate.Base, gate.Head} {
				reading := r.Readings[side]
				if reading == nil {
					t.Fatalf("%v: no reading of %v", r.Benchmark, side)
				}
				if builds[side] == nil {
					builds[side] = make(map[int]bool)
				}
				builds[side][reading.Build] = true
				values := make(map[string]float64)
				for _, v := range reading.Values {
					values[v.Unit] = v.Value
				}
				if ns := values["ns/op"]; !(ns > 0) {
					t.Errorf("%v: %v ns/op in %v", r.Benchmark, ns, reading.Values)
				}
				if strings.HasPrefix(r.Name, "Hops") {
					if values["hops/op"] != 3 || n != 0 && values["n"] != n {
						t.Errorf("%v: %v, want 3 hops/op and n %v", r.Benchmark, values, n)
					}
					n = values["n"]
					if n < 100 {
						t.Errorf("%v: %v iterations, of less than a nanosecond or so", r.Benchmark, n)
					}
				}
			}
		}
		last = rounds[0].Number
		if len(met) != len(both) || len(rounds) != len(both) {
			t.Errorf("%d rounds of %d benchmarks, want %d", len(rounds), len(met), len(both))
		}
	}
	round()
	if _, err := src.Round(context.Background(), nil); err != io.EOF {
		t.Errorf("Round of nothing: error %v, want EOF", err)
	}
	if _, err := src.Round(context.Background(), []gate.Benchmark{named("Gone")}); err == nil {
		t.Error("Round of a benchmark that only the base has: no error")
	}
	if want := map[int]bool{1: true}; !maps.Equal(builds[gate.Base], want) || !maps.Equal(builds[gate.Head], want) {
		t.Errorf("the first round is of binaries %v, want 1 on both sides", builds)
	}
	if cost := src.Cost(both[0]); cost <= 0 || cost > time.Minute {
		t.Errorf("a pair costs %v", cost)
	}
	round()
	machine, during := src.Fitness()
	t.Logf("%+v %+v\n%q %q", machine, during, machine.Warnings(), during.Warnings())
	if during.Took <= 0 || during.Took > time.Hour || machine.CPUs != runtime.NumCPU() {
		t.Errorf("fitness %+v, then %+v", machine, during)
	}
	checkRecording(t, last, 4*len(both))
}

// Other programs can read the recording.
func checkRecording(t *testing.T, rounds, atLeast int) {
	t.Helper()
	total := 0
	sessions := make(map[string]bool)
	for _, name := range []string{"base.txt", "head.txt"} {
		text, err := os.ReadFile(filepath.Join(shared.rec, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"goos: ", "machine: host\n", "# commit: ", "# round: 1\n", fmt.Sprintf("# round: %d\n", rounds), "# build: "} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %q:\n%s", name, want, text)
			}
		}
		_, session, _ := strings.Cut(string(text), "\n# session: ")
		session, _, _ = strings.Cut(session, "\n")
		sessions[session] = true
		r := benchfmt.NewReader(bytes.NewReader(text), name)
		for r.Scan() {
			switch rec := r.Result().(type) {
			case *benchfmt.SyntaxError:
				t.Error(rec)
			case *benchfmt.Result:
				total++
				if pkg, distance := rec.GetConfig("pkg"), rec.GetConfig("distance"); pkg != "example.com/m/sub" || bytes.HasSuffix(rec.Name, []byte("-2")) == (distance == "local") {
					t.Errorf("%s: %s is of %q, at %q", name, rec.Name, pkg, distance)
				}
			}
		}
		if u := r.Units()[benchfmt.UnitMetadataKey{Unit: "hops/op", Key: "better"}]; u == nil || u.Value != "higher" {
			t.Errorf("%s: hops/op is better %v, want higher", name, u)
		}
	}
	if len(sessions) != 1 || sessions[""] {
		t.Errorf("sessions %v, want one: else the files are not paired", sessions)
	}
	if total < atLeast {
		t.Errorf("%d readings recorded, want at least %d", total, atLeast)
	}
	_, err := measure.Prepare(context.Background(), measure.Config{Dir: shared.repo + "/sub", Base: "one", Bench: "Summary", Record: shared.rec})
	if err == nil || !strings.Contains(err.Error(), "there is a recording already") {
		t.Errorf("a second recording: error %v", err)
	}
}

// No file of git's is changed, and no file is left.
func TestLeavesNothing(t *testing.T) {
	shared.get(t)
	status, err := git(shared.repo, "status", "--porcelain")
	if err != nil || status != "" {
		t.Errorf("git status says %q, %v", status, err)
	}
	if list, err := git(shared.repo, "worktree", "list"); err != nil || strings.Count(list, "\n") != 1 {
		t.Errorf("worktrees %q, %v, want one", list, err)
	}
	left(t)
}

// left checks that no directory of a source is left, except the shared one.
func left(t *testing.T) {
	t.Helper()
	want := 0
	if shared.src != nil {
		want = 1
	}
	if got, _ := filepath.Glob(filepath.Join(os.TempDir(), "lockbench-gate-*")); len(got) != want {
		t.Errorf("there are %v, want %d", got, want)
	}
}

func TestWorktree(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	repo, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	now := files{
		"sub/sum.go":            "package sum\nconst uncommitted = 1\n",
		"sub/untracked_test.go": "package sum\nimport \"testing\"\nfunc BenchmarkUntracked(b *testing.B) { for range b.N { sink += uncommitted } }\n",
		"sub/x.ignored":         "not go",
		"sub/new_test.go":       "",
	}
	if err := now.write(repo); err != nil {
		t.Fatal(err)
	}
	src, err := measure.Prepare(context.Background(), measure.Config{Dir: repo + "/sub", Base: "HEAD", CPU: []int{1}, Bench: "Untracked|New|Summary", Builds: 1, Slice: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	both, onlyBase, onlyHead := src.Benchmarks()
	if want := []gate.Benchmark{named("Summary")}; !slices.Equal(both, want) {
		t.Errorf("both have %v, want %v", both, want)
	}
	if want := []gate.Benchmark{named("New")}; !slices.Equal(onlyBase, want) {
		t.Errorf("only base has %v, want %v", onlyBase, want)
	}
	if want := []gate.Benchmark{named("Untracked")}; !slices.Equal(onlyHead, want) {
		t.Errorf("only head has %v, want %v", onlyHead, want)
	}

	// Ctrl-C in the middle of a round.
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	for err == nil {
		_, err = src.Round(ctx, both)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Round: error %v, want canceled", err)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if _, err := src.Round(context.Background(), both); err == nil {
		t.Error("Round after Close: no error")
	}
	left(t)
}

// Both sides run as many iterations as the slower one does in a slice, whichever it is,
// and no more than the work that is not timed allows. A benchmark that starts
// goroutines has all CPUs.
func TestCalibration(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	var dirs [2]string
	for i, ns := range [2][2]string{{"0.5", "1e6"}, {"1e6", "0.5"}} {
		dirs[i] = t.TempDir()
		err := files{"go.mod": "module example.com/u\n\ngo 1.26\n", "u_test.go": `package u
import ("testing"; "time")
func say(b *testing.B, ns float64) { b.ReportMetric(ns, "ns/op"); b.ReportMetric(float64(b.N), "n") }
func BenchmarkSlower(b *testing.B) { say(b, ` + ns[0] + `) }
func BenchmarkFaster(b *testing.B) { say(b, ` + ns[1] + `) }
func BenchmarkUntimed(b *testing.B) { time.Sleep(time.Duration(b.N) * time.Millisecond); say(b, 100) }
func BenchmarkSlow(b *testing.B) { say(b, 1e9) }
func BenchmarkParallel(b *testing.B) { go func() {}(); say(b, 2e5) }
`}.write(dirs[i])
		if err != nil {
			t.Fatal(err)
		}
	}
	src, err := measure.Prepare(context.Background(), measure.Config{BaseDir: dirs[0], HeadDir: dirs[1], Builds: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	parallel, third := "Parallel", [2]float64{16, 16}
	if n := runtime.GOMAXPROCS(0); n > 1 { // its slices are a third as long
		parallel, third = fmt.Sprintf("Parallel-%d", n), [2]float64{5, 5}
	}
	want := map[string][2]float64{"Slower": {3, 3}, "Faster": {3, 3}, "Untimed": {2, 300}, "Slow": {1, 1}, parallel: third}
	both, _, _ := src.Benchmarks()
	rounds, err := src.Round(context.Background(), both)
	if err != nil || len(rounds) != len(want) {
		t.Fatalf("%d rounds, want %d; error %v", len(rounds), len(want), err)
	}
	for _, r := range rounds {
		w, ok := want[r.Name]
		if !ok || r.Failed != nil {
			t.Errorf("%s: failed %+v, want one of %v", r.Name, r.Failed, want)
			continue
		}
		for _, reading := range r.Readings {
			for _, v := range reading.Values {
				if v.Unit == "n" && (v.Value < w[0] || v.Value > w[1]) {
					t.Errorf("%s: %v iterations, want %v", r.Name, v.Value, w)
				}
			}
		}
		if cost := src.Cost(r.Benchmark); cost <= 0 {
			t.Errorf("%s: a pair costs %v", r.Name, cost)
		}
	}
}

// No cycle of the collector is in a slice, unless the environment asks for more of them.
func TestSeldomCollects(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	for _, test := range []struct {
		env   []string
		least float64
		most  float64
	}{
		{nil, 0, 0},
		{[]string{"GOGC=100"}, 1, 20},
	} {
		var dirs [2]string
		for i := range dirs {
			dirs[i] = t.TempDir()
			err := files{"go.mod": "module example.com/u\n\ngo 1.26\n", "u_test.go": `package u
import ("runtime/debug"; "testing")
var sink []byte
func BenchmarkIt(b *testing.B) {
	var before, after debug.GCStats
	debug.ReadGCStats(&before)
	for range 16 { sink = make([]byte, 1<<20) }
	debug.ReadGCStats(&after)
	b.ReportMetric(float64(after.NumGC-before.NumGC), "cycles")
	b.ReportMetric(1e6, "ns/op")
}
`}.write(dirs[i])
			if err != nil {
				t.Fatal(err)
			}
		}
		src, err := measure.Prepare(context.Background(), measure.Config{BaseDir: dirs[0], HeadDir: dirs[1], Builds: 1, Env: test.env, MeasureUnchanged: true})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		both, _, _ := src.Benchmarks()
		rounds, err := src.Round(context.Background(), both)
		if err != nil || len(rounds) != 1 || rounds[0].Failed != nil {
			t.Fatalf("%v %+v", err, rounds)
		}
		for side, reading := range rounds[0].Readings {
			i := slices.IndexFunc(reading.Values, func(v results.Value) bool { return v.Unit == "cycles" })
			if i < 0 || reading.Values[i].Value < test.least || reading.Values[i].Value > test.most {
				t.Errorf("with %v the %v has %v, want %v to %v cycles", test.env, side, reading.Values, test.least, test.most)
			}
		}
	}
}

// Files that are not in the commit itself are there as well: submodules, as each side
// has them, paths outside the repository in a replace or a go.work, and the files of
// With. If a file is missing, the error says that it was left out.
func TestOutside(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	t.Setenv("GIT_CONFIG_COUNT", "1") // which submodules in the file system need
	t.Setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
	t.Setenv("GIT_CONFIG_VALUE_0", "always")
	above := t.TempDir()
	dir, sub := filepath.Join(above, "repo"), filepath.Join(above, "sub")
	must := func(_ string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(dir string, f files) {
		t.Helper()
		must("", f.write(dir))
	}
	commit := func(dir, tag string) {
		t.Helper()
		for _, args := range [][]string{{"add", "-A"}, {"commit", "-qm", tag}, {"tag", tag}} {
			must(git(dir, args...))
		}
	}
	library := func(n string) files {
		return files{"go.mod": "module example.com/sub\n\ngo 1.26\n", "sub.go": "package sub\nconst N = " + n + "\n"}
	}
	write(sub, library("1"))
	write(filepath.Join(above, "outside"), files{"go.mod": "module example.com/outside\n\ngo 1.26\n", "o.go": "package outside\nconst N = 5\n"})
	must(git(above, "init", "-q", sub))
	commit(sub, "one")
	write(dir, files{
		".gitignore": "gen.go\ndata.bin\n",
		"go.mod": "module example.com/m\n\ngo 1.26\n\nrequire (\n\texample.com/sub v0.0.0\n\texample.com/outside v0.0.0\n)\n\n" +
			"replace example.com/sub => ./sub\n\nreplace example.com/outside => ../outside\n",
		"gen.go": "package m\nconst gen = 1\n",
		"m_test.go": `package m
import (
	_ "embed"
	"testing"
	"example.com/outside"
	"example.com/sub"
)
//go:embed data.bin
var data string
func BenchmarkIt(b *testing.B) {
	b.ReportMetric(sub.N, "sub")
	b.ReportMetric(outside.N+gen+float64(len(data)), "rest")
}
`,
		"data.bin": "1234",
	})
	must(git(above, "init", "-q", dir))
	must(git(dir, "submodule", "add", "-q", sub, "sub"))
	commit(dir, "base")
	write(filepath.Join(dir, "sub"), library("2"))
	commit(filepath.Join(dir, "sub"), "two")
	commit(dir, "head")
	write(filepath.Join(dir, "sub"), library("3")) // not committed

	config := measure.Config{Dir: dir, Base: "base", CPU: []int{1}, Builds: 1, Slice: 100 * time.Microsecond}
	_, err := measure.Prepare(context.Background(), config)
	if want := "left out, since git ignores it or does not have it: data.bin, gen.go (--with PATH takes it along)"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	config.With = []string{above}
	if _, err := measure.Prepare(context.Background(), config); err == nil || !strings.Contains(err.Error(), "want a file or a directory in ") {
		t.Errorf("--with a path outside: error %v", err)
	}
	config.With = []string{filepath.Join(dir, "data.bin"), filepath.Join(dir, "gen.go")}
	for head, n := range map[string]float64{"head": 2, measure.Worktree: 3} {
		config.Head = head
		src, err := measure.Prepare(context.Background(), config)
		if err != nil {
			t.Fatal(err)
		}
		both, _, _ := src.Benchmarks()
		rounds, err := src.Round(context.Background(), both)
		if err != nil || rounds[0].Failed != nil {
			t.Fatalf("%v %+v", err, rounds)
		}
		for side, want := range map[gate.Side]float64{gate.Base: 1, gate.Head: n} {
			if have := rounds[0].Readings[side].Values; !slices.Contains(have, results.Value{Unit: "sub", Value: want}) || !slices.Contains(have, results.Value{Unit: "rest", Value: 10}) {
				t.Errorf("head %s: %v has %v, want %v of the submodule, and 10 of the rest", head, side, have, want)
			}
		}
		if w := strings.Join(src.Warnings(), "\n"); !strings.Contains(w, "both sides have example.com/outside as it is now in ../outside") {
			t.Errorf("warnings %q, want one about the module outside", w)
		}
		must("", src.Close())
	}
}

// All errors of the input are reported.
func TestBadInput(t *testing.T) {
	shared.get(t)
	plain := t.TempDir()
	if err := (files{"go.mod": "module x\n"}).write(plain); err != nil {
		t.Fatal(err)
	}
	sub := shared.repo + "/sub"
	for _, test := range []struct {
		config measure.Config
		want   []string
	}{
		{measure.Config{}, []string{"no base"}},
		{measure.Config{Bench: "(", CPU: []int{0}}, []string{"no base", `benchmarks "("`, "CPUs [0]"}},
		{measure.Config{Base: "x", Packages: []string{"-exec=rm"}}, []string{`package "-exec=rm"`}},
		{measure.Config{BaseDir: plain}, []string{"want a directory of both sides"}},
		{measure.Config{BaseDir: plain, HeadDir: plain, Base: "x"}, []string{"have both"}},
		{measure.Config{BaseDir: plain, HeadDir: plain}, []string{gate.ErrNothing.Error()}},
		{measure.Config{BaseDir: plain, HeadDir: t.TempDir()}, []string{"head: ", "has no go.mod"}},
		{measure.Config{BaseDir: plain, HeadDir: plain + "/none"}, []string{"head: ", "no such file"}},
		{measure.Config{Dir: plain, Base: "HEAD"}, []string{"not a git repository"}},
		{measure.Config{Dir: plain + "/none", Base: "HEAD"}, []string{"no such file"}},
		{measure.Config{Dir: sub, Base: "nope", Head: "neither"}, []string{`base: no commit "nope"`, `head: no commit "neither"`}},
		{measure.Config{Dir: sub, Base: "--help"}, []string{`base: no commit "--help"`}},
		{measure.Config{Dir: sub, Base: "one", Bench: "Nobody"}, []string{gate.ErrNothing.Error(), `"Nobody"`}},
		{measure.Config{Dir: sub, Base: "one", Bench: "Skipped"}, []string{gate.ErrNothing.Error(), `"Skipped"`, "skips example.com/m/sub.Skipped"}},
		{measure.Config{Dir: sub, Base: "one", Bench: "Summary", Skip: "Sum"}, []string{gate.ErrNothing.Error(), `"Summary" in ./..., and is not skipped by "Sum"`}},
		{measure.Config{Dir: sub, Base: "one", Bench: "Summary/none"}, []string{gate.ErrNothing.Error(), `"Summary/none"`}},
		{measure.Config{Dir: sub, Base: "one", Packages: []string{"./nope"}}, []string{"base does not build", "head does not build", "nope"}},
		{measure.Config{Dir: sub, Base: "one", Pin: []int{4000}}, []string{"pin to CPUs [4000]"}},
		{measure.Config{Dir: sub, Base: "one", Units: []string{"ns/op", "odd-thing", "frobs"}, Log: func(line string) {
			t.Errorf("%q, before it complains of a unit", line)
		}}, []string{"unit frobs: is not known, and no Go file of either side has it"}},
	} {
		src, err := measure.Prepare(context.Background(), test.config)
		if err == nil {
			src.Close()
			t.Errorf("%+v: no error", test.config)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %q, want %q in it", test.config, err, want)
			}
		}
	}
	left(t)
}

// A side that does not build is named.
func TestBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	bench := func(body string) string {
		return "package p\nimport \"testing\"\nfunc BenchmarkIt(b *testing.B) { b.Run(\"x\", func(b *testing.B) {\n" + body + "\n}) }\n"
	}
	module := func(f files) (dir string) {
		dir = t.TempDir()
		f["go.mod"] = "module m\n\ngo 1.26\n"
		if err := f.write(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	check := func(err error, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
	}

	good := module(files{})
	bad := module(files{"a/a_test.go": bench("undefined()"), "b/b_test.go": bench("return 1")})
	_, err := measure.Prepare(context.Background(), measure.Config{BaseDir: bad, HeadDir: good, CPU: []int{1}})
	var build *measure.BuildError
	if !errors.As(err, &build) || build.Side != gate.Base {
		t.Errorf("error %v, want a BuildError of the base", err)
	}
	check(err, "base does not build: m/a", "undefined", "base does not build: m/b", "too many return values")

	left(t)
}

// The declarations of a unit must agree: in a process, in all packages, and on both
// sides. A side without a declaration agrees, unless the unit is known.
func TestContradictingUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	module := func(p, q string) string {
		dir := t.TempDir()
		f := files{"go.mod": "module m\n\ngo 1.26\n"}
		for name, lines := range map[string]string{"p": p, "q": q} {
			if lines != "" {
				f[name+"/x_test.go"] = "package " + name + "\nimport (\"os\"; \"testing\")\nfunc BenchmarkIt(b *testing.B) { os.Stdout.WriteString(`" + lines + "`) }\n"
			}
		}
		if err := f.write(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	both := module("Unit once better=lower\n", "Unit odd better=sideways\nUnit twice better=lower\nUnit twice better=higher\nUnit once better=higher\n")
	for _, test := range []struct{ base, head, want string }{
		{module("Unit a better=lower\nUnit b better=higher\nUnit c better=lower\nUnit same better=lower\n", ""), module("Unit a better=higher\nUnit b better=lower\nUnit ns/op better=higher\nUnit same better=lower\n", ""),
			"unit a: less is better in the base, more is better in the head\n" +
				"unit b: less is better in the head, more is better in the base\n" +
				"unit ns/op: less is better in the base, more is better in the head"},
		{both, both, "base: m/q: metadata better of unit twice already set to lower\n" +
			"unit odd: better=sideways: want higher or lower\n" +
			"unit once: better=higher, and not so in another package: want one direction"},
	} {
		src, err := measure.Prepare(context.Background(), measure.Config{BaseDir: test.base, HeadDir: test.head, CPU: []int{1}, Builds: 1, Slice: time.Microsecond, MeasureUnchanged: true})
		if err == nil {
			src.Close()
		}
		if err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
	left(t)
}

// A benchmark that fails, panics, hangs, or prints no result does not keep the others
// from being measured: its first round says why, and on which side. One that is skipped
// or ignored is never run; the result of one that prints before it is read.
func TestFailing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	const always = `package p
import ("errors"; "os"; "testing")
var _, _ = errors.New, os.Stdout
func BenchmarkFine(b *testing.B) {}
func BenchmarkOdd(b *testing.B) { b.ReportMetric(-5, "ns/op") }
func BenchmarkPrints(b *testing.B) { os.Stdout.WriteString("no end of line") }
func BenchmarkSkipped(b *testing.B) { for {} }
func BenchmarkIgnored(b *testing.B) { os.Exit(3) }
func BenchmarkParts(b *testing.B) {
	b.Run("fine", func(b *testing.B) {})
	b.Run("skipped", func(b *testing.B) { os.Exit(4) })
	b.Run("panics", func(b *testing.B) { panic("oh no") })
}
func BenchmarkAllPartsSkipped(b *testing.B) { b.Run("skipped", func(b *testing.B) { panic("skipped") }) }
func BenchmarkEcho(b *testing.B) {}
func BenchmarkTwice(b *testing.B) { os.Stdout.WriteString("\nBenchmarkTwice-2\t1\t5 ns/op\n") }
func BenchmarkLater(b *testing.B) { if b.N > 1 { b.Fatal("only once") } }
func BenchmarkHangs(b *testing.B) { b.Run("x", func(b *testing.B) { for {} }) }
`
	bodies := func(fails, mended, more string) string {
		return always + "func BenchmarkFails(b *testing.B) {" + fails + "}\nfunc BenchmarkMended(b *testing.B) {" + mended + "}\n" + more
	}
	dirs := [2]string{t.TempDir(), t.TempDir()}
	for i, text := range []string{
		bodies("", `b.Fatal("broken")`, ""),
		bodies(`b.Fatal("no network")`, `os.Stdout.WriteString("\nBenchmarkEcho-2\t1\t5 ns/op\n")`, "func BenchmarkNew(b *testing.B) { b.Fatal(1) }\n"),
	} {
		err := files{
			"go.mod":          "module m\n\ngo 1.26\n",
			"p/p_test.go":     text,
			"main/m_test.go":  "package m\nimport (\"os\"; \"testing\")\nfunc TestMain(m *testing.M) { if len(os.Getenv(\"PWD\")) > 0 { println(\"no database\"); os.Exit(5) } }\nfunc BenchmarkDB(*testing.B) {}\n",
			"never/n_test.go": "package never\nimport \"testing\"\nfunc BenchmarkSkipped(*testing.B) { undefined() }\n",
			// Together they take longer than the limit of one.
			"slow/s_test.go": "package slow\nimport (\"testing\"; \"time\")\nfunc BenchmarkIt(b *testing.B) { for _, name := range []string{\"a\", \"b\", \"c\"} { b.Run(name, func(b *testing.B) {\n" +
				"if testing.Verbose() { time.Sleep(" + []string{"0", "800 * time.Millisecond"}[i] + ") } // when it is listed\n}) } }\n",
			"ignore/n_test.go": "package ignore\nimport \"testing\"\nfunc BenchmarkIgnored(*testing.B) { undefined() }\n",
		}.write(dirs[i])
		if err != nil {
			t.Fatal(err)
		}
	}
	src, err := measure.Prepare(context.Background(), measure.Config{
		BaseDir: dirs[0], HeadDir: dirs[1], CPU: []int{2}, Builds: 1, Slice: 100 * time.Microsecond, Timeout: 2 * time.Second, MeasureUnchanged: true,
		Skip: "^BenchmarkSkipped$|Parts/skipped", Ignore: func(b gate.Benchmark, _ bool) bool { return strings.HasPrefix(b.Name, "Ignored") },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	both, onlyBase, onlyHead := src.Benchmarks()
	if len(onlyBase)+len(onlyHead) > 0 {
		t.Errorf("only base has %v, only head %v, want none", onlyBase, onlyHead)
	}
	want := map[string]string{ // why it fails, and what it printed
		"m/p.Fine-2": "", "m/p.Odd-2": "", "m/p.Prints-2": "", "m/p.Parts/fine-2": "", "m/slow.It/a-2": "", "m/slow.It/b-2": "", "m/slow.It/c-2": "",
		"m/p.Parts/panics-2": "it fails on both sides: exit status 2\npanic: oh no",
		"m/p.Hangs/x-2":      "it fails on both sides: no end after 2s\nBenchmarkHangs.func1",
		"m/p.Twice-2":        "two benchmarks have this name, on both sides",
		"m/p.Echo-2":         "two benchmarks of the head have this name",
		"m/p.Later-2":        "it fails on the base, of which it ran once: \nonly once",
		"m/p.Fails-2":        "it fails on the head, and runs on the base: it failed\nno network",
		"m/p.Mended-2":       "it fails on the base, and runs on the head, so there is nothing to compare it to: it failed\nbroken",
		"m/p.New-2":          "the head alone has it, and it fails: it failed\n",
		"m/main":             "it fails on both sides: exit status 5\nno database",
	}
	rounds, err := src.Round(context.Background(), both)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rounds {
		w, ok := want[r.Benchmark.String()]
		delete(want, r.Benchmark.String())
		why, output, _ := strings.Cut(w, "\n")
		switch f := r.Failed; {
		case !ok:
			t.Errorf("%v is there, want it not to be: %+v", r.Benchmark, f)
		case why == "" && (f != nil || r.Readings[gate.Head] == nil):
			t.Errorf("%v: failed %+v, want a reading", r.Benchmark, f)
		case why != "" && (f == nil || !strings.HasPrefix(f.Why, why) || !strings.Contains(f.Output, output)):
			t.Errorf("%v: failed %+v, want %q with %q", r.Benchmark, f, why, output)
		}
	}
	if len(want) > 0 {
		t.Errorf("no rounds of %v", slices.Collect(maps.Keys(want)))
	}
}

// The next process removes what a killed one left behind.
func TestSweep(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says who lives")
	}
	shared.get(t)
	dir := filepath.Join(os.TempDir(), "lockbench-gate-stale")
	if err := (files{"lock": "x", "base/x.go": "x"}).write(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "base"), 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := measure.Prepare(context.Background(), measure.Config{Dir: shared.repo, Base: "nope"}); err == nil {
		t.Error("no error")
	}
	left(t)
}

func TestCancelPrepare(t *testing.T) {
	shared.get(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	_, err := measure.Prepare(ctx, measure.Config{Dir: shared.repo + "/sub", Base: "one", CPU: []int{1}, Log: func(line string) {
		if strings.Contains(line, "building") {
			cancel(stop)
		}
	}})
	if !errors.Is(err, stop) {
		t.Errorf("error %v, want %v", err, stop)
	}
	left(t)
}

// Counts are nearly the same each time, if the machine has any: what the runtime does beside
// the benchmark counts as well, and is 1 % of a small one on a busy machine.
func TestInstructions(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	src, err := measure.Prepare(context.Background(), measure.Config{
		Dir: filepath.Join(repoOf(t), "sub"), Base: "HEAD", Head: "HEAD", CPU: []int{2}, Bench: "Summary", Builds: 1, Instructions: measure.MustCount, MeasureUnchanged: true})
	if err != nil {
		if strings.Contains(err.Error(), "counting instructions") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	defer src.Close()
	b := named("Summary") // with one CPU, though only two were asked for
	for range 3 {
		rounds, err := src.Round(context.Background(), []gate.Benchmark{b})
		if err != nil {
			t.Fatal(err)
		}
		var counts []float64
		for _, r := range rounds[0].Readings {
			counts = append(counts, r.Values[0].Value)
		}
		t.Log(counts)
		if low, high := slices.Min(counts), slices.Max(counts); low < 100 || math.Abs(high/low-1) > 0.03 {
			t.Errorf("instructions/op %v", counts)
		}
	}
}

func repoOf(t *testing.T) string {
	shared.get(t)
	return shared.repo
}
