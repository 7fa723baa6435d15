package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/commandline/script"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
)

// With --locks ./mypkg.MyLock the command becomes another, in the same process: the
// lock is measured together with those of this module, an interrupt ends the sweep as
// usual, and no temporary files are left.
func TestOwnLock(t *testing.T) {
	if runtime.GOOS == "windows" || testing.Short() {
		t.Skip("signals a process, and builds the command twice")
	}
	command, dir, temp := filepath.Join(t.TempDir(), "lockbench"), t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Chdir(dir)
	writeModuleHere(t)
	t.Setenv("TMPDIR", temp)
	cmd, output := start(t, command, dir, 1, "run", "--locks", "./mypkg.MyLock,sync.Mutex", "--cpus", "1", "--reads", "0", "--count", "10000", "--plots=")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("after an interrupt: %v, want exit status %d\n%s", err, exitInterrupted, output)
	}
	file, err := results.ReadFile(filepath.Join(dir, "results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	locks := make(map[string]bool)
	for _, s := range file.Samples {
		locks[s.Lock] = true
	}
	if !locks["mypkg.MyLock"] && !locks["sync.Mutex"] || len(locks) > 2 {
		t.Errorf("locks %v, want mypkg.MyLock and sync.Mutex", locks)
	}
	if text := file.Noted("own"); text != "mypkg.MyLock is example.com/m/mypkg.MyLock" {
		t.Errorf("note own: %q", text)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left %v behind, %v", left, err)
	}
}

// The file that init writes compiles, after the commands that init prints, passes, and
// measures the locks of the package, also unexported ones.
func TestInit(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a test")
	}
	t.Chdir(t.TempDir())
	writeModuleHere(t)
	more := "package mypkg\n\ntype hidden struct{ made bool; MyLock }\n\nfunc Newhidden() *hidden { return &hidden{made: true} }\n\n" +
		"func (l *hidden) Lock() {\n\tif !l.made {\n\t\tpanic(\"not made\")\n\t}\n\tl.MyLock.Lock()\n}\n"
	if err := os.WriteFile("mypkg/more.go", []byte(more), 0o666); err != nil {
		t.Fatal(err)
	}
	command := func(line string) string {
		t.Helper()
		words := script.Words(line)
		out, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("$ %s\n%v\n%s", line, err, out)
		}
		return string(out)
	}
	var out, errs bytes.Buffer
	if code := run([]string{"init", "mypkg"}, &out, &errs); code != exitOK {
		t.Fatalf("exit status %d: %s", code, &errs)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n\t")
	if len(lines) != 5 || filepath.ToSlash(lines[0]) != "mypkg/lockbench_test.go" {
		t.Fatalf("says\n%s", &out)
	}
	for _, line := range lines[1 : len(lines)-2] {
		command(line)
	}
	said := command(strings.Replace(lines[4], "-count 10", "-benchtime 10x", 1) + " -run Lockbench -v")
	for _, want := range []string{"--- PASS: TestLockbench/hidden", "--- PASS: TestLockbench/MyLock", "BenchmarkLockbench/lock=MyLock/reads=0/workers=1/", "BenchmarkLockbench/lock=hidden/"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	before, err := os.ReadFile(lines[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("empty", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"mypkg", "empty"} {
		if code := run([]string{"init", dir}, &out, &errs); code != exitUsage {
			t.Errorf("init %s: exit status %d, want %d", dir, code, exitUsage)
		}
	}
	if after, err := os.ReadFile(lines[0]); err != nil || !bytes.Equal(after, before) {
		t.Errorf("init changed %s: %v", lines[0], err)
	}
}

// writeModuleHere writes a module with a lock in it, Lock, and one below it,
// mypkg.MyLock.
func writeModuleHere(t *testing.T) {
	t.Helper()
	if err := os.Mkdir("mypkg", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":         "module example.com/m\n\ngo 1.24\n",
		"m.go":           "package m\n\nimport \"sync\"\n\ntype Lock struct{ sync.Mutex }\n",
		"mypkg/mypkg.go": "package mypkg\n\nimport \"sync\"\n\ntype MyLock struct{ sync.Mutex }\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A lock with which this program was built is chosen by its path, in addition to other
// names or, without those, to the locks that are measured by default. It cannot have
// the row of another.
func TestChooseOwn(t *testing.T) {
	defer clear(own)
	for path, name := range map[string]string{"./p.Lock": "p.Lock", "../p.Lock": "p.Lock", "./sync.Mutex": "sync.Mutex"} {
		own[path] = ownLock{"example.com/m/" + name, harness.Subject{Name: name, New: func() sync.Locker { return new(sync.Mutex) }}}
	}
	for _, test := range []struct {
		locks, want string
		problem     string
	}{
		{"./p.Lock", "tas,p.Lock", ""},
		{"./p.Lock,ticket, ./p.Lock", "ticket,p.Lock", ""},
		{"ticket*,!*-p*,./p.Lock", "ticket,p.Lock", ""},
		{"./p.Lock,../p.Lock", "", `lock "../p.Lock": its row would be p.Lock, as that of ./p.Lock`},
		{"./sync.Mutex", "", `lock "./sync.Mutex": its row would be sync.Mutex, as that of one of ours`},
	} {
		var bad commandline.Problems
		c := runCmd{Locks: test.locks, Axes: sweeping.Axes{Workers: "1", Hold: "0s"}, Work: "registers", Workload: "bare", Mode: "goroutine", Arrivals: sweeping.Arrivals{Seed: "1"}}
		sweep := c.sweep(&bad)
		if test.problem != "" {
			if len(bad) != 1 || !strings.Contains(bad.Error(), test.problem) {
				t.Errorf("--locks %s: %v, want %q", test.locks, bad, test.problem)
			}
			continue
		}
		got := sweep.Subjects[0].Name + "," + sweep.Subjects[len(sweep.Subjects)-1].Name
		if len(bad) > 0 || got != test.want || len(c.own.missing) > 0 {
			t.Errorf("--locks %s: %s, %v, want %s", test.locks, got, bad, test.want)
		}
	}
}
