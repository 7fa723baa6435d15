package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// Forks take turns round by round; they end when the process that started them is
// killed, and a resumed run has new forks, with other numbers.
func TestForks(t *testing.T) {
	dir := t.TempDir()
	args := []string{"run", "--forks", "2", "--locks", "tas,sync.Mutex", "--cpus", "1", "--reads", "0",
		"--count", "40", "--duration", "5ms", "--out", "results.txt", "--plots="}
	cmd := exec.Command(executable(t), args...)
	cmd.Dir = dir
	// The forks have the pipe, too: it ends when all of them have ended.
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitForSamples(t, dir, 6)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if _, err := log.ReadFrom(out); err != nil { // returns when the forks have ended
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("ended before it was killed: %s", &log)
	}
	before := count(t, dir)

	again := exec.Command(executable(t), append(args, "--resume", "--table")...)
	again.Dir = dir
	output, err := again.CombinedOutput()
	if err != nil || !bytes.Contains(output, []byte("spread between processes")) {
		t.Fatalf("resume: %v\n%s", err, output)
	}
	file, err := results.ReadFile(filepath.Join(dir, "results.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(file.Samples); n != 2*40 {
		t.Errorf("%d samples, want %d", n, 2*40)
	}
	for i, s := range file.Samples {
		want := (s.Round-1)%2 + 1
		if i >= before {
			want += 2
		}
		if s.Fork != want {
			t.Errorf("sample %d of round %d is of fork %d, want %d", i, s.Round, s.Fork, want)
		}
	}
	if have := slices.IndexFunc(file.Notes, func(n results.Note) bool { return n.Key == "forks" && n.Text == "2" }); have < 0 {
		t.Errorf("no note of the forks in %v", file.Notes)
	}
}

// A lock that a fork finds broken fails the run as if it had found it itself.
func TestForksOfABrokenLock(t *testing.T) {
	cmd := exec.Command(executable(t), strings.Fields("run --forks 2 --locks busted --cpus 1 --reads 0 --out results.txt --plots=")...)
	cmd.Dir = t.TempDir()
	output, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != exitFailed || !bytes.Contains(output, []byte(`lock "busted" is broken`)) {
		t.Errorf("%v, want exit status %d: %s", err, exitFailed, output)
	}
}
