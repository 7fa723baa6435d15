package results_test

import (
	"os"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

func TestBetter(t *testing.T) {
	for want, units := range map[int][]string{
		-1: {"ns/op", "cpu-ns/op", "sec/op", "p99-ns", "p99.9-latency-ns", "user+sys-sec/op", "pause-us", "p50-ms", "total_s", "ns/GC",
			"B/op", "allocs/op", "peak-RSS-bytes", "heap-MiB", "MB", "instructions/op", "write-p99-ns"},
		+1: {"ops/s", "MB/s", "B/s", "GiB/s", "read-ops/sec", "op/s", "B/ns", "jain"},
		0:  {"rtt-ns", "parsecs", "score", "hits/op", "misses/s", "ops", "ratio", "", "/", "ns-score", "operations/op", "frames/s", "-", "Bs"},
	} {
		for _, unit := range units {
			if got := results.Better(unit); got != want {
				t.Errorf("Better(%q) = %d, want %d", unit, got, want)
			}
		}
	}
	for unit, want := range map[string]bool{"rtt-ns": true, "ns/op": false, "score": false} {
		if got := results.Neutral(unit); got != want {
			t.Errorf("Neutral(%q) = %t, want %t", unit, got, want)
		}
	}
}

// A declaration takes precedence, and applies to the same unit in another scale.
func TestDirections(t *testing.T) {
	d := results.Directions{"sec/op": +1, "widgets": +1, "p99-ns": +1, "score": 0}
	for unit, want := range map[string]int{
		"ns/op": +1, "sec/op": +1, "widgets": +1, "p99-ns": +1, "p99-sec": +1, "score": 0, "p50-ns": -1, "jain": +1, "other": 0,
	} {
		if got := d.Better(unit); got != want {
			t.Errorf("better of %s is %+d, want %+d", unit, got, want)
		}
	}
	if got := results.Directions(nil).Better("ns/op"); got != -1 {
		t.Errorf("without declarations, better of ns/op is %+d, want -1", got)
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
