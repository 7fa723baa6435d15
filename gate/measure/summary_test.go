package measure

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// Of code that runs alone, times and rates are those of the fastest slice; all other
// units have the median.
func TestSummary(t *testing.T) {
	var lines []line
	for i, ns := range []float64{40, 20, 30, 50} {
		l := line{name: "X", n: 7, values: []results.Value{{Unit: "ns/op", Value: ns}, {Unit: "MB/s", Value: float64(100 + i)}, {Unit: "allocs/op", Value: float64(i)}}}
		if i < 3 {
			l.values = append(l.values, results.Value{Unit: "rare", Value: -ns})
		}
		lines = append(lines, l)
	}
	for alone, want := range map[bool][]results.Value{
		true:  {{Unit: "ns/op", Value: 20}, {Unit: "MB/s", Value: 101}, {Unit: "allocs/op", Value: 1}, {Unit: "rare", Value: -30}},
		false: {{Unit: "ns/op", Value: 30}, {Unit: "MB/s", Value: 101}, {Unit: "allocs/op", Value: 1}, {Unit: "rare", Value: -30}},
	} {
		if got := summary(lines, alone); !slices.Equal(got.values, want) || got.name != "X" || got.n != 7 {
			t.Errorf("alone %t: %+v, want %v", alone, got, want)
		}
	}
}
