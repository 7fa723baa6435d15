package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/golden"
)

// shapesOfAllKinds returns findings of all kinds and verdicts.
func shapesOfAllKinds() []shape.Finding {
	scaling := func(lock, demand string, verdict gate.Verdict, value, lo, hi float64) shape.Finding {
		why := "the whole interval is within the limit"
		if verdict == gate.Regressed {
			why = "the whole interval is beyond the limit"
		}
		return shape.Finding{
			Shape: "scaling ^(mcs|ticket)$", Place: "gate.toml:1", Kind: "scaling", Demand: demand,
			Lock: lock, Where: "near, 1 worker per CPU, hold 0s, think 100ns, 0% reads",
			Verdict: verdict, Why: why, Value: value, Lo: lo, Hi: hi, N: 12, Points: 5,
		}
	}
	return []shape.Finding{
		scaling("ticket", "sigma ≤ 0.1", gate.Regressed, 0.302, 0.285, 0.322),
		scaling("ticket", "kappa ≤ 0.001", gate.Regressed, 0.01996, 0.01885, 0.02069),
		scaling("ticket", "peak ≥ 8 CPUs", gate.Regressed, 5.914, 5.847, 6.003),
		{
			Shape: "floor jain few", Place: "gate.toml:15", Kind: "floor", Demand: "jain ≥ 0.9",
			Lock: "few", Where: "2 CPUs near, 2 workers, hold 0s, think 0s, 0% reads",
			Verdict: gate.CannotTell, Why: "4 rounds: too few for an interval",
			Value: 1, Lo: math.Inf(-1), Hi: math.Inf(+1), Unit: "jain", N: 4, Points: 1,
		},
		scaling("mcs", "sigma ≤ 0.1", gate.Pass, 0.03302, 0.02265, 0.03621),
		scaling("mcs", "kappa ≤ 0.001", gate.Pass, 0.00014239, 0, 0.000675),
		scaling("mcs", "peak ≥ 8 CPUs", gate.Pass, 82.41, 38.04, math.Inf(+1)),
		{
			Shape: "a | b", Place: "gate.toml:7", Kind: "crossover", Demand: "60 ≤ reads ≤ 80",
			Lock: "a", Where: "2 CPUs near, 2 workers, hold 0s, think 0s",
			Verdict: gate.Pass, Why: "the whole interval is within the limit",
			Value: 70.24, Lo: 67.41, Hi: 72.33, Unit: "reads", N: 12, Points: 4,
		},
		{
			Shape: "ns/op of ^(tas|ttas)$ against sync.Mutex", Place: "gate.toml:20", Kind: "ratio", Demand: "ns/op / sync.Mutex ≤ 0.7",
			Lock: "tas", Where: "2 CPUs near, 2 workers, hold 0s, think 0s, 0% reads",
			Verdict: gate.Pass, Why: "the whole interval is within the limit",
			Value: 0.615, Lo: 0.6, Hi: 0.64, N: 12, Points: 1,
		},
	}
}

// Each format is one document, with the shapes in it.
func TestWriteShapes(t *testing.T) {
	r := plain()
	r.Shapes = shapesOfAllKinds()
	golden.Check(t, "shapes.text", text(t, r, report.TextOptions{}))
	var alone strings.Builder
	if err := report.Shapes(&alone, r.Shapes); err != nil || alone.Len() == 0 || !strings.Contains(text(t, r, report.TextOptions{}), alone.String()) {
		t.Errorf("Shapes: %v, want what the text has of them, have\n%s", err, &alone)
	}
	golden.Check(t, "shapes.md", markdown(t, r, report.MarkdownOptions{}))
	golden.Check(t, "shapes.github", github(t, r, report.GitHubOptions{}))
	golden.Check(t, "shapes.xml", junit(t, r, report.JUnitOptions{}))

	back, err := report.ReadJSON(strings.NewReader(inJSON(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Shapes) != len(r.Shapes) {
		t.Fatalf("JSON has %d shapes, want %d", len(back.Shapes), len(r.Shapes))
	}
	for i, got := range back.Shapes {
		want := r.Shapes[i]
		if got.Verdict != want.Verdict || got.Value != want.Value || got.Lo != want.Lo || got.Demand != want.Demand {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if r.Outcome() != gate.Regressed || back.Outcome() != gate.Regressed {
		t.Errorf("outcome %v, and %v after JSON, want what the worst shape says", r.Outcome(), back.Outcome())
	}
}

func TestShapesMarkdownLimit(t *testing.T) {
	r := plain()
	one := shapesOfAllKinds()[0]
	for range 1000 {
		r.Shapes = append(r.Shapes, one)
	}
	s := markdown(t, r, report.MarkdownOptions{Limit: 10_000})
	if len(s) > 10_000 || !strings.Contains(s, "more: not shown") {
		t.Errorf("%d bytes, want at most 10000 that say how much is not shown", len(s))
	}
}

// Without a base the shapes alone decide; with one, a comparison of nothing has no
// verdict, whatever the shapes are.
func TestShapesAlone(t *testing.T) {
	for _, test := range []struct {
		base    string
		verdict gate.Verdict
		problem []string
		want    gate.Verdict
	}{
		{"", gate.Pass, nil, gate.Pass},
		{"", gate.CannotTell, nil, gate.CannotTell},
		{"", gate.Regressed, nil, gate.Regressed},
		{"", gate.Pass, []string{"no such file"}, gate.NoVerdict},
		{"base.txt", gate.Pass, nil, gate.NoVerdict},
		{"base.txt", gate.Regressed, nil, gate.Regressed},
	} {
		d := report.Document{
			Report: &gate.Report{Base: test.base, Head: "head.txt", Problems: test.problem},
			Shapes: []shape.Finding{{Demand: "jain ≥ 0.9", Verdict: test.verdict}},
		}
		back, err := report.ReadJSON(strings.NewReader(inJSON(t, d)))
		if err != nil {
			t.Fatal(err)
		}
		if d.Outcome() != test.want || back.Outcome() != test.want {
			t.Errorf("%+v: outcome %v, and %v after JSON", test, d.Outcome(), back.Outcome())
		}
		if s := text(t, d, report.TextOptions{}); strings.Contains(s, "base ,") || (test.base == "") == strings.Contains(s, "nothing was compared") && test.problem == nil {
			t.Errorf("%+v:\n%s", test, s)
		}
	}
	if v := (report.Document{Report: &gate.Report{Head: "head.txt"}}).Outcome(); v != gate.NoVerdict {
		t.Errorf("nothing at all: %v", v)
	}
}
