//go:build unix && !purego && !virtual

package measure_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/results"
)

// The benchmarks of turning misbehave only if TURNS/on exists: otherwise they could not
// be calibrated.
const turning = `package u

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	dir   = os.Getenv("TURNS")
	conts = make(chan os.Signal, 100)
	slice int // that runs, or ran last, from 1
)

func init() { signal.Notify(conts, syscall.SIGCONT) }

func on() bool { _, err := os.Stat(dir + "/on"); return err == nil }

func side() string { wd, _ := os.Getwd(); return filepath.Base(wd) }

// note adds a line to a file.
func note(name, line string) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil { panic(err) }
	fmt.Fprintln(f, line)
	f.Close()
}

// begin reports whether a slice begins. One iteration comes before each. After the
// first slice, it waits until this process is told to go on, if TURNS/wait is there.
func begin(b *testing.B) bool {
	if b.N == 1 {
		if _, err := os.Stat(dir + "/wait"); slice > 0 && err == nil {
			select {
			case <-conts:
			case <-time.After(30 * time.Second):
				b.Fatal("it is not stopped")
			}
		}
		slice++
		return false
	}
	return true
}

func BenchmarkTurns(b *testing.B) {
	if !begin(b) { return }
	if slice == 1 { note("pid."+side(), fmt.Sprint(os.Getpid())) }
	note("log", fmt.Sprint(side(), " ", slice, " begins"))
	other := map[string]string{"base": "head", "head": "base"}[side()]
	if pid, err := os.ReadFile(dir + "/pid." + other); err == nil && on() && runtime.GOOS == "linux" {
		for began := time.Now(); ; time.Sleep(time.Millisecond) {
			stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
			if err != nil { break }
			if strings.Contains(string(stat), ") T ") { break }
			if time.Since(began) > 20*time.Second { note("why", string(stat)); b.Fatal("the other side is not stopped: ", string(stat)) }
		}
	}
	b.ReportMetric(float64([]int{9, 90, 50, 20, 60, 60, 60, 60, 60}[slice%9]), "ns/op")
	b.ReportMetric(float64(100*slice), "MB/s")
	b.ReportMetric(float64(slice), "slice")
	note("log", fmt.Sprint(side(), " ", slice, " ends"))
}

// It prints many lines that look like results, and the turns continue.
func BenchmarkPrints(b *testing.B) {
	b.ReportMetric(10, "ns/op")
	fmt.Print("BenchmarkX 1 5 ns/op 0 allocs/op\nBenchmarkPrints 1 5 0 allocs/op\n")
}

func BenchmarkExits(b *testing.B) {
	b.ReportMetric(10, "ns/op")
	if begin(b) && on() && slice == 3 && side() == "head" {
		os.Exit(7)
	}
}

func BenchmarkHangs(b *testing.B) {
	b.ReportMetric(10, "ns/op")
	if begin(b) && on() && slice == 3 && side() == "head" {
		note("pids", fmt.Sprint(os.Getpid()))
		for {}
	} else if on() {
		note("pids", fmt.Sprint(os.Getpid()))
	}
}

// It waits until a test ends it, in a slice in which the other process is stopped.
func BenchmarkWaits(b *testing.B) {
	b.ReportMetric(10, "ns/op")
	if begin(b) && on() && slice == 3 {
		note("waits", fmt.Sprint(os.Getpid()))
		if seen, _ := os.ReadFile(dir + "/waits"); strings.Count(string(seen), "\n") == 2 {
			note("waits.now", "")
			time.Sleep(time.Minute)
		}
	}
}

// The other side has the file as long as it runs.
func BenchmarkExcludes(b *testing.B) {
	b.ReportMetric(10, "ns/op")
	if !begin(b) { return }
	if !on() || slice > 1 { return }
	f, err := os.OpenFile(dir + "/lock", os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil { panic(err) }
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		b.Fatal("in use")
	}
	slice = 9
	kept = f
}

var kept *os.File
`

// prepareTurns prepares the benchmark of that name only, which misbehaves from then on.
func prepareTurns(t *testing.T, name string) (src *measure.Source, b gate.Benchmark, dir string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds")
	}
	module, dir := t.TempDir(), t.TempDir()
	if err := (files{"go.mod": "module example.com/u\n\ngo 1.26\n", "u_test.go": turning}).write(module); err != nil {
		t.Fatal(err)
	}
	limit := 30 * time.Second
	if name == "Hangs" {
		limit = 2 * time.Second
	}
	src, err := measure.Prepare(context.Background(), measure.Config{
		BaseDir: module, HeadDir: module, Bench: "^Benchmark" + name + "$", CPU: []int{1}, MeasureUnchanged: true,
		Builds: 1, MaxBuilds: 2, Timeout: limit, Env: []string{"TURNS=" + dir},
		Slice: 100 * time.Millisecond, // long enough for all slices, even on a busy machine
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	for _, of := range []string{"log", "pid.base", "pid.head"} { // of the calibration
		os.Remove(filepath.Join(dir, of))
	}
	now := files{"on": "x"}
	if name == "Turns" || name == "Waits" {
		now["wait"] = "x"
	}
	if err := now.write(dir); err != nil {
		t.Fatal(err)
	}
	return src, gate.Benchmark{Pkg: "example.com/u", Name: name}, dir
}

// oneRound returns the one round of one benchmark.
func oneRound(t *testing.T, src *measure.Source, b gate.Benchmark) gate.Round {
	t.Helper()
	rounds, err := src.Round(context.Background(), []gate.Benchmark{b})
	if err != nil || len(rounds) != 1 {
		t.Fatalf("rounds %v, error %v: want one", rounds, err)
	}
	return rounds[0]
}

// One of the two processes runs at any time, until its slice ends, and the other one is
// stopped, so that their slices alternate. The first is dropped.
func TestTurns(t *testing.T) {
	src, b, dir := prepareTurns(t, "Turns")
	r := oneRound(t, src, b)
	text, err := os.ReadFile(filepath.Join(dir, "log"))
	if why, _ := os.ReadFile(filepath.Join(dir, "why")); why != nil {
		t.Log(string(why))
	}
	if err != nil || r.Failed != nil {
		t.Fatal(err, r.Failed)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2*2*8 {
		t.Fatalf("%d lines, want those of 8 slices of both sides:\n%s", len(lines), text)
	}
	for slice := range 8 {
		of := lines[4*slice : 4*slice+4]
		lead, follow, _ := strings.Cut("base head", " ")
		if strings.HasPrefix(of[0], "head") {
			lead, follow = follow, lead
		}
		for i, side := range []string{lead, lead, follow, follow} {
			if want := fmt.Sprint(side, " ", slice+1, " ", []string{"begins", "ends"}[i%2]); of[i] != want {
				t.Fatalf("%q, want %q, in\n%s", of[i], want, text)
			}
		}
	}
	for _, side := range []gate.Side{gate.Base, gate.Head} {
		have := r.Readings[side].Values
		for _, want := range []results.Value{{Unit: "ns/op", Value: 20}, {Unit: "MB/s", Value: 300}, {Unit: "slice", Value: 5}} {
			if !slices.Contains(have, want) {
				t.Errorf("%v: %v, want %v of its fastest slice, or the median of the slices", side, have, want)
			}
		}
	}
}

// A benchmark has PairsPerBuild pairs of processes for each pair of binaries; binaries
// that no benchmark needs any more are removed.
func TestBuilds(t *testing.T) {
	src, b, _ := prepareTurns(t, "Prints")
	var builds []int
	var files [][]string
	for {
		rounds, err := src.Round(context.Background(), []gate.Benchmark{b})
		if err != nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			break
		}
		if f := rounds[0].Failed; f != nil {
			t.Fatalf("%+v", f)
		}
		base, head := rounds[0].Readings[gate.Base], rounds[0].Readings[gate.Head]
		if base.Build != head.Build {
			t.Errorf("binaries %d and %d: want a pair", base.Build, head.Build)
		}
		builds = append(builds, base.Build)
		all, err := filepath.Glob(filepath.Join(os.TempDir(), "lockbench-gate-*", "bin", "*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, all)
	}
	if want := []int{1, 1, 2, 2}; !slices.Equal(builds, want) {
		t.Errorf("binaries %v, want %v", builds, want)
	}
	before := src.Apart()
	if before <= 0 {
		t.Errorf("building took %v", before)
	}
	if len(files) == 6 {
		// The binaries of the shared source may be there as well.
		for i, want := range []int{2, 2, 0, 2, 2, 0} {
			if got := len(files[i]) - len(files[5]); got != want {
				t.Errorf("after round %d there are %d binaries, want %d", i+1, got, want)
			}
		}
	}
}

// Neither a process that ends nor one that hangs keeps the other from ending, and no
// process is left.
func TestTurnsFail(t *testing.T) {
	for name, want := range map[string]string{
		"Exits": "it fails on the head, of which it ran once: exit status 7",
		"Hangs": "it fails on the head, of which it ran once: no end after 2s",
	} {
		src, b, dir := prepareTurns(t, name)
		if r := oneRound(t, src, b); r.Failed == nil || r.Failed.Why != want {
			t.Errorf("%s: failed %+v, want %q", name, r.Failed, want)
		}
		if name == "Hangs" {
			gone(t, filepath.Join(dir, "pids"))
		}
	}
}

// gone checks that the processes whose numbers are in a file have ended.
func gone(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is left: %v", n, err)
		}
	}
}

// Ctrl-C while one of them is stopped.
func TestTurnsCancel(t *testing.T) {
	src, b, dir := prepareTurns(t, "Waits")
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(dir, "waits.now")); err == nil {
				cancel(stop)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if _, err := src.Round(ctx, []gate.Benchmark{b}); !errors.Is(err, stop) {
		t.Errorf("error %v, want %v", err, stop)
	}
	gone(t, filepath.Join(dir, "waits"))
}

// If both sides cannot run at the same time, one runs after the other.
func TestTurnsApart(t *testing.T) {
	src, b, _ := prepareTurns(t, "Excludes")
	for range 2 {
		if r := oneRound(t, src, b); r.Failed != nil {
			t.Fatalf("failed %+v", r.Failed)
		}
	}
	if w := src.Warnings(); !slices.Contains(w, "example.com/u.Excludes: fails while the other side runs, so one runs after the other") {
		t.Errorf("warnings %q, want one about the sides that cannot run at the same time", w)
	}
}
