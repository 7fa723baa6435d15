package measure

import (
	"math"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// What seeds explain is the range of either side's samples; samples that are the same need
// no explanation, and samples that differ and of which some are missing have no round.
func TestSpread(t *testing.T) {
	b := gate.Benchmark{Pkg: "small", Name: "Lock/lock=ticket/reads=0/workers=8/hold=0s/think=0s-8"}
	for _, test := range []struct {
		name       string
		base, head []float64
		rounds     int
		spread     float64
	}{
		{"the same", []float64{100}, []float64{100}, 1, 0},
		{"the same, by several seeds", []float64{100, 150, 90, 80, 70}, []float64{100, 150, 90, 80, 70}, 5, 0},
		{"seeds make no difference", []float64{100, 100, 100, 100, 100}, []float64{105, 105, 105, 105, 105}, 5, 0.0001},
		{"the base's seeds do", []float64{100, 90, 110, 100, 100}, []float64{105, 105, 105, 105, 105}, 5, 0.2},
		{"the head's seeds do", []float64{100, 100, 100, 100, 100}, []float64{105, 130, 100, 120, 105}, 5, 0.3},
		{"one sample", []float64{100}, []float64{105}, 0, 0},
		{"a sample is missing", []float64{100, 90, 110, 100, 100}, []float64{105, 105, 105, 105}, 0, 0},
		{"next to nothing", []float64{0, 0, 0, 0, 0}, []float64{0.002, 0.003, 0.004, 0.003, 0.003}, 5, math.Inf(1)},
		{"something out of nothing", []float64{0, 0, 0, 0, 0}, []float64{1, 1, 1, 1, 1}, 5, 0},
	} {
		run := &simulatedRun{whole: true}
		for side, values := range [][]float64{test.base, test.head} {
			run.records[side] = make(map[gate.Benchmark][]results.Record)
			for _, v := range values {
				run.records[side][b] = append(run.records[side][b], results.Record{Name: b.Name, Values: []results.Value{{Unit: "ns/op", Value: v}}})
			}
		}
		s := &Simulated{runs: []*simulatedRun{run}, given: make(map[gate.Benchmark]bool)}
		if got := run.rounds(b); got != test.rounds {
			t.Errorf("%s: %d rounds, want %d", test.name, got, test.rounds)
		}
		if got := s.Spread(b, "ns/op"); !(math.Abs(got-test.spread) < 1e-9) && got != test.spread {
			t.Errorf("%s: spread %v, want %v", test.name, got, test.spread)
		}
		differs := test.name != "the same" && test.name != "the same, by several seeds"
		if got := run.differing(); len(got) > 0 != differs {
			t.Errorf("%s: locks that differ: %q", test.name, got)
		}
	}
}
