package results_test

import (
	"os"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

func TestBetter(t *testing.T) {
	for unit, want := range map[string]int{"ns/op": -1, "ops/s": +1, "rtt-ns": 0, "parsecs": 0} {
		if got := results.Better(unit); got != want {
			t.Errorf("Better(%q) = %d, want %d", unit, got, want)
		}
	}
}

func TestUnitsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string) // of the table, by unit
	for line := range strings.Lines(string(doc)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			for unit := range strings.FieldsSeq(cells[1]) {
				rows[strings.Trim(unit, "`")] = strings.TrimSpace(cells[2])
			}
		}
	}
	for _, u := range results.Units() {
		want := map[int]string{-1: "less", 0: "", +1: "more"}[u.Better]
		if got, ok := rows[u.Name]; !ok || got != want {
			t.Errorf("docs/results.md says %q of %s (there: %v), want %q", got, u.Name, ok, want)
		}
		if u.Means == "" {
			t.Errorf("%s means nothing", u.Name)
		}
	}
}
