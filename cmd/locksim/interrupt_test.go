//go:build virtual

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// A signal ends the search, and the output has what was searched until then.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	if testing.Short() {
		t.Skip("builds the command")
	}
	path := filepath.Join(t.TempDir(), "locksim")
	if out, err := exec.Command("go", "build", "-tags", "virtual", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		for _, flags := range []string{"", " --json"} {
			cmd := exec.Command(path, strings.Fields("check --locks ticket,mcs --properties exclusion,tries --workers 9 --ops 9 --budget 0s"+flags)...)
			var out bytes.Buffer
			cmd.Stdout = &out
			progress, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var errs bytes.Buffer
			piece := make([]byte, 1<<12)
			n, err := progress.Read(piece) // its progress shows that it searches
			if err != nil {
				t.Fatal(err)
			}
			errs.Write(piece[:n])
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			errs.ReadFrom(progress)
			cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(errs.String(), "interrupted: 1 of 4 claims searched") || !strings.Contains(out.String(), "not refuted") {
				t.Errorf("%v, %q: exit status %d, want %d: %s%s", sig, flags, code, exitInterrupted, &out, &errs)
			}
		}
	}
}
