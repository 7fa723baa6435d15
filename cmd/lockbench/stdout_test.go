package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// A full is an output that accepts left bytes, like a disk that becomes full.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left >= 0 {
		return len(p), nil
	}
	return 0, errFull
}

// If stdout cannot be written, no command ends with success, and none as if it had
// found a fault.
func TestFullStdout(t *testing.T) {
	writeRuns(t, 30)
	const results = "goos: linux\ngoarch: amd64\ncpu: test\nmachine: host\n" +
		"BenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1\t5000000\t61 ns/op\n"
	if err := os.WriteFile("good.txt", []byte(results), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"list",
		"list --json",
		"list --workloads",
		"decode mutex 0x305",
		"plot good.txt",
		"export good.txt",
		"export good.txt --format json",
		"compare good.txt good.txt",
		"compare good.txt good.txt --format json",
		"gate --files good.txt good.txt --cannot-tell pass",
		"gate --files good.txt good.txt --cannot-tell pass --format json",
		"history",
		"torture --locks tas --duration 1ms",
		"run --locks tas --reads 0 --cpus 1 --count 1 --plots=",
		"run --locks tas --reads 0 --cpus 1 --count 1 --plots= --format csv",
		"--help",
	} {
		for _, room := range []int{0, 10} {
			os.Remove("results.txt")
			var errs bytes.Buffer
			code := run(strings.Fields(command), &full{room}, &errs)
			if code != exitUsage || strings.Count(errs.String(), errFull.Error()) != 1 {
				t.Errorf("$ lockbench %s, with room for %d bytes on stdout\nexit status %d, want %d, and once %q in:\n%s", command, room, code, exitUsage, errFull, &errs)
			}
		}
	}
	// A fault that was found sets the exit code, even if it could not be written.
	var errs bytes.Buffer
	if code := run([]string{"history", "--fail"}, &full{0}, &errs); code != exitFailed {
		t.Errorf("history --fail of a slower run, on a full stdout: exit status %d, want %d: %s", code, exitFailed, &errs)
	}
}
