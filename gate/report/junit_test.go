package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/golden"
)

func junit(t *testing.T, r report.Document, o report.JUnitOptions) string {
	t.Helper()
	var b strings.Builder
	if err := report.JUnit(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkJUnit parses XML and counts its elements.
func checkJUnit(t *testing.T, s string) (tests, failures, errs, skipped int) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	count := make(map[string]int)
	attributes := make(map[string]string) // of the root
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
		if e, ok := token.(xml.StartElement); ok {
			count[e.Name.Local]++
			if e.Name.Local == "testsuites" {
				for _, a := range e.Attr {
					attributes[a.Name.Local] = a.Value
				}
			}
		}
	}
	for attribute, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
		if attributes[attribute] != strconv.Itoa(count[element]) {
			t.Errorf("%s=%q, want %d", attribute, attributes[attribute], count[element])
		}
	}
	return count["testcase"], count["failure"], count["error"], count["skipped"]
}

func TestJUnit(t *testing.T) {
	for name, r := range map[string]report.Document{"rich": rich(), "plain": plain(), "alone": alone(), "empty": document(new(gate.Report))} {
		s := junit(t, r, report.JUnitOptions{})
		checkJUnit(t, s)
		golden.Check(t, name+".xml", s)
	}
}

func TestJUnitCounts(t *testing.T) {
	type counts struct{ tests, failures, errs, skipped int }
	for _, test := range []struct {
		name string
		r    report.Document
		o    report.JUnitOptions
		want counts
	}{
		{"rich", rich(), report.JUnitOptions{}, counts{21, 4, 7, 1}},
		{"cannot tell passes", rich(), report.JUnitOptions{CannotTellPasses: true}, counts{21, 4, 3, 5}},
		{"plain", plain(), report.JUnitOptions{}, counts{1, 0, 0, 0}},
		{"nothing", document(new(gate.Report)), report.JUnitOptions{}, counts{1, 0, 1, 0}},
		{"shapes", report.Document{Report: plain().Report, Shapes: []shape.Finding{
			{Shape: "scales", Lock: "ticket", Where: "reads=0", Demand: "sigma ≤ 0.1", Verdict: gate.Pass},
			{Shape: "scales", Lock: "mcs", Where: "reads=0", Demand: "sigma ≤ 0.1", Verdict: gate.Regressed, Why: "beyond"},
			{Shape: "fair", Lock: "mcs", Where: "reads=0", Demand: "jain ≥ 0.9", Verdict: gate.CannotTell, Minor: true},
			{Shape: "fair", Lock: "ticket", Where: "reads=0", Demand: "jain ≥ 0.9", Verdict: gate.CannotTell},
		}}, report.JUnitOptions{}, counts{5, 1, 1, 1}},
		{"failed", failed(), report.JUnitOptions{CannotTellPasses: true}, counts{3, 0, 2, 0}},
		{"refused", refused(), report.JUnitOptions{CannotTellPasses: true}, counts{2, 0, 2, 0}},
		{"many", many(2000), report.JUnitOptions{}, counts{2000, 1, 40, 0}},
	} {
		var got counts
		got.tests, got.failures, got.errs, got.skipped = checkJUnit(t, junit(t, test.r, test.o))
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestJUnitIsValidXML(t *testing.T) {
	r := plain()
	r.Results[0].Name = "a\x00b\x1b[31m<&>\"'\ufffe\xff]]>"
	r.Results[0].Why = r.Results[0].Name
	r.Results[0].Pkg = r.Results[0].Name
	r.Results[0].Verdict = gate.Regressed
	r.Warnings = []string{r.Results[0].Name}
	s := junit(t, r, report.JUnitOptions{})
	checkJUnit(t, s)
	for _, c := range s {
		if c < ' ' && c != '\n' && c != '\t' || c == '\ufffe' {
			t.Errorf("character %q", c)
		}
	}
}
