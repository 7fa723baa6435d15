package report_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
)

// inAll writes the document in each format.
func inAll(t *testing.T, d report.Document) map[string]string {
	return map[string]string{
		"text":     text(t, d, report.TextOptions{}),
		"markdown": markdown(t, d, report.MarkdownOptions{}),
		"github":   github(t, d, report.GitHubOptions{}),
		"json":     inJSON(t, d),
		"junit":    junit(t, d, report.JUnitOptions{}),
	}
}

// Times, allocations and other units are counted separately.
func TestCounts(t *testing.T) {
	of := func(unit string, v gate.Verdict) gate.Result {
		return gate.Result{Benchmark: gate.Benchmark{Pkg: "p", Name: "A"}, Unit: unit, Better: -1, Verdict: v, N: 10, Rounds: 30, Margin: 0.03}
	}
	faster := of("ns/op", gate.Pass)
	faster.Change, faster.Lo, faster.Hi = -0.1, -0.11, -0.09
	minor := of("ns/op", gate.CannotTell)
	minor.Minor = true
	for _, test := range []struct {
		results []gate.Result
		want    string
	}{
		{[]gate.Result{of("ns/op", gate.Pass)}, "pass: 1 time passes; "},
		{[]gate.Result{of("ns/op", gate.Pass), minor}, "pass: 1 time passes; "},
		{[]gate.Result{of("ns/op", gate.Pass), of("MB/s", gate.Regressed), of("allocs/op", gate.Pass), of("B/op", gate.Pass)},
			"regressed: 2 times: 1 pass, 1 regressed; 2 allocations pass; "},
		{[]gate.Result{of("ns/op", gate.CannotTell), faster, of("p99-ns", gate.Pass), of("hits/op", gate.CannotTell)},
			"cannot tell: 3 times: 2 pass (1 improved), 1 cannot be told; 1 other metric cannot be told; "},
		{[]gate.Result{of("ns/op", gate.Pass), of("read-ops/s", gate.Pass), of("actions/op", gate.Pass)}, "pass: 2 times pass; 1 other metric passes; "},
		{[]gate.Result{of("ns/op", gate.Pass), of("instructions/op", gate.Pass)}, "pass: 1 time passes; 1 instruction count passes; "},
		{[]gate.Result{of("allocs/op", gate.Regressed), of("", gate.NoVerdict)}, "regressed: 1 allocation regressed; 1 benchmark without a verdict; "},
	} {
		s := text(t, document(&gate.Report{Results: test.results}), report.TextOptions{})
		if !strings.Contains(s, "\n"+test.want) {
			t.Errorf("want %q in\n%s", test.want, s)
		}
	}
}

// New benchmarks pass, and each format names them.
func TestNew(t *testing.T) {
	r := plain()
	r.New = []gate.Benchmark{{Pkg: "example.org/q", Name: "Sum/n=10"}}
	if r.Outcome() != gate.Pass {
		t.Errorf("outcome %v, want %v", r.Outcome(), gate.Pass)
	}
	for format, s := range inAll(t, r) {
		if !strings.Contains(s, "Sum/n=10") || strings.Contains(s, "<error") || strings.Contains(s, "::error") {
			t.Errorf("%s: want the new benchmark, and no error, in\n%s", format, s)
		}
	}
	if s := text(t, r, report.TextOptions{}); !strings.Contains(s, "pass: 1 time passes; 1 new benchmark; ") {
		t.Errorf("the last line does not say it:\n%s", s)
	}
	for format, s := range inAll(t, document(&gate.Report{New: r.New})) {
		if !strings.Contains(s, "Sum/n=10") || !strings.Contains(s, "pass") {
			t.Errorf("%s: want that it passes in\n%s", format, s)
		}
	}
}

// A package that was not measured is named with the reason, in each format.
func TestUnchanged(t *testing.T) {
	why := "its test binaries are the same"
	unchanged := []gate.Unchanged{{Pkg: "example.org/q", Why: why}, {Pkg: "example.org/r", Why: why}}
	some := plain()
	some.Unchanged = unchanged
	for name, d := range map[string]report.Document{"some": some, "all": document(&gate.Report{Unchanged: unchanged})} {
		if d.Outcome() != gate.Pass {
			t.Errorf("%s: outcome %v, want %v", name, d.Outcome(), gate.Pass)
		}
		for format, s := range inAll(t, d) {
			for _, want := range []string{"example.org/q", "example.org/r", "binaries are the same"} {
				if !strings.Contains(s, want) || strings.Contains(s, "<error") || strings.Contains(s, "::error") {
					t.Errorf("%s, %s: want %q, and no error, in\n%s", name, format, want, s)
				}
			}
		}
	}
	for want, d := range map[string]report.Document{
		"pass: 1 time passes; 2 more packages the same on both sides, and not measured; ": some,
		"pass: 2 packages the same on both sides, and not measured; ":                     document(&gate.Report{Unchanged: unchanged}),
	} {
		if s := strings.Join(strings.Fields(text(t, d, report.TextOptions{})), " "); !strings.Contains(s, want) {
			t.Errorf("want %q in\n%s", want, s)
		}
	}
}

// If there are samples and no pairs, no format mentions pairs or rounds.
func TestSamples(t *testing.T) {
	res := measured("p.A", gate.CannotTell, "the margin is within the interval", 100, 0.02, 0.03, 0, 10)
	res.Unpaired, res.Drift, res.Spread = true, 0.05, nan
	d := document(&gate.Report{Base: "a.txt", Head: "b.txt", Verdict: gate.CannotTell, Rounds: 10, Results: []gate.Result{res}})
	for format, got := range inAll(t, d) {
		if format == "json" {
			continue // its keys are always the same
		}
		if format != "junit" && !strings.Contains(got, "ample") {
			t.Errorf("%s does not speak of samples:\n%s", format, got)
		}
		for _, word := range []string{"pair", "rounds in", "10 rounds", "eading"} {
			if strings.Contains(got, word) {
				t.Errorf("%s speaks of %q:\n%s", format, word, got)
			}
		}
	}
	paired := measured("p.B", gate.Pass, within, 100, 0.001, 0.003, 0.01, 12)
	d.Results, d.Rounds = append(d.Results, paired), 36
	if got := text(t, d, report.TextOptions{Verbose: true}); !strings.Contains(got, "36 rounds") || !strings.Contains(got, "or with ? samples") {
		t.Errorf("of both kinds it says\n%s", got)
	}
}
