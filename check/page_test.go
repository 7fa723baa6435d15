//go:build virtual

package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const page = "../docs/verification.md"

// TestPage does what docs/verification.md says: it makes a module of the lock and the
// test there, and compares the output of go test and the figure with the page. -update
// writes them to the page.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod": "module example.org/locks\n\ngo 1.26.0\n\nrequire github.com/lockbench/lockbench v0.0.0\n\n" +
			fmt.Sprintf("replace github.com/lockbench/lockbench => %q\n", repo),
		"go.sum":                string(sums),
		"mylock/mylock.go":      block(t, text, "mylock/mylock.go"),
		"mylock/mylock_test.go": block(t, text, "mylock/mylock_test.go"),
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "test", "-mod=mod", "-tags", "virtual", "./mylock")
	command.Dir = dir
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "LOCKBENCH_SVG="+dir)
	output, err := command.CombinedOutput()
	if err == nil {
		t.Fatalf("go test of a broken lock passes:\n%s", output)
	}
	got := regexp.MustCompile(`\d+(\.\d+)?(ms|µs|s)\b`).ReplaceAllString(string(output), "0s")
	got = regexp.MustCompile(` +mylock_test.go:\d+: figure: .*\n`).ReplaceAllString(got, "")
	want := block(t, text, "output")
	figure, err := os.ReadFile(filepath.Join(dir, "TestExclusion.svg"))
	if err != nil {
		t.Fatalf("%v; go test said\n%s", err, output)
	}
	if *update {
		changed := strings.Replace(string(text), want, got, 1)
		if err := os.WriteFile(page, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("../docs/fig-schedule.svg", figure, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("go test ./mylock says\n%s\nand the page\n%s", got, want)
	}
	if shown, err := os.ReadFile("../docs/fig-schedule.svg"); err != nil || string(shown) != string(figure) {
		t.Errorf("fig-schedule.svg is not the figure of that, %v", err)
	}
}

// block returns the code on the page below a comment with its name.
func block(t *testing.T, text []byte, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(string(text), "<!-- "+name+" -->\n```")
	if ok {
		_, rest, _ = strings.Cut(rest, "\n")
		rest, _, ok = strings.Cut(rest, "```\n")
	}
	if !ok {
		t.Fatalf("%s: no block %q", page, name)
	}
	return rest
}
