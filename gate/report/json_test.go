package report_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/golden"
	"github.com/lockbench/lockbench/results"
)

func TestJSON(t *testing.T) {
	for name, r := range map[string]report.Document{"rich": rich(), "empty": document(new(gate.Report))} {
		var b bytes.Buffer
		if err := report.JSON(&b, r); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) {
			t.Errorf("%s: not valid", name)
		}
		golden.Check(t, name+".json", b.String())
	}
}

// inJSON returns the report in JSON, in which NaN is equal to itself.
func inJSON(t interface{ Fatal(...any) }, r report.Document) string {
	var b bytes.Buffer
	if err := report.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSONRoundTrip(t *testing.T) {
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), nan, inf, -inf, math.MaxFloat64, math.SmallestNonzeroFloat64}))
	verdict := rapid.SampledFrom([]gate.Verdict{gate.Pass, gate.CannotTell, gate.NoVerdict, gate.Regressed})
	benchmark := rapid.Custom(func(t *rapid.T) gate.Benchmark {
		return gate.Benchmark{Pkg: rapid.String().Draw(t, "pkg"), Name: rapid.String().Draw(t, "name")}
	})
	result := rapid.Custom(func(t *rapid.T) gate.Result {
		f := func(name string) float64 { return number.Draw(t, name) }
		yes := func(name string) bool { return rapid.Bool().Draw(t, name) }
		return gate.Result{
			Benchmark: benchmark.Draw(t, "benchmark"), Unit: rapid.String().Draw(t, "unit"), Better: rapid.IntRange(-1, 1).Draw(t, "better"),
			Distance: rapid.SampledFrom([]results.Distance{results.Local, results.Near, results.Far, results.Unknown}).Draw(t, "distance"),
			Verdict:  verdict.Draw(t, "verdict"), Why: rapid.String().Draw(t, "why"), Output: rapid.String().Draw(t, "output"),
			N: rapid.Int().Draw(t, "n"), Rounds: rapid.Int().Draw(t, "rounds"), Old: f("old"), New: f("new"), Change: f("change"), Lo: f("lo"), Hi: f("hi"),
			Spread: f("spread"), Within: f("within"), Margin: f("margin"), Drift: f("drift"), Evidence: f("evidence"),
			Exact: yes("exact"), Signed: yes("signed"), Unpaired: yes("unpaired"), Confirmed: yes("confirmed"), Minor: yes("minor"),
		}
	})
	finding := rapid.Custom(func(t *rapid.T) shape.Finding {
		s := func(name string) string { return rapid.String().Draw(t, name) }
		return shape.Finding{
			Shape: s("shape"), Place: s("place"), Kind: s("kind"), Demand: s("demand"), Lock: s("lock"), Where: s("where"), Verdict: verdict.Draw(t, "verdict"), Why: s("why"),
			Value: number.Draw(t, "value"), Lo: number.Draw(t, "lo"), Hi: number.Draw(t, "hi"), Unit: s("unit"),
			N: rapid.Int().Draw(t, "n"), Points: rapid.Int().Draw(t, "points"), Left: rapid.Int().Draw(t, "left"), Minor: rapid.Bool().Draw(t, "minor"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		r := document(&gate.Report{
			Base: rapid.String().Draw(t, "base"), Head: rapid.String().Draw(t, "head"), Verdict: verdict.Draw(t, "verdict"),
			Rules:    gate.Rules{Margin: 0.05, FDR: 0.02, Confidence: 0.95, MinRounds: 7, Budget: time.Minute, Units: []string{"ns/op"}},
			Results:  rapid.SliceOfN(result, 0, 3).Draw(t, "results"),
			OnlyBase: rapid.SliceOfN(benchmark, 0, 2).Draw(t, "only base"), OnlyHead: rapid.SliceOfN(benchmark, 0, 2).Draw(t, "only head"), New: rapid.SliceOfN(benchmark, 0, 2).Draw(t, "new"),
			NotJudged: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "not judged"), Warnings: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "warnings"),
			Unchanged: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) gate.Unchanged {
				return gate.Unchanged{Pkg: rapid.String().Draw(t, "pkg"), Why: rapid.String().Draw(t, "why")}
			}), 0, 2).Draw(t, "unchanged"), Interrupted: rapid.Bool().Draw(t, "interrupted"),
			Problems: rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "problems"),
			Took:     time.Duration(rapid.Int64().Draw(t, "took")), Rounds: rapid.Int().Draw(t, "rounds"),
		})
		r.Shapes = rapid.SliceOfN(finding, 0, 2).Draw(t, "shapes")
		want := inJSON(t, r)
		back, err := report.ReadJSON(strings.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		if got := inJSON(t, back); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for i, res := range back.Results {
			if math.Float64bits(res.Change) != math.Float64bits(r.Results[i].Change) && !math.IsNaN(res.Change) {
				t.Errorf("change %v, want %v", res.Change, r.Results[i].Change)
			}
		}
		// The other writers accept all that, too.
		var b bytes.Buffer
		for _, err := range []error{
			report.Text(&b, r, report.TextOptions{}), report.Markdown(&b, r, report.MarkdownOptions{}),
			report.GitHub(&b, r, report.GitHubOptions{}), report.JUnit(&b, r, report.JUnitOptions{}),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// A file that is not a report never passes. Version 2 is read, too: it has no spread.
func TestReadJSONBefore(t *testing.T) {
	now := inJSON(t, plain())
	before := strings.NewReplacer(`"schema_version": 3`, `"schema_version": 2`, `"spread": 0.001`, `"noise": 0.001`, `"within": 0.001,`, ``).Replace(now)
	if strings.Contains(before, "spread") || strings.Contains(before, "within\":") {
		t.Fatalf("it still has them:\n%s", before)
	}
	d, err := report.ReadJSON(strings.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	if r := d.Results[0]; r.N != plain().Results[0].N || !math.IsNaN(r.Spread) || !math.IsNaN(r.Within) {
		t.Errorf("%d readings, spread %g and within %g, want %d and two NaN", r.N, r.Spread, r.Within, plain().Results[0].N)
	}
}

func TestReadJSONErrors(t *testing.T) {
	r := plain()
	r.Shapes = []shape.Finding{{Demand: "sigma ≤ 0.1", Verdict: gate.Pass}}
	good := inJSON(t, r)
	for name, in := range map[string]string{
		"empty":            "",
		"null":             "null",
		"an object":        "{}",
		"another version":  strings.Replace(good, `"schema_version": 3`, `"schema_version": 1`, 1),
		"no verdict":       strings.Replace(good, `"verdict": "pass"`, `"other": "pass"`, 1),
		"another verdict":  strings.Replace(good, `"verdict": "pass"`, `"verdict": "good"`, 1),
		"a result's":       strings.Replace(good, "\t\t\t\"verdict\": \"pass\"", "\t\t\t\"verdict\": \"\"", 1),
		"a shape's":        strings.Replace(good, "\"where\": \"\",\n\t\t\t\"verdict\": \"pass\",", "\"where\": \"\",", 1),
		"cut off":          good[:len(good)/2],
		"followed":         good + "x",
		"twice":            good + good,
		"not a number":     strings.Replace(good, `"spread": 0.001`, `"spread": "nan"`, 1),
		"another better":   strings.Replace(good, `"better": "lower"`, `"better": "more"`, 1),
		"an array":         "[" + good + "]",
		"text, not number": strings.Replace(good, `"n": 20`, `"n": "20"`, 1),
	} {
		if in == good {
			t.Errorf("%s: the test changes nothing", name)
		}
		if r, err := report.ReadJSON(strings.NewReader(in)); err == nil {
			t.Errorf("%s: %+v, want an error", name, r)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}
