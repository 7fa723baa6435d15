//go:build !race && !purego && !virtual

package gate_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/synthetic"
)

// An outcome is what became of the benchmarks of many comparisons.
type outcome struct {
	runs          int
	falseRuns     int     // in which anything was called regressed that is not
	fdp           float64 // sum of the shares of false ones among those reported
	slower, found int     // benchmarks that are slower, and those of them found
	missed        int     // slower ones that passed
	same, told    int     // benchmarks that are not slower, and those of them that passed
	rounds        int
}

// simulate compares runs times; make returns a new source each time.
func simulate(t *testing.T, runs int, r gate.Rules, make func(seed uint64) *synthetic.Source) outcome {
	o := outcome{runs: runs}
	for seed := range runs {
		src := make(uint64(seed))
		rep := compare(t, r, src)
		var reported, wrong int
		for _, res := range rep.Results {
			slower := src.Of[synthetic.Index(res.Benchmark)].Change > gate.DefaultMargin
			switch {
			case slower:
				o.slower++
			default:
				o.same++
			}
			switch {
			case res.Verdict == gate.Regressed && slower:
				o.found++
				reported++
			case res.Verdict == gate.Regressed:
				wrong++
				reported++
			case res.Verdict == gate.Pass && slower:
				o.missed++
			case res.Verdict == gate.Pass:
				o.told++
			}
		}
		if wrong > 0 {
			o.falseRuns++
			o.fdp += float64(wrong) / float64(reported)
		}
		o.rounds += rep.Rounds
	}
	return o
}

func (o outcome) String() string {
	return fmt.Sprintf("%d runs of %.0f rounds: false in %d, FDR %.4f; slower: %d of %d found, %d passed; same: %d of %d passed",
		o.runs, float64(o.rounds)/float64(o.runs), o.falseRuns, o.fdp/float64(o.runs), o.found, o.slower, o.missed, o.told, o.same)
}

// Over few benchmarks and many, all the same or some slower, with noise that
// meets all of them at once, a share of at most FDR of what is reported is
// false, and hardly anything is missed. go run ./internal/gatetrial sim is the
// same at full size.
func TestFalseDiscoveries(t *testing.T) {
	const fdr = 0.05
	for _, test := range []struct {
		cells, runs, slower int
	}{{1, 400, 0}, {20, 40, 0}, {20, 40, 5}, {300, 3, 0}, {300, 3, 30}} {
		o := simulate(t, test.runs, gate.Rules{FDR: fdr}, func(seed uint64) *synthetic.Source {
			src := synthetic.New(seed, make([]synthetic.Benchmark, test.cells)...)
			src.Rounds = 120
			for i := range src.Of {
				src.Of[i] = synthetic.Benchmark{Noise: 0.01, Tail: 0.05}
				if i < test.slower {
					src.Of[i].Change = 0.08
				}
			}
			// A neighbour that comes and goes for all.
			src.Drift = func(i int) float64 { return 1 + 0.2*math.Abs(math.Sin(float64(i)/500)) }
			return src
		})
		t.Logf("%d benchmarks: %v", test.cells, o)
		if o.fdp > fdr*float64(o.runs)+2 {
			t.Errorf("%d benchmarks: FDR %.3f, want at most %g", test.cells, o.fdp/float64(o.runs), fdr)
		}
		if o.missed > 0 {
			t.Errorf("%d benchmarks: %d that are 8%% slower passed", test.cells, o.missed)
		}
		if o.found*100 < o.slower*95 {
			t.Errorf("%d benchmarks: %d of %d that are 8%% slower were found", test.cells, o.found, o.slower)
		}
		if o.told*100 < o.same*95 {
			t.Errorf("%d benchmarks: %d of %d that are the same passed", test.cells, o.told, o.same)
		}
	}
}

// A change of 3 % exactly is no regression: it is the margin. This is where
// false alarms are most likely.
func TestAtTheMargin(t *testing.T) {
	const fdr = 0.05
	o := simulate(t, 400, gate.Rules{FDR: fdr}, func(seed uint64) *synthetic.Source {
		src := synthetic.New(seed, synthetic.Benchmark{Noise: 0.005, Change: gate.DefaultMargin})
		src.Rounds = 60
		return src
	})
	t.Log(o)
	if o.falseRuns > 30 { // 20 are expected at most; more than 30 once in 50 times
		t.Errorf("false alarms in %d of %d runs, want at most a share of %g", o.falseRuns, o.runs, fdr)
	}
}

// Layout makes a binary faster or slower than another of the same code. With
// two binaries that looks like a change; with six more it does not.
func TestLayoutIsNoChange(t *testing.T) {
	o := simulate(t, 15, gate.Rules{}, func(seed uint64) *synthetic.Source {
		src := synthetic.New(seed, make([]synthetic.Benchmark, 20)...)
		src.Rounds = 200
		src.Layout = 0.03
		for i := range src.Of {
			src.Of[i] = synthetic.Benchmark{Noise: 0.003}
		}
		return src
	})
	t.Log(o)
	if o.falseRuns > 1 {
		t.Errorf("false alarms in %d of %d runs", o.falseRuns, o.runs)
	}
}

// The machine gets 5 % slower half-way, or bit by bit: no verdict changes.
func TestDrift(t *testing.T) {
	for name, drift := range map[string]func(int) float64{
		"step": func(i int) float64 { return 1 + 0.05*math.Floor(min(float64(i)/600, 1)) },
		"ramp": func(i int) float64 { return 1 + 0.05*float64(i)/1200 },
	} {
		o := simulate(t, 20, gate.Rules{}, func(seed uint64) *synthetic.Source {
			src := synthetic.New(seed, make([]synthetic.Benchmark, 20)...)
			src.Rounds = 100
			for i := range src.Of {
				src.Of[i] = synthetic.Benchmark{Noise: 0.005}
				if i == 0 {
					src.Of[i].Change = 0.1
				}
			}
			src.Drift = drift
			return src
		})
		t.Logf("%s: %v", name, o)
		if o.falseRuns > 0 || o.found != o.slower || o.told != o.same {
			t.Errorf("%s: %v", name, o)
		}
	}
}
