package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// With --locks ./mypkg.MyLock the command becomes another, in the same process: the lock
// is measured beside ours, an interrupt ends the sweep as it does otherwise, and nothing
// is left where temporary files are.
func TestOwnLock(t *testing.T) {
	if runtime.GOOS == "windows" || testing.Short() {
		t.Skip("signals a process, and builds the command twice")
	}
	command, dir, temp := build(t), t.TempDir(), t.TempDir()
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
	if text, _ := lastNote(file, "own"); text != "mypkg.MyLock is example.com/m/mypkg.MyLock" {
		t.Errorf("note own: %q", text)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left %v behind, %v", left, err)
	}
}

// writeModuleHere writes a module with a lock, mypkg.MyLock.
func writeModuleHere(t *testing.T) {
	t.Helper()
	if err := os.Mkdir("mypkg", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":         "module example.com/m\n\ngo 1.24\n",
		"mypkg/mypkg.go": "package mypkg\n\nimport \"sync\"\n\ntype MyLock struct{ sync.Mutex }\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A lock that this program was built with is chosen by its path, beside what else is
// named, or else beside what is measured without --locks. It cannot have the row of
// another.
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
		c := runCmd{Locks: test.locks, Workers: "1", Hold: "0s", Work: "registers", Workload: "bare", Mode: "goroutine", Seed: "1"}
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
