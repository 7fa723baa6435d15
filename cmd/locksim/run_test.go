//go:build virtual

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim/machines"
)

// asCommand is the variable that makes the test binary run as the command. junk is how many
// objects of each small size such a process allocates first.
const (
	asCommand = "LOCKSIM_TEST_AS_COMMAND"
	junk      = "LOCKSIM_TEST_JUNK"
)

// TestMain makes this binary the command in the processes that the tests start, and that
// these start.
func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		n, _ := strconv.Atoi(os.Getenv(junk))
		litter(n)
		main()
	}
	// Under the race detector a process sleeps for a second before it exits.
	races := os.Getenv("GORACE") + " atexit_sleep_ms=0"
	if err := errors.Join(os.Setenv(asCommand, "1"), os.Setenv("GORACE", races)); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

var litters [][]byte

// litter allocates, so that what is allocated later lies elsewhere.
func litter(n int) {
	for size := 8; n > 0 && size <= 1024; size += 8 {
		for range n {
			litters = append(litters, make([]byte, size))
		}
	}
}

// simulated runs a sweep in a directory of its own and returns its file.
func simulated(t *testing.T, flags string) (text string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "results.txt")
	if code, _, stderr := locksim("run --plots= --out " + name + " " + flags); code != exitOK {
		t.Fatalf("run %s: exit status %d: %s", flags, code, stderr)
	}
	return contents(t, name)
}

func contents(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parsed(t *testing.T, text string) *results.File {
	t.Helper()
	file, err := results.ReadAll(strings.NewReader(text), "results.txt")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// The file has the names and units of a native one, what the simulator counts, and no
// fact of the host. The windows are long enough, and steady.
func TestRun(t *testing.T) {
	text := simulated(t, "--machine xeon-8176-8s --locks ticket,mcs --cpus 1,5 --reads 0 --seed 7")
	file := parsed(t, text)
	if file.Machine != "sim:xeon-8176-8s" || file.GOOS+file.GOARCH+file.CPU != "" {
		t.Errorf("machine %q, goos %q, goarch %q, cpu %q: want the simulated machine, and nothing of the host", file.Machine, file.GOOS, file.GOARCH, file.CPU)
	}
	d, err := machines.Find("xeon-8176-8s")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"machine-file": "xeon-8176-8s, SHA-256 " + d.Sum[:16],
		"seed":         "7",
		"command":      "locksim run --machine xeon-8176-8s --locks ticket,mcs --cpus 1,5 --reads 0 --seed 7",
		"settings":     "duration=default latency=false seed=7",
	} {
		if got := file.Noted(key); !strings.HasPrefix(got, want) {
			t.Errorf("note %s: %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{"date", "process", "kernel", "cpus", "gomaxprocs", "governor", "fitness", "harness"} {
		if got := file.Noted(key); got != "" {
			t.Errorf("note %s: %q, of the host", key, got)
		}
	}
	if len(file.Samples) != 4 {
		t.Errorf("%d samples, want 4", len(file.Samples))
	}
	for _, s := range file.Samples {
		if s.Ops < acquisitions*s.CPUs {
			t.Errorf("%v: %d operations, want %d for each CPU", s.Cell, s.Ops, acquisitions)
		}
		for _, unit := range []string{"ns/op", "ops/s", "lines/op", "remote-lines/op", "spin-ns/op", "drift"} {
			if v, ok := s.Value(unit); !ok || unit == "drift" && v > steady || s.CPUs > 1 && v == 0 && (unit == "lines/op" || unit == "spin-ns/op") {
				t.Errorf("%v: %v %s", s.Cell, v, unit)
			}
		}
		if v, _ := s.Value("lines/op"); s.CPUs == 1 && v > 0.1 {
			t.Errorf("%v: %v lines/op on one CPU", s.Cell, v)
		}
		if _, ok := s.Value("rtt-ns"); ok || s.Distance != results.Unknown {
			t.Errorf("%v: distance %q, want none: CPUs of all distances take part", s.Cell, s.Distance)
		}
		if v, _ := s.Value("remote-lines/op"); v != 0 {
			t.Errorf("%v: %v remote-lines/op within a socket", s.Cell, v)
		}
	}
}

// Neither the number of processes, nor where their memory is, nor what is measured beside
// it changes a sample; the seed does.
func TestRunTwice(t *testing.T) {
	const flags = "--locks ticket,mcs --cpus 1,5 --reads 0 --count 2 --duration 50us --jobs "
	want := simulated(t, flags+"1")
	t.Setenv(junk, "3")
	if got := simulated(t, flags+"2"); got != want {
		t.Errorf("with other memory and two processes the file is\n%s\nand not\n%s", got, want)
	}
	const alone = "--locks mcs --cpus 5 --reads 0 --duration 50us"
	one := parsed(t, simulated(t, alone)).Samples[0]
	for _, s := range parsed(t, want).Samples {
		if s.Cell == one.Cell && s.Round == 1 && s.String() != one.String() {
			t.Errorf("in a sweep %v, alone %v", s, one)
		}
	}
	if s := parsed(t, simulated(t, alone+" --seed 2")).Samples[0]; s.String() == one.String() {
		t.Errorf("two seeds: %v", s)
	}
}

// Where Go's allocator puts a lock changes nothing for any of them.
func TestEveryLockTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates every lock twice")
	}
	const flags = "--locks !*-pinned,rcu-pinned --cpus 3 --reads 50 --hold 50ns --duration 20us"
	a := parsed(t, simulated(t, flags))
	t.Setenv(junk, "5")
	b := parsed(t, simulated(t, flags))
	for i, s := range a.Samples {
		if other := b.Samples[i]; s.String() != other.String() {
			t.Errorf("with other memory\n%v\nand not\n%v", other, s)
		}
	}
	locks := slices.DeleteFunc(catalog.All(), func(e catalog.Entry) bool {
		_, ok := e.Simulated()
		return !ok || e.Control || e.Pins
	})
	if len(a.Samples) != len(locks) {
		t.Errorf("%d locks, want %d", len(a.Samples), len(locks))
	}
}

// A sweep that was killed or interrupted and then resumed is, byte for byte, what it is
// without that.
func TestRunResumed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	command, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	flags := strings.Fields("run --locks ticket,mcs --cpus 1,3 --reads 0 --count 6 --duration 50us --plots= --out results.txt --jobs 2")
	start := func(dir string, more ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd := exec.Command(command, append(slices.Clone(flags), more...)...)
		cmd.Dir = dir
		out := new(bytes.Buffer)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, out
	}
	dir := t.TempDir()
	cmd, out := start(dir)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := contents(t, filepath.Join(dir, "results.txt"))
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGKILL} {
		dir := t.TempDir()
		name := filepath.Join(dir, "results.txt")
		cmd, out := start(dir)
		for has := 0; has < 3; time.Sleep(time.Millisecond) {
			text, _ := os.ReadFile(name)
			has = bytes.Count(text, []byte("\nBenchmark"))
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); sig == os.Interrupt && code != exitInterrupted {
			t.Errorf("interrupted: exit status %d, want %d: %s", code, exitInterrupted, out)
		}
		part := contents(t, name)
		if !strings.HasPrefix(want, part) || len(part) == len(want) {
			t.Errorf("%v: the file is no part of the whole:\n%s", sig, part)
		}
		parsed(t, part)
		cmd, out = start(dir, "--resume")
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v, resumed: %v: %s", sig, err, out)
		}
		if got := contents(t, name); got != want {
			t.Errorf("%v, resumed: the file is\n%s\nwant\n%s", sig, got, want)
		}
	}
}

// The files of all parts, one behind the other, have the samples of the whole.
func TestShards(t *testing.T) {
	const flags = "--locks ticket,mcs,tas --cpus 1,2 --reads 0 --duration 20us "
	lines := func(text string) (all []string) {
		for _, s := range parsed(t, text).Samples {
			all = append(all, s.String())
		}
		slices.Sort(all)
		return all
	}
	whole := lines(simulated(t, flags))
	parts := simulated(t, flags+"--shard 1/2") + simulated(t, flags+"--shard 2/2")
	if got := lines(parts); !slices.Equal(got, whole) {
		t.Errorf("the parts have\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(whole, "\n"))
	}
}

// Open loops have windows that are long enough, too.
func TestRunArrivals(t *testing.T) {
	for _, arrivals := range []string{"--load 0.5", "--rate 1M"} {
		for _, s := range parsed(t, simulated(t, "--locks mcs --cpus 2 --reads 0 "+arrivals)).Samples {
			if s.Ops < acquisitions*s.CPUs*9/10 {
				t.Errorf("%s: %d operations, want about %d for each CPU", arrivals, s.Ops, acquisitions)
			}
			if _, ok := s.Value("write-p99-ns"); !ok {
				t.Errorf("%s: no latency in %v", arrivals, s)
			}
		}
	}
}

// What cannot be simulated is refused by its name.
func TestRunBadInput(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bad.toml", []byte("name = \"bad\"\n[cpus]\nthreads = 2\n[cost.park]\nns = 3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("good.txt", []byte("goos: plan9\nmachine: host\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ flags, want string }{
		{"--machine pdp-11", "machine pdp-11: there is neither a file of that name nor one of epyc-zen3, "},
		{"--machine bad.toml", "bad.toml:4: cost.park: want a source, or the range that it is assumed from"},
		{"--machine i7-8750h --cpus 1,13", "--cpus 13: must be at most 12: machine i7-8750h has no more"},
		{"--locks chan,tas", `lock "chan": cannot be simulated: it is not written against package primitives`},
		{"--locks xsync.*", `lock "xsync.RBMutex": cannot be simulated`},
		{"--locks ./mine.Lock,tas", `lock "./mine.Lock": cannot be simulated: locksim knows only its own locks`},
		{"--locks sync.Mutex-model,chan,tas", `lock "chan": cannot`},
		{"--locks tikcet", `unknown lock "tikcet", did you mean "ticket"?`},
		{"--gc off", "--gc: cannot be simulated: "},
		{"--forks 3", "--forks: cannot be simulated: "},
		{"--counters", "--counters: cannot be simulated: "},
		{"--place compact", "--place: cannot be simulated: "},
		{"--work memory-l1", "--work memory-l1: cannot be simulated: "},
		{"--mode thread", "--mode thread: cannot be simulated: "},
		{"--workload map1000", "--workload map1000: cannot be simulated: "},
		{"--jobs 0", "--jobs 0: must be at least 1"},
		{"--shard 3/2", "--shard 3/2: want I/N, such as 1/3"},
		{"--count 0", "--count 0: must be at least 1"},
		{"--out good.txt", "--out good.txt: exists: want --resume"},
		{"--out good.txt --resume --plots=", "good.txt: results are of "},
	} {
		code, stdout, stderr := locksim("run " + test.flags)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, "locksim: "+test.want) {
			t.Errorf("$ locksim run %s\nexit status %d, want %d; stdout %q; stderr:\n%swant %s", test.flags, code, exitUsage, stdout, stderr, test.want)
		}
	}
}

// Other flags, another seed or another machine do not go on with a file.
func TestResumeOther(t *testing.T) {
	t.Chdir(t.TempDir())
	const flags = "run --locks tas --cpus 1 --reads 0 --duration 20us --plots= "
	if code, _, stderr := locksim(flags); code != exitOK {
		t.Fatal(stderr)
	}
	for _, test := range []struct{ flags, want string }{
		{"--seed 2", "seed=1 "},
		{"--machine graviton2", "machine="},
		{"--reads 50", "with reads 0 and not 50"},
	} {
		if code, _, stderr := locksim(strings.Replace(flags, "--reads 0", test.flags, 1) + "--resume"); code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("--resume %s: exit status %d: %s, want %q", test.flags, code, stderr, test.want)
		}
	}
}

// A broken lock is a fault, and says what is wrong.
func TestRunBusted(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := locksim("run --locks ticket,busted --cpus 2 --reads 0 --plots=")
	if code != exitFailed || !strings.Contains(stderr, `lock "busted" is broken`) {
		t.Errorf("exit status %d, want %d: %s", code, exitFailed, stderr)
	}
}

// A lost lock is never released after some uses.
type lost struct {
	held primitives.Bool
	uses primitives.Uint32
}

func (l *lost) Lock() {
	for spin := (primitives.Spin{}); !l.held.CompareAndSwap(false, true); {
		spin.Once()
	}
}

func (l *lost) Unlock() {
	if l.uses.Add(1) < 300 {
		l.held.StoreRelease(false)
	}
}

// A lock that never ends is a fault, with the state of every CPU.
func TestRunHang(t *testing.T) {
	d, err := machines.Find("milan-2s")
	if err != nil {
		t.Fatal(err)
	}
	c := runCmd{machine: d}
	s := harness.Scenario{Subject: harness.Subject{Name: "lost", New: func() sync.Locker { return new(lost) }}, CPUs: 3, Workers: 3, Quota: 1000, Patience: 5 * time.Millisecond}
	_, err = c.simulate(context.Background(), s)
	if !commandline.IsFound(err) {
		t.Fatalf("%v, want a fault", err)
	}
	for _, want := range []string{`lock "lost" is stuck`, "has not released it", "CPU 0 at ", "CPU 1 at ", "CPU 2 at "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}
