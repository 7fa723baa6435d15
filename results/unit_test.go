package results_test

import (
	"fmt"
	"os"
	"slices"
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

// Each unit of the table says where its values come from, and whether more is better.
func TestUnits(t *testing.T) {
	for _, u := range results.Units() {
		for _, fault := range faults(u) {
			t.Errorf("%s: %s", u.Name, fault)
		}
	}
	for _, wrong := range []results.Unit{
		{Name: "ns/op", Kind: results.KindTime, Means: "a row without a direction"},
		{Name: "ns/op", Better: 2, Kind: results.KindTime, Means: "with a direction that is none"},
		{Name: "ns/op", Better: -1, Means: "without a kind"},
		{Name: "ns/op", Better: -1, Kind: "timed", Means: "of an unknown kind"},
		{Name: "ns/op", Better: -1, Kind: results.KindTime},
		{Better: -1, Kind: results.KindTime, Means: "without a name"},
	} {
		if len(faults(wrong)) == 0 {
			t.Errorf("nothing is wrong with %+v", wrong)
		}
	}
}

// conditions are the units that say under which conditions others were measured. No
// other unit may lack a direction.
var conditions = []string{"offered-ops/s", "capacity-ops/s", "rtt-ns", "gc-cycles/s", "drift"}

// faults returns what is wrong with a row of the table.
func faults(u results.Unit) (all []string) {
	if u.Name == "" || u.Means == "" {
		all = append(all, "no name, or no meaning")
	}
	if u.Better != +1 && u.Better != -1 && !(u.Better == 0 && slices.Contains(conditions, u.Name)) {
		all = append(all, fmt.Sprintf("better %d: want +1 or -1", u.Better))
	}
	switch u.Kind {
	case results.KindTime, results.KindEvents, results.KindMemory, results.KindIndex:
	default:
		all = append(all, fmt.Sprintf("of kind %q", u.Kind))
	}
	return all
}

// A unit that is not in the table is a time if its name says so.
func TestKindOf(t *testing.T) {
	for want, units := range map[results.Kind][]string{
		results.KindTime:   {"ns/op", "sec/op", "MB/s", "B/s", "read-ops/s", "p99-ns", "x.ns/op", "MiB/s", "ops/sec", "ns/GC", "rtt-ns"},
		results.KindMemory: {"B/op", "allocs/op"},
		results.KindEvents: {results.Instructions, "cycles/op"},
		results.KindIndex:  {"jain"},
		"":                 {"actions/op", "heap-bytes", "MB/op", "frames/s", "score", ""},
	} {
		for _, unit := range units {
			if got := results.KindOf(unit); got != want {
				t.Errorf("KindOf(%q) = %q, want %q", unit, got, want)
			}
			if got := results.Counted(unit); got != (want == results.KindMemory) {
				t.Errorf("Counted(%q) = %t", unit, got)
			}
		}
	}
}

// Files have words for the directions.
func TestDirection(t *testing.T) {
	for word, want := range map[string]int{"higher": +1, "lower": -1, "": 0} {
		if got := results.Direction(want); got != word {
			t.Errorf("Direction(%d) = %q, want %q", want, got, word)
		}
		if got, ok := results.ParseDirection(word); got != want || ok != (word != "") {
			t.Errorf("ParseDirection(%q) = %d, %t, want %d", word, got, ok, want)
		}
	}
	if got, ok := results.ParseDirection("more"); got != 0 || ok {
		t.Errorf("ParseDirection(more) = %d, %t", got, ok)
	}
	for better, want := range map[int]string{-1: "Unit x assume=nothing better=lower\n", 0: "Unit x assume=nothing\n"} {
		if got := results.Declare("x", better); got != want {
			t.Errorf("Declare(x, %d) = %q, want %q", better, got, want)
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
