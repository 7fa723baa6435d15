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
	for _, test := range []struct{ environment, shard, want string }{
		{"JOB_COMPLETION_INDEX=abc", "auto/2", `JOB_COMPLETION_INDEX is "abc", want 0 to 1`},
		{"JOB_COMPLETION_INDEX=-1", "auto/2", `JOB_COMPLETION_INDEX is "-1", want 0 to 1`},
		{"JOB_COMPLETION_INDEX=2", "auto/2", `JOB_COMPLETION_INDEX is "2", want 0 to 1`},
		{"JOB_COMPLETION_INDEX=", "auto/2", `JOB_COMPLETION_INDEX is "", want 0 to 1`},
		{"JOB_COMPLETION_INDEX=0", "auto/x", "want I/N"},
		{"SLURM_ARRAY_TASK_ID=5", "auto/4", `SLURM_ARRAY_TASK_ID is "5", want 1 to 4`},
		{"SLURM_ARRAY_TASK_ID=4 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=2", "auto/4", `SLURM_ARRAY_TASK_ID is "4", want 1 to 7 in steps of 2`},
		{"SLURM_ARRAY_TASK_ID=9223372036854775807 SLURM_ARRAY_TASK_MIN=-9223372036854775808", "auto/4", "SLURM_ARRAY_TASK_ID is"},
		{"", "7/7", "--shard 7/7: there are 6 situations, each of which is measured in one part: want at most 6 parts"},
		{"", "1/7", "--shard 1/7: there are 6 situations"}, // the others would be measured for nothing
	} {
		t.Run(test.environment, func(t *testing.T) {
			for v := range strings.FieldsSeq(test.environment) {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			t.Chdir(t.TempDir())
			if code, _, stderr := inPlace("run " + shardedSweep + " --shard " + test.shard); code != exitUsage || !strings.Contains(stderr, test.want) {
				t.Errorf("--shard %s: exit status %d: %s; want %s", test.shard, code, stderr, test.want)
			}
		})
	}
	t.Setenv("SLURM_ARRAY_TASK_ID", "5") // the third of 1, 3, 5
	t.Setenv("SLURM_ARRAY_TASK_MIN", "1")
	t.Setenv("SLURM_ARRAY_TASK_STEP", "2")
	t.Chdir(t.TempDir())
	if code, _, stderr := inPlace("run " + shardedSweep + " --shard auto/3 --out x.txt"); code != exitOK {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	if file, err := results.ReadFile("x.txt"); err != nil || !strings.HasPrefix(file.Noted("shard"), "3/3 with ") {
		t.Errorf("shard %q, error %v; want the third of three", file.Noted("shard"), err)
	}
}

// Shards that were concatenated, in any order, are checked like files of their own.
func TestMergeConcatenated(t *testing.T) {
	t.Chdir(t.TempDir())
	var parts [3]string
	for i := range parts {
		name := fmt.Sprintf("part%d.txt", i)
		if code, _, stderr := inPlace(fmt.Sprintf("run %s --shard %d/3 --out %s", shardedSweep, i+1, name)); code != exitOK {
			t.Fatalf("exit status %d: %s", code, stderr)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		parts[i] = string(text)
	}
	for _, test := range []struct {
		parts  []string
		more   string
		stderr string // "" if they are the whole
	}{
		{[]string{parts[2], parts[0], parts[1]}, "", ""},
		{[]string{parts[2], parts[0]}, "part1.txt", ""},
		{[]string{parts[2], parts[0]}, "", "lockbench: missing of 3: shard 2\n"},
		{[]string{parts[0], parts[1], parts[2]}, "part1.txt", "part1.txt: is shard 2 of 3, as all.txt, from line "},
		{[]string{parts[0], parts[1][:strings.LastIndex(parts[1], "\nBenchmark")+1], parts[2]}, "", fmt.Sprintf("all.txt, from line %d: a cell has 1 sample, want at least 2", 1+strings.Count(parts[0], "\n"))},
		{[]string{parts[0], strings.Replace(parts[1], "\nBenchmark", "\nBenchmarkLock/lock=mcs/reads=0/workers=1/hold=0s/think=0s-1 5 -1 ns/op\nBenchmark", 1)}, "", fmt.Sprintf("all.txt:%d: ", 2+strings.Count(parts[0]+parts[1][:strings.Index(parts[1], "\nBenchmark")], "\n"))},
	} {
		if err := os.WriteFile("all.txt", []byte(strings.Join(test.parts, "")), 0o666); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := inPlace("merge --force --out merged.txt all.txt " + test.more)
		if test.stderr != "" {
			if code != exitUsage || !strings.Contains(stderr, test.stderr) {
				t.Errorf("%d parts and %q: exit status %d, want %q: %s", len(test.parts), test.more, code, test.stderr, stderr)
			}
			continue
		}
		file, err := results.ReadFile("merged.txt")
		if code != exitOK || err != nil || len(file.Done()) != 12 {
			t.Errorf("%d parts and %q: exit status %d, error %v: %s", len(test.parts), test.more, code, err, stderr)
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

// What deploy/ starts is a part of a sweep for each of its jobs, which lockbench measures:
// here with fewer locks, in processes of this machine, into another directory. All parts
// make the whole.
func TestDeploy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("scripts of a shell")
	}
	deploy, err := filepath.Abs("../../deploy")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(deploy, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// The script of the pod: what is indented below "args: - |".
	manifest := read("kubernetes.yaml")
	_, script, ok := strings.Cut(manifest, "args:\n            - |\n")
	script, _, ok2 := strings.Cut(script, "\n          resources:")
	if !ok || !ok2 {
		t.Fatalf("no script in\n%s", manifest)
	}
	script = strings.ReplaceAll(script, "\n              ", "\n")
	if !strings.Contains(manifest, "completionMode: Indexed") || !strings.Contains(manifest, `command: ["sh", "-ec"]`) {
		t.Errorf("want pods with numbers that run their script in sh -ec:\n%s", manifest)
	}
	workflow := read("github.yml")
	_, measure, _ := strings.Cut(workflow, "- run: lockbench run ")
	measure, _, _ = strings.Cut(measure, "\n")
	const sweep = " --locks tas --cpus 1 --reads 0,10,20,30 --think 0s --count 1 --duration 20us"
	for _, test := range []struct {
		name     string
		jobs     int
		first    int    // its number
		measured bool   // all parts: one of these files is enough
		stated   string // where the file says how many there are
		job      func(i int) (command string, environment []string)
	}{
		{"kubernetes", 8, 0, false, "completions: 8\n  parallelism: 8\n", func(i int) (string, []string) {
			return strings.TrimSpace(strings.ReplaceAll(script, "/results/", "")), []string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i)}
		}},
		{"slurm", 4, 1, true, "--array=1-4\n", func(i int) (string, []string) {
			return "exec bash " + filepath.Join(deploy, "slurm.sh"), []string{fmt.Sprintf("SLURM_ARRAY_TASK_ID=%d", i+1), "SLURM_ARRAY_TASK_COUNT=4", "SLURM_ARRAY_TASK_MIN=1"}
		}},
		{"github", 4, 1, false, "shard: [1, 2, 3, 4]\n", func(i int) (string, []string) {
			return "exec lockbench run " + strings.ReplaceAll(measure, "${{ matrix.shard }}", fmt.Sprint(i+1)), nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if all := manifest + read("slurm.sh") + workflow; !strings.Contains(all, test.stated) {
				t.Errorf("want %q in the file", test.stated)
			}
			dir := t.TempDir()
			t.Chdir(dir)
			// A job's lockbench says how it is called, and go and srun are not needed here.
			for name, fake := range map[string]string{"lockbench": `printf '%s\n' "$*"`, "go": "true", "srun": `exec "$@"`} {
				if err := os.WriteFile(name, []byte("#!/bin/sh\n"+fake+"\n"), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			for i := range test.jobs {
				command, environment := test.job(i)
				sh := exec.Command("sh", "-ec", command)
				sh.Env = append(os.Environ(), append(environment, "PATH="+dir+":"+os.Getenv("PATH"))...)
				called, err := sh.CombinedOutput()
				if err != nil {
					t.Fatalf("job %d: %v: %s", i, err, called)
				}
				for _, v := range environment {
					name, value, _ := strings.Cut(v, "=")
					t.Setenv(name, value)
				}
				run := strings.TrimSpace(string(called))
				if want := fmt.Sprintf("/%d --out shard-%d.txt", test.jobs, i+test.first); !strings.HasPrefix(run, "run --shard ") || !strings.Contains(run, want) {
					t.Errorf("job %d runs %q, want part %d with %q", i, run, i+1, want)
				}
				if !test.measured { // all is well, except for this
					if code, _, stderr := inPlace(run + " --count 0"); code != exitUsage || stderr != "lockbench: --count 0: must be at least 1\n" {
						t.Errorf("job %d: %s: exit status %d: %s", i, run, code, stderr)
					}
				} else if code, _, stderr := inPlace(run + sweep); code != exitOK {
					t.Fatalf("job %d: %s: exit status %d: %s", i, run, code, stderr)
				}
			}
			if !test.measured {
				return
			}
			files, err := filepath.Glob("shard-*.txt")
			if err != nil || len(files) != test.jobs {
				t.Fatalf("files %q, error %v; want %d", files, err, test.jobs)
			}
			if code, _, stderr := inPlace("merge --out all.txt " + strings.Join(files, " ")); code != exitOK {
				t.Errorf("merge: exit status %d: %s", code, stderr)
			}
		})
	}
}
