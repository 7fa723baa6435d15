//go:build !race && !purego && !virtual

package gate_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/gatetest"
)

// An outcome counts the verdicts on the benchmarks of many comparisons.
type outcome struct {
	runs          int
	falseRuns     int     // runs in which a benchmark was wrongly called regressed
	fdp           float64 // sum of the shares of false ones among those reported
	slower, found int     // benchmarks that are slower, and those of them found
	missed        int     // slower ones that passed
	same, told    int     // benchmarks that are not slower, and those of them that passed
	rounds        int
}

// simulate compares runs times; make returns a new source each time.
func simulate(t *testing.T, runs int, r gate.Rules, make func(seed uint64) *gatetest.Source) outcome {
	o := outcome{runs: runs}
	for seed := range runs {
		src := make(uint64(seed))
		rep := compare(t, r, src)
		var reported, wrong int
		for _, res := range rep.Results {
			slower := src.Of[gatetest.Index(res.Benchmark)].Change > gate.DefaultMargin
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

// With few benchmarks and many, all unchanged or some slower, and noise that affects
// all of them at once, at most a share FDR of the reported regressions is false, and
// hardly any is missed. go run ./tools/gatetrial sim is the same at full size.
func TestFalseDiscoveries(t *testing.T) {
	const fdr = 0.05
	for _, test := range []struct {
		cells, runs, slower int
	}{{1, 400, 0}, {20, 40, 0}, {20, 40, 5}, {300, 3, 0}, {300, 3, 30}} {
		o := simulate(t, test.runs, gate.Rules{FDR: fdr}, func(seed uint64) *gatetest.Source {
			src := gatetest.New(seed, make([]gatetest.Benchmark, test.cells)...)
			src.Builds = 48
			for i := range src.Of {
				src.Of[i] = gatetest.Benchmark{Noise: 0.01, Tail: 0.05}
				if i < test.slower {
					src.Of[i].Change = 0.08
				}
			}
			// A neighbour on the machine slows down all of them from time to time.
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

// A change of 3 % exactly is at the margin: there is a verdict, either way. Half of it
// is not called a regression, and twice as much does not pass.
func TestAtTheMargin(t *testing.T) {
	for _, test := range []struct {
		change             float64
		regressed, passing bool // which verdicts are allowed
	}{{gate.DefaultMargin / 2, false, true}, {gate.DefaultMargin, true, true}, {2 * gate.DefaultMargin, true, false}} {
		told := 0
		for seed := range 200 {
			src := gatetest.New(uint64(seed), gatetest.Benchmark{Noise: 0.01, Change: test.change})
			src.Builds, src.Layout = 48, 0.01
			switch compare(t, gate.Rules{}, src).Verdict {
			case gate.Regressed:
				told++
				if !test.regressed {
					t.Errorf("%g regressed (seed %d)", test.change, seed)
				}
			case gate.Pass:
				told++
				if !test.passing {
					t.Errorf("%g passed (seed %d)", test.change, seed)
				}
			}
		}
		if told < 180 {
			t.Errorf("%g was told in %d of 200 runs, want 180", test.change, told)
		}
	}
}

// Layout makes a binary faster or slower than another of the same code, by more than
// the margin. That is no change of the code, and a change of the code is still found.
func TestLayoutIsNoChange(t *testing.T) {
	for _, layout := range []float64{0.01, 0.02, 0.03} {
		o := simulate(t, 15, gate.Rules{}, func(seed uint64) *gatetest.Source {
			src := gatetest.New(seed, make([]gatetest.Benchmark, 20)...)
			src.Builds, src.Layout = 48, layout
			for i := range src.Of {
				src.Of[i] = gatetest.Benchmark{Noise: 0.02, Tail: 0.1, Memory: 0.9}
				if i < 4 {
					src.Of[i].Change = 0.1
				}
			}
			return src
		})
		t.Logf("layout %g: %v", layout, o)
		if o.falseRuns > 1 {
			t.Errorf("layout %g: false alarms in %d of %d runs", layout, o.falseRuns, o.runs)
		}
		if o.found*100 < o.slower*97 || o.told*100 < o.same*95 || o.missed > 0 {
			t.Errorf("layout %g: %v", layout, o)
		}
	}
}

// The machine gets 5 % slower half-way, or gradually: no verdict changes.
func TestDrift(t *testing.T) {
	for name, drift := range map[string]func(int) float64{
		"step": func(i int) float64 { return 1 + 0.05*math.Floor(min(float64(i)/600, 1)) },
		"ramp": func(i int) float64 { return 1 + 0.05*float64(i)/1200 },
	} {
		o := simulate(t, 20, gate.Rules{}, func(seed uint64) *gatetest.Source {
			src := gatetest.New(seed, make([]gatetest.Benchmark, 20)...)
			src.Builds = 48
			for i := range src.Of {
				src.Of[i] = gatetest.Benchmark{Noise: 0.005}
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
