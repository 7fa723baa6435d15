//go:build !race && !purego && !virtual

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/gatetest"
)

// simulatedModule makes a repository of the module that stands for this one, with these
// commits: none has no simulator, base is the module, test has a test more, and head two
// slower locks, one of which is within what seeds make of it.
func simulatedModule(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	commit := func(name string) {
		t.Helper()
		git("add", ".")
		git("commit", "-qm", name)
		git("tag", name)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("go.mod", "module example.com/locks\n\ngo 1.26\n")
	commit("none")
	if err := os.Remove(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	if err := gatetest.WriteSimulator(dir); err != nil {
		t.Fatal(err)
	}
	write("mcs/mcs.go", "package mcs\n\nconst Lines = 100\n") // so many differ by the seed
	commit("base")
	write("ticket/ticket_test.go", "package ticket\n")
	commit("test")
	write("ticket/ticket.go", "package ticket\n\nconst Lines = 5\n")
	write("mcs/mcs.go", "package mcs\n\nconst Lines = 104\n")
	commit("head")
	return dir
}

// The gate compares the locks of two commits in the simulator.
func TestGateSim(t *testing.T) {
	if testing.Short() {
		t.Skip("builds simulators")
	}
	dir := simulatedModule(t)
	out := filepath.Join(t.TempDir(), "out")
	config := filepath.Join(t.TempDir(), "sim.toml")
	if err := os.WriteFile(config, []byte("sim = true\nmachine = ['small']\ncpus = [8]\nlocks = ['ticket']\ntolerance = '26%'\n"+
		"[[rule]]\nbench = '^small\\.Lock/lock=ticket/'\nunit = 'ns/op'\nmargin = '20%'\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags string
		code  int
		want  string // lines, each with words that are in one line of the output
		not   string
	}{
		{"--base base --head head --config " + config + " --out " + out, exitFailed,
			"ns/op 320 400 +25.0% 20% regressed\nlines/op 4 5 +25.0% pass\nmargin: 26%\nregressed: 1 time regressed", "mcs"},
		// What is wrong on one machine does not keep those on others from being judged.
		{"--sim --machine large,small --cpus 1,8 --base base --head head --unit lines/op --cannot-tell pass", exitFailed,
			"head: locksim run --machine large: exit status 1\nno machine large\n4 5 +25.0% regressed\n120 124 +3.3% 33.33% pass\nregressed:", "ns/op"},
		{"--sim --base base --head test", exitOK, "not measured, since no file that its locks are built of has changed: ./cmd/locksim\npass:", ""},
		{"--sim --base none --head head", exitUsage, "base: has no ./cmd/locksim, the simulator", ""},
	} {
		t.Run(test.flags, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(strings.Fields("gate --dir "+dir+" "+test.flags), &stdout, &stderr)
			text := stdout.String() + stderr.String()
			for want := range strings.SplitSeq(test.want, "\n") {
				if code != test.code || !hasLine(text, want) {
					t.Errorf("exit status %d, want %d, and a line with %q in:\n%s", code, test.code, want, text)
				}
			}
			if test.not != "" && strings.Contains(stdout.String(), test.not) {
				t.Errorf("want no %q in:\n%s", test.not, text)
			}
		})
	}
	checkReports(t, out, "regressed", "lines/op")
	f, err := os.Open(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if rep, err := report.ReadJSON(f); err != nil || rep.Verdict != gate.Regressed {
		t.Errorf("report.json: %v", err)
	}
	// The files of --out can be judged again.
	var stdout, stderr bytes.Buffer
	code := run([]string{"gate", "--files", filepath.Join(out, "base-small.txt"), filepath.Join(out, "head-small.txt")}, &stdout, &stderr)
	if code != exitFailed || !hasLine(stdout.String(), "ns/op +25.0% regressed") {
		t.Errorf("gate --files of the files of --out: exit status %d\n%s%s", code, &stdout, &stderr)
	}
	if code := run(strings.Fields("gate --sim --dir "+dir+" --base base --head head --out "+out), &stdout, &stderr); code != exitUsage {
		t.Errorf("--out with a recording: exit status %d, want %d", code, exitUsage)
	}
}

// hasLine reports whether a line of text has all the words.
func hasLine(text, words string) bool {
	for line := range strings.Lines(text) {
		all := true
		for word := range strings.FieldsSeq(words) {
			all = all && strings.Contains(line, word)
		}
		if all {
			return true
		}
	}
	return false
}
