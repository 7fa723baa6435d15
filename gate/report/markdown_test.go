package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/golden"
)

const command = "lockbench gate --base main --bench 'Lock|Load' --budget 5m"

func markdown(t *testing.T, r report.Document, o report.MarkdownOptions) string {
	t.Helper()
	var b strings.Builder
	if err := report.Markdown(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdown(t *testing.T) {
	golden.Check(t, "rich.md", markdown(t, rich(), report.MarkdownOptions{Command: command}))
	golden.Check(t, "plain.md", markdown(t, plain(), report.MarkdownOptions{}))
	golden.Check(t, "alone.md", markdown(t, alone(), report.MarkdownOptions{Command: command}))
	golden.Check(t, "empty.md", markdown(t, document(new(gate.Report)), report.MarkdownOptions{}))
	golden.Check(t, "few.md", markdown(t, many(2000), report.MarkdownOptions{Limit: 8000}))
}

// However long the report is, the comment is not too long for GitHub, and each row of
// its tables is complete.
func TestMarkdownLimit(t *testing.T) {
	huge := many(2000)
	for i := range huge.Results {
		huge.Results[i].Verdict = gate.CannotTell
		huge.Results[i].Why = fmt.Sprint("reason ", i, strings.Repeat(" because", 10))
		huge.Results[i].Name += strings.Repeat("|`", 300)
		huge.OnlyBase = append(huge.OnlyBase, huge.Results[i].Benchmark)
		huge.OnlyHead = append(huge.OnlyHead, huge.Results[i].Benchmark)
		huge.Warnings = append(huge.Warnings, strings.Repeat("<", 1000))
		huge.NotJudged = append(huge.NotJudged, "unit/op")
	}
	all := many(2000)
	for i := range all.Results {
		all.Results[i].Verdict, all.Results[i].Why = gate.Regressed, found
	}
	for name, r := range map[string]report.Document{"many": many(2000), "huge": huge, "all": all} {
		s := markdown(t, r, report.MarkdownOptions{Command: strings.Repeat("x`", 5000)})
		if len(s) > 65_536 || len(s) < 40_000 {
			t.Errorf("%s: %d bytes", name, len(s))
		}
		if !strings.Contains(s, "not shown") {
			t.Errorf("%s: does not say how many rows are not shown", name)
		}
		checkTables(t, s)
	}
}

// checkTables checks that the rows of each table have as many cells as its head.
func checkTables(t *testing.T, markdown string) {
	t.Helper()
	cells := 0
	for _, line := range strings.Split(markdown, "\n") {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(line, "|") - strings.Count(line, `\|`)
		if cells == 0 {
			cells = n
		}
		if n != cells || !strings.HasSuffix(line, "|") {
			t.Errorf("%d bars, want %d: %s", n, cells, line)
		}
	}
}

func TestMarkdownEscapes(t *testing.T) {
	r := plain()
	for _, name := range []string{"a|b", "`", "a``b", `\|`, "<b>", "</details>", "x\ny", "\u202eabc", " a ", "", "@octocat", "#1", "$x$", "&lt;", "[a](b)", "**"} {
		res := r.Results[0]
		res.Name, res.Unit, res.Why = name, name, name
		res.Verdict = gate.CannotTell
		r.Results = append(r.Results, res)
		r.Warnings = append(r.Warnings, name)
	}
	r.Base, r.Head = "`|`", "a\nb"
	golden.Check(t, "escapes.md", markdown(t, r, report.MarkdownOptions{Command: "a `b` | c\n"}))
	checkTables(t, markdown(t, r, report.MarkdownOptions{}))
}

// A picture is below the verdict, on a line of its own, and is optional.
func TestMarkdownPicture(t *testing.T) {
	without := markdown(t, rich(), report.MarkdownOptions{})
	with := markdown(t, rich(), report.MarkdownOptions{Picture: "forest.svg"})
	i := strings.Index(with, "![")
	j := i + strings.Index(with[max(i, 0):], "\n\n") + 2
	if i < 0 || !strings.HasSuffix(with[:j], "](forest.svg)\n\n") || with[:i]+with[j:] != without {
		t.Errorf("got\n%s\nwant a picture in\n%s", with, without)
	}
}
