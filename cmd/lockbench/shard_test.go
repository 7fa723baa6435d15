package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

const shardedSweep = "--locks tas,ticket --cpus 1 --reads 0,50,90 --think 0s,50ns --count 2 --duration 20us --plots="

// inPlace runs a command in the current directory.
func inPlace(command string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(strings.Fields(command), &out, &errs)
	return code, out.String(), errs.String()
}

// The parts of a sweep, as jobs of Kubernetes measure them, make the whole when they are
// merged; without one of them there is nothing.
func TestShardsOfJobs(t *testing.T) {
	t.Chdir(t.TempDir())
	for i := range 2 {
		t.Setenv("JOB_COMPLETION_INDEX", fmt.Sprint(i))
		for range 2 { // resumed, it adds nothing
			if code, _, stderr := inPlace(fmt.Sprintf("run %s --shard auto/2 --out part%d.txt --resume", shardedSweep, i)); code != exitOK {
				t.Fatalf("part %d: exit status %d: %s", i, code, stderr)
			}
		}
	}
	if code, _, stderr := inPlace("merge part0.txt --out half.txt"); code != exitUsage || !strings.Contains(stderr, "missing of 2: shard 2") {
		t.Errorf("half of it: exit status %d: %s", code, stderr)
	}
	if _, err := os.Stat("half.txt"); err == nil {
		t.Error("half of it was written")
	}
	if code, _, stderr := inPlace("merge part1.txt part0.txt --out all.txt"); code != exitOK {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	if code, _, stderr := inPlace("merge part1.txt part0.txt --out all.txt"); code != exitUsage || !strings.Contains(stderr, "all.txt") {
		t.Errorf("over a file that is there: exit status %d: %s", code, stderr)
	}
	// The merged file is that of the whole sweep, which has nothing to add.
	if code, _, stderr := inPlace("run " + shardedSweep + " --out all.txt --resume"); code != exitOK || !strings.Contains(stderr, "24 samples") {
		t.Errorf("resumed: exit status %d: %s", code, stderr)
	}
	file, err := results.ReadFile("all.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Samples) != 24 || len(file.Done()) != 12 {
		t.Errorf("%d samples of %d cells, want 24 of 12", len(file.Samples), len(file.Done()))
	}
	if code, _, stderr := inPlace("run " + shardedSweep + " --shard 2/2 --out part0.txt --resume"); code != exitUsage || !strings.Contains(stderr, "shard") {
		t.Errorf("another part to a file: exit status %d: %s", code, stderr)
	}
}

// Which part it is must be said.
func TestShardErrors(t *testing.T) {
	for _, test := range []struct{ shard, want string }{
		{"0/2", "want I/N"}, {"3/2", "want I/N"}, {"x", "want I/N"}, {"1/", "want I/N"}, {"auto/2", "neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID"},
	} {
		if code, _, stderr := inPlace("run --shard " + test.shard); code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("--shard %s: exit status %d: %s", test.shard, code, stderr)
		}
	}
}

// The script for SLURM runs its part.
func TestSLURM(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a script of bash")
	}
	script, err := filepath.Abs("../../deploy/slurm.sh")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"srun", "lockbench"} {
		fake := "#!/bin/sh\nexec \"$@\"\n"
		if name == "lockbench" {
			fake = "#!/bin/sh\necho \"$@\"\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fake), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", script, "--locks", "mcs")
	cmd.Env = append(slices.Clone(os.Environ()), "PATH="+dir+":"+os.Getenv("PATH"), "SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=1")
	out, err := cmd.CombinedOutput()
	if want := []byte("run --shard auto/4 --out shard-3.txt --resume --plots= --locks mcs\n"); err != nil || !bytes.Equal(out, want) {
		t.Errorf("it runs %q, error %v; want %q", out, err, want)
	}
	t.Setenv("SLURM_ARRAY_TASK_ID", "9") // the second of those from 8
	t.Setenv("SLURM_ARRAY_TASK_MIN", "8")
	t.Chdir(t.TempDir())
	if code, _, stderr := inPlace("run " + shardedSweep + " --shard auto/2 --out x.txt"); code != exitOK {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	file, err := results.ReadFile("x.txt")
	if err != nil || !strings.HasPrefix(file.Noted("shard"), "2/2 with ") {
		t.Errorf("shard %q, error %v; want the second of two", file.Noted("shard"), err)
	}
}
