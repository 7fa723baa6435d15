package main

import (
	"encoding/json"
	"testing"
)

// Doctor finds something about everything, and succeeds whatever that is.
func TestDoctor(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at the machine for two seconds")
	}
	code, stdout, stderr := lockbench(t, "doctor --quick --json")
	var report struct {
		Schema   int
		Grade    string
		Findings []struct{ Name, Grade, Says string }
		Noise    []struct{ Cells string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != exitOK {
		t.Fatalf("doctor --json: exit status %d, %v: %s", code, err, stderr)
	}
	if report.Schema != 1 || report.Grade == "" || len(report.Findings) < 15 || len(report.Noise) == 0 {
		t.Errorf("schema %d, grade %q, %d findings, %d kinds of noise; want 1, a grade, 15 or more, some", report.Schema, report.Grade, len(report.Findings), len(report.Noise))
	}
	for _, f := range report.Findings {
		if f.Name == "" || f.Grade == "" || f.Says == "" {
			t.Errorf("%+v: says nothing", f)
		}
	}
}
