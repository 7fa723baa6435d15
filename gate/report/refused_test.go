package report_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/golden"
)

// failed returns a report with benchmarks that cannot be judged and one that passes.
func failed() report.Document {
	r := plain()
	r.Results = append([]gate.Result{{
		Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "Broken/x"}, Verdict: gate.NoVerdict,
		Why: "it fails on both sides: exit status 2", Output: "panic: oh no `|<b>\n\tat\x1b[31m line 1", Old: nan, New: nan, Change: nan, Lo: nan, Hi: nan, Spread: nan, Within: nan,
	}, {
		Benchmark: gate.Benchmark{Pkg: "example.org/q"}, Verdict: gate.NoVerdict,
		Why: "it fails on the head, and runs on the base", Old: nan, New: nan, Change: nan, Lo: nan, Hi: nan, Spread: nan, Within: nan,
	}}, r.Results...)
	r.Verdict = gate.NoVerdict
	return r
}

// refused returns the report of a comparison that could not be made.
func refused() report.Document {
	return document(&gate.Report{Base: "main", Problems: []string{"head does not build: example.org/p\n\tx_test.go:5:2: undefined: `y`", "--margin <lots>: want a share"}})
}

// Each format names the benchmarks that cannot be judged, with the reason: no format is
// empty, and none says that they pass.
func TestNoVerdict(t *testing.T) {
	for name, r := range map[string]report.Document{"failed": failed(), "refused": refused()} {
		if r.Outcome() != gate.NoVerdict {
			t.Errorf("%s: outcome %v, want %v", name, r.Outcome(), gate.NoVerdict)
		}
		for format, s := range map[string]string{
			"text":   text(t, r, report.TextOptions{}),
			"md":     markdown(t, r, report.MarkdownOptions{}),
			"github": github(t, r, report.GitHubOptions{}),
			"xml":    junit(t, r, report.JUnitOptions{}),
			"json":   inJSON(t, r),
		} {
			golden.Check(t, name+"."+format, s)
			if !strings.Contains(s, "no verdict") || strings.Contains(s, "\x1b") {
				t.Errorf("%s.%s: want that there is no verdict, and nothing that a terminal obeys:\n%s", name, format, s)
			}
			if strings.HasPrefix(s, "pass") || strings.Contains(s, "\npass:") {
				t.Errorf("%s.%s says pass:\n%s", name, format, s)
			}
		}
	}
}
