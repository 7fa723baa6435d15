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
)

// A module is a repository with one package and two commits: the second adds an
// allocation to Alloc, drops Gone, and adds New.
func module(t *testing.T) (dir string) {
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
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const head = "package m\n\nimport \"testing\"\n\nvar sink []byte\n\n"
	const same = "func BenchmarkSame(b *testing.B) {\n\tfor range b.N {\n\t\tsink = make([]byte, 64)\n\t}\n}\n"
	write("go.mod", "module example.org/m\n\ngo 1.24\n")
	write("m_test.go", head+same+
		"func BenchmarkAlloc(b *testing.B) {\n\tfor range b.N {\n\t\tsink = make([]byte, 64)\n\t}\n}\n"+
		"func BenchmarkGone(b *testing.B) {\n\tfor range b.N {\n\t}\n}\n")
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "base")
	git("tag", "base")
	write("m_test.go", head+same+
		"func BenchmarkAlloc(b *testing.B) {\n\tfor range b.N {\n\t\tsink = make([]byte, 64)\n\t\tsink = make([]byte, 64)\n\t}\n}\n"+
		"func BenchmarkNew(b *testing.B) {\n\tfor range b.N {\n\t}\n}\n")
	git("add", ".")
	git("commit", "-qm", "head")
	git("tag", "head")
	write("README.md", "A module.\n")
	git("add", ".")
	git("commit", "-qm", "only prose")
	git("tag", "readme")
	write("m_test.go", head+"func BenchmarkSame(b *testing.B) { undefined() }\n")
	git("add", ".")
	git("commit", "-qm", "does not build")
	git("tag", "broken")
	write("m_test.go", head+"func BenchmarkSame(b *testing.B) { panic(\"no\") }\n"+
		"func BenchmarkAlloc(b *testing.B) {\n\tfor range b.N {\n\t\tsink = make([]byte, 64)\n\t}\n}\n")
	git("add", ".")
	git("commit", "-qm", "fails")
	git("tag", "fails")
	write("m_test.go", head+"func BenchmarkSame(b *testing.B) { panic(\"no longer\") }\n"+
		"func BenchmarkAlloc(b *testing.B) {\n\tfor range b.N {\n\t\tsink = make([]byte, 64)\n\t}\n}\n")
	git("add", ".")
	git("commit", "-qm", "fails, too")
	git("tag", "fails-too")
	return dir
}

// The gate fails on regressions and on benchmarks that it cannot compare, and passes
// the others. Only counts are judged here, so that no machine is too noisy.
func TestGate(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs benchmarks")
	}
	dir := module(t)
	out := filepath.Join(t.TempDir(), "out")
	config := filepath.Join(t.TempDir(), "gate.toml")
	if err := os.WriteFile(config, []byte("[[rule]]\nbench = 'm\\.Same'\nignore = true\nreason = 'panics'\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	type gateCase struct {
		flags string
		code  int
		want  string // lines, each a part of the output
	}
	try := func(t *testing.T, test gateCase) {
		t.Helper()
		counts := "--unit allocs/op,B/op --builds 3 --min-rounds 6 "
		if strings.Contains(test.flags, "--out") {
			counts = "--exact " // instructions, too: counting them takes time
		}
		command := "gate --dir " + dir + " --cpus 1 " + counts + test.flags
		var stdout, stderr bytes.Buffer
		code := run(strings.Fields(command), &stdout, &stderr)
		text := stdout.String() + stderr.String()
		for want := range strings.SplitSeq(test.want, "\n") {
			if code != test.code || !strings.Contains(text, want) {
				t.Errorf("$ lockbench %s\nexit status %d, want %d, and %q in:\n%s", command, code, test.code, want, text)
			}
		}
	}
	cases := []gateCase{
		{"--base base --head head --bench Alloc --format github", exitFailed, "::error "},
		{"--base base --head head --bench Same|Gone", exitUsage, "example.org/m.Gone: only the base has it; if that is right, say --removed '^example\\.org/m\\.Gone$'"},
		{"--base base --head head --bench Same|Gone|New --removed Gone", exitOK, "new: New: nothing to compare it to yet\npass: 2 allocations pass; 1 new benchmark; "},
		{"--base base --head head --bench Same|Gone|New --removed Gone --new fail", exitUsage, "example.org/m.New: only the head has it; if that is right, say --new '^example\\.org/m\\.New$'"},
		{"--base base --head broken", exitUsage, "undefined: undefined"},
		{"--base fails --head base --bench Same", exitUsage, "panic: no"},
		// A benchmark that fails on both sides does not keep the others from being
		// judged.
		{"--base fails --head fails-too", exitUsage, "it fails on both sides: exit status 2\nno verdict: 2 allocations pass; 1 benchmark without a verdict; "},
		{"--base fails --head fails-too --skip Same", exitOK, "pass: "},
		{"--base fails --head fails-too --config " + config, exitOK, "not judged: example.org/m.Same: panics"},
		{"--base head --head readme", exitOK, "not measured: example.org/m: no file that it is built of has changed"},
		{"--base base --head none", exitUsage, "none"},
		{"--base base --head head --bench New", exitOK, "pass: nothing to compare: the base has no benchmarks"},
		{"--base base --head head --bench Smae", exitUsage, "nothing to compare"},
		{"--base base --head head --bench Same --min-rounds 10000 --budget 1s", exitCannotTell, "cannot tell"},
	}
	t.Run("cases", func(t *testing.T) { // each mostly waits for the go command
		for _, test := range cases {
			t.Run(test.flags, func(t *testing.T) {
				t.Parallel()
				try(t, test)
			})
		}
	})
	try(t, gateCase{"--base base --head head --bench Same --out " + out, exitOK, "forest.svg"})
	try(t, gateCase{"--base base --head head --bench Same --out " + out, exitUsage, "there is a recording already"})

	// The files that --out writes can be judged again.
	var stdout, stderr bytes.Buffer
	code := run([]string{"gate", "--files", "--exact", filepath.Join(out, "base.txt"), filepath.Join(out, "head.txt")}, &stdout, &stderr)
	if code != exitOK || !strings.Contains(stdout.String(), "pass: ") {
		t.Errorf("gate --files of the files of --out: exit status %d\n%s%s", code, &stdout, &stderr)
	}
	for _, name := range []string{"report.txt", "report.md", "report.json", "junit.xml", "verdict", "forest.svg", "forest.png"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("--out: no %s: %v", name, err)
		}
	}
	f, err := os.Open(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if rep, err := report.ReadJSON(f); err != nil || rep.Verdict != gate.Pass {
		t.Errorf("report.json: %v", err)
	}
}
