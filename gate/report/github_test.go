package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/golden"
)

func github(t *testing.T, r report.Document, o report.GitHubOptions) string {
	t.Helper()
	var b strings.Builder
	if err := report.GitHub(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGitHub(t *testing.T) {
	golden.Check(t, "rich.github", github(t, rich(), report.GitHubOptions{}))
	golden.Check(t, "plain.github", github(t, plain(), report.GitHubOptions{}))
	golden.Check(t, "alone.github", github(t, alone(), report.GitHubOptions{}))
	golden.Check(t, "empty.github", github(t, document(new(gate.Report)), report.GitHubOptions{}))
}

// GitHub drops annotations beyond ten of a kind.
func TestGitHubLimit(t *testing.T) {
	for n := range 14 {
		r := plain()
		for range n {
			res := r.Results[0]
			res.Verdict = gate.Regressed
			r.Results = append(r.Results, res)
		}
		s := github(t, r, report.GitHubOptions{})
		got := strings.Count(s, "::error ")
		if got != min(n, 10) {
			t.Errorf("%d regressed: %d errors, want %d", n, got, min(n, 10))
		}
		if says := strings.Contains(s, " more like these"); says != (n > 10) {
			t.Errorf("%d regressed: says that there are more: %t", n, says)
		}
	}
}

func TestGitHubEscapes(t *testing.T) {
	r := plain()
	r.Warnings = []string{"100%, a\r\nb: c\n::error::x"}
	r.Results[0].Verdict = gate.Regressed
	r.Results[0].Name = "a%,b:c\n::error::x"
	for _, line := range strings.Split(strings.TrimSuffix(github(t, r, report.GitHubOptions{}), "\n"), "\n") {
		_, rest, ok := strings.Cut(line, " title=")
		title, message, whole := strings.Cut(rest, "::")
		if !ok || !whole || strings.ContainsAny(title, ":,\r\n") || strings.ContainsAny(message, "\r\n") {
			t.Errorf("not a command: %s", line)
		}
		if bare := strings.NewReplacer("%25", "", "%0D", "", "%0A", "", "%3A", "", "%2C", "").Replace(line); strings.Contains(bare, "%") {
			t.Errorf("a bare %%: %s", line)
		}
	}
}

func TestGitHubSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary")
	if err := os.WriteFile(path, []byte("before\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	github(t, rich(), report.GitHubOptions{Command: command, Summary: path})
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + markdown(t, rich(), report.MarkdownOptions{Command: command}); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var b strings.Builder
	if err := report.GitHub(&b, rich(), report.GitHubOptions{Summary: t.TempDir()}); err == nil {
		t.Error("a summary that is a directory: no error")
	}
	if !strings.Contains(b.String(), "::error ") {
		t.Error("a summary that cannot be written: no annotations")
	}
}

// An annotation of a benchmark is at its line, if that is known.
func TestGitHubLines(t *testing.T) {
	r := rich()
	r.New = []gate.Benchmark{{Pkg: "p", Name: "New"}}
	worst := r.Results[0].Benchmark
	s := github(t, r, report.GitHubOptions{Lines: map[gate.Benchmark]report.Line{
		worst:    {File: "a,b/x_test.go", Line: 12},
		r.New[0]: {File: "p/new_test.go", Line: 7},
	}})
	for _, want := range []string{"::error file=a%2Cb/x_test.go,line=12,title=regressed%3A ", "::notice file=p/new_test.go,line=7,title=new%3A ", "::error title="} {
		if !strings.Contains(s, "\n"+want) && !strings.HasPrefix(s, want) {
			t.Errorf("want %q in\n%s", want, s)
		}
	}
}
