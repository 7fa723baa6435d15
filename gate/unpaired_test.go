package gate_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/perf/benchmath"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A run makes up the output of go test -count=n: benchmarks with noise of their own, on
// a machine with the speed of the run.
type run struct {
	benchmarks, n int
	pace          float64         // the speed of the machine, for all benchmarks
	slower        map[int]float64 // the change of the code, for one benchmark
}

func (r run) file(name string, random *rand.Rand) *results.RecordFile {
	f := &results.RecordFile{Name: name, Facts: results.Facts{GOOS: "linux"}}
	for i := range r.benchmarks {
		noise := 0.002 + 0.01*float64(i)/float64(r.benchmarks)
		for range r.n {
			v := 100 * r.pace * (1 + r.slower[i]) * math.Exp(noise*random.NormFloat64())
			if random.Float64() < 0.05 {
				v *= 1 + random.Float64() // an interrupt, or worse
			}
			f.Records = append(f.Records, results.Record{
				Name: fmt.Sprintf("B%02d", i), Ops: int(1e8 / v), Values: []results.Value{{Unit: "ns/op", Value: v}},
			})
		}
	}
	return f
}

// benchstat reports whether benchstat would say that the head is worse by more than 3%,
// at p < 0.05, as its own package computes it.
func benchstat(base, head *results.RecordFile, name string) bool {
	sample := func(f *results.RecordFile) *benchmath.Sample {
		var values []float64
		for _, r := range f.Records {
			if r.Name == name {
				values = append(values, r.Values[0].Value)
			}
		}
		return benchmath.NewSample(values, &benchmath.DefaultThresholds)
	}
	a, b := sample(base), sample(head)
	old := benchmath.AssumeNothing.Summary(a, 0.95).Center
	now := benchmath.AssumeNothing.Summary(b, 0.95).Center
	return benchmath.AssumeNothing.Compare(a, b).P < 0.05 && now > 1.03*old
}

// The code is the same, and the machine drifts between the files: that must not cause a
// verdict. A rank test flags most of them.
func TestUnpairedDrift(t *testing.T) {
	const runs, benchmarks = 100, 20
	for _, test := range []struct {
		what      string
		n         int
		drift     float64 // of the second file; half of the runs drift the other way
		change    float64 // of one benchmark
		regressed [2]int  // how many of the runs may be called regressed
		caught    int     // how many of the changes must be found
		fooled    [2]int  // how many of the runs without a change benchstat may call regressed
	}{
		{what: "same", n: 10, regressed: [2]int{0, 1}, fooled: [2]int{0, 50}},
		{what: "drift", n: 10, drift: 0.05, regressed: [2]int{0, 1}, fooled: [2]int{50, 50}},
		{what: "drift, many", n: 40, drift: 0.05, regressed: [2]int{0, 1}, fooled: [2]int{50, 50}},
		// With ten readings, two or three of them disturbed, it may remain
		// cannot tell among 20 benchmarks; but never passes.
		{what: "+30%", n: 10, change: 0.30, regressed: [2]int{40, 100}, caught: 40, fooled: [2]int{0, 50}},
		{what: "+30%, more", n: 20, change: 0.30, regressed: [2]int{99, 100}, caught: 99, fooled: [2]int{0, 50}},
		{what: "+30%, more, drift", n: 20, drift: 0.05, change: 0.30, regressed: [2]int{99, 100}, caught: 99, fooled: [2]int{50, 50}},
		{what: "+5%", n: 20, change: 0.05, regressed: [2]int{0, 1}, fooled: [2]int{0, 50}}, // too few samples to know
	} {
		t.Run(test.what, func(t *testing.T) {
			random := rand.New(rand.NewPCG(7, uint64(test.n)))
			var regressed, caught, wrong, fooled, flagged, flaggedChange, passes, passChange int
			for i := range runs {
				down := i%2 == 1
				pace := 1 + test.drift
				if down {
					pace = 1 / pace
				}
				base := run{benchmarks: benchmarks, n: test.n, pace: 1}.file("base", random)
				head := run{benchmarks: benchmarks, n: test.n, pace: pace, slower: map[int]float64{3: test.change}}.file("head", random)
				rep := compareFiles(t, gate.Rules{}, gate.Files{Base: base, Head: head})
				if rep.Verdict == gate.Regressed {
					regressed++
				}
				any := false
				for _, r := range rep.Results {
					says := benchstat(base, head, r.Name)
					changed := test.change > 0 && r.Name == "B03"
					switch {
					case changed && r.Verdict == gate.Regressed:
						caught++
					case r.Verdict == gate.Regressed:
						wrong++
					case changed && r.Verdict == gate.Pass:
						passChange++
					case r.Verdict == gate.Pass:
						passes++
					}
					switch {
					case changed && says:
						flaggedChange++
					case says:
						flagged, any = flagged+1, true
					}
				}
				if any && !down {
					fooled++
				}
			}
			same := runs * benchmarks
			if test.change > 0 {
				same -= runs
			}
			t.Logf("n=%d a side: of %d unchanged, gate: %d regressed, %d pass; benchstat p<0.05 and >3%%: %d regressed, in %d of the 50 runs whose head is not the faster. Of %d changed, gate: %d regressed, %d pass; benchstat: %d regressed",
				test.n, same, wrong, passes, flagged, fooled, runs*benchmarks-same, caught, passChange, flaggedChange)
			if regressed < test.regressed[0] || regressed > test.regressed[1] {
				t.Errorf("%d of %d runs regressed, want %d to %d", regressed, runs, test.regressed[0], test.regressed[1])
			}
			if caught < test.caught || wrong > 2 || test.change > 0.2 && passChange > 0 {
				t.Errorf("%d changes caught, %d passed, %d others called regressed; want at least %d, none, and at most 2", caught, passChange, wrong, test.caught)
			}
			if fooled < test.fooled[0] || fooled > test.fooled[1] {
				t.Errorf("benchstat calls something regressed in %d of 50 runs, want %d to %d", fooled, test.fooled[0], test.fooled[1])
			}
		})
	}
}

// The verdict on unpaired readings says how strong it is.
func TestUnpairedVerdicts(t *testing.T) {
	for _, test := range []struct {
		what   string
		n      int
		change float64
		files  gate.Files
		rules  gate.Rules
		want   gate.Verdict
		why    string
	}{
		{what: "same", n: 10, want: gate.Pass, why: "the whole interval is within the margin; not measured together: a drift of 5% could hide that it is worse by up to 5.6%"},
		{what: "same, strict", n: 10, files: gate.Files{Strict: true}, want: gate.CannotTell, why: "the whole interval is within the margin; not measured together"},
		{what: "same, strict, wide margin", n: 10, files: gate.Files{Strict: true}, rules: gate.Rules{Margin: 0.10}, want: gate.Pass, why: "within the margin"},
		{what: "no drift", n: 10, files: gate.Files{Drift: -1, Strict: true}, want: gate.Pass, why: "the whole interval is within the margin"},
		{what: "+6%", n: 20, change: 0.06, want: gate.CannotTell, why: "worse by more than the margin, but not by more than a drift of 5% could do: want both sides measured together"},
		{what: "+6%, no drift", n: 20, change: 0.06, files: gate.Files{Drift: -1}, want: gate.Regressed, why: "the whole interval is beyond the margin"},
		{what: "+12%", n: 20, change: 0.12, want: gate.Regressed, why: "the whole interval is beyond the margin, and beyond a drift of 5% besides"},
		{what: "+12%, much drift", n: 20, change: 0.12, files: gate.Files{Drift: 0.2}, want: gate.CannotTell, why: "a drift of 20%"},
		{what: "-30%", n: 10, change: -0.3, want: gate.Pass, why: "the whole interval is within the margin; not measured together: a drift of 5% could hide that it is worse by up to 5.0%"},
		{what: "few", n: 4, change: 1, want: gate.CannotTell, why: "4 samples a side, not measured together: want at least 5 of each"},
		{what: "few, and certain", n: 4, change: 1, rules: gate.Rules{Confidence: 0.9999}, want: gate.CannotTell, why: "4 samples a side, not measured together: want at least 9 of each"},
		{what: "+3%", n: 10, change: 0.03, want: gate.CannotTell, why: "the margin is within the interval: want both sides measured together, for no number of samples would tell"},
		{what: "+2.5%, a wild one", n: 8, change: 0.025, want: gate.CannotTell, why: "the margin is within the interval: about "},
		{what: "just enough", n: 5, change: 1, want: gate.Regressed, why: "the whole interval is beyond the margin"},
		{what: "certain", n: 6, change: 0, rules: gate.Rules{Confidence: 0.9999}, want: gate.CannotTell, why: "6 samples a side bound nothing at this confidence: want at least 9 of each"},
	} {
		t.Run(test.what, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 5))
			f := test.files
			f.Base = run{benchmarks: 1, n: test.n, pace: 1}.file("base", random)
			f.Head = run{benchmarks: 1, n: test.n, pace: 1, slower: map[int]float64{0: test.change}}.file("head", random)
			rep := compareFiles(t, test.rules, f)
			check(t, rep, test.want, test.why)
			r := rep.Results[0]
			if !r.Unpaired || !math.IsNaN(r.Spread) || r.N != test.n {
				t.Errorf("unpaired %t, spread %v, n %d; want true, NaN, %d", r.Unpaired, r.Spread, r.N, test.n)
			}
			if r.Improved() != (test.change < -0.1) {
				t.Errorf("improved %t", r.Improved())
			}
		})
	}
}

// Six readings a side cannot show one regression among many benchmarks.
func TestUnpairedAmongMany(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	one := func(n int) *gate.Report {
		return compareFiles(t, gate.Rules{}, gate.Files{
			Base: run{benchmarks: 20, n: n, pace: 1}.file("base", random),
			Head: run{benchmarks: 20, n: n, pace: 1, slower: map[int]float64{3: 2}}.file("head", random),
		})
	}
	check(t, one(6), gate.CannotTell, "it seems to be worse, but 6 samples a side are too few to show it among 20 comparisons: want at least 8 of each")
	check(t, one(8), gate.Regressed, "")
}

// A base of five samples can be judged if the effect is large. An outlier among them
// keeps the head from being called worse; one among twelve of the head does not.
func TestUnpairedFive(t *testing.T) {
	good := []float64{100, 101, 99, 100.5, 99.5}
	odd := []float64{100, 101, 99, 100.5, 200}
	wild := []float64{90, 95, 100, 105, 110}
	file := func(name string, of ...[]float64) *results.RecordFile {
		f := &results.RecordFile{Name: name}
		for i, v := range slices.Concat(of...) {
			f.Records = append(f.Records, results.Record{Name: "A", Ops: 1, Values: []results.Value{{Unit: "ns/op", Value: v + 0.001*float64(i)}}})
		}
		return f
	}
	times := func(by float64, of []float64) []float64 {
		more := slices.Clone(of)
		for i := range more {
			more[i] *= by
		}
		return more
	}
	for _, test := range []struct {
		what string
		base []float64
		head [][]float64
		want gate.Verdict
		why  string
	}{
		{"five and five, the same", good, [][]float64{times(1.001, good)}, gate.Pass, "within the margin"},
		{"five and five, half as much again", good, [][]float64{times(1.5, good)}, gate.Regressed, "beyond a drift"},
		{"five and five, one odd", odd, [][]float64{times(1.5, good)}, gate.CannotTell, "the margin is within the interval: about 24 samples a side would tell"},
		{"five and ten, one odd", odd, [][]float64{times(1.5, good), times(1.5, good)}, gate.CannotTell, "the margin is within the interval"},
		{"five and twelve, one of the head odd", good, [][]float64{times(1.5, good), times(1.5, good), {150, 10}}, gate.Regressed, "beyond a drift"},
		{"five and ten, a fifth more, and wild", wild, [][]float64{times(1.2, wild), times(1.22, wild)}, gate.CannotTell, "not by more than a drift of 5% could do: about 9 samples a side would tell"},
		{"five and five, nearly the margin, and wild", wild, [][]float64{times(1.0299, wild)}, gate.CannotTell, "not even 1000 samples a side would tell"},
	} {
		t.Run(test.what, func(t *testing.T) {
			rep := compareFiles(t, gate.Rules{}, gate.Files{Base: file("base", test.base), Head: file("head", test.head...)})
			check(t, rep, test.want, test.why)
		})
	}
}

// For a unit in which more is better the bounds are in the right order.
func TestUnpairedHigherIsBetter(t *testing.T) {
	rate := func(name string, v float64) *results.RecordFile {
		f := &results.RecordFile{Name: name}
		for i := range 10 {
			f.Records = append(f.Records, results.Record{Name: "A", Ops: 1, Values: []results.Value{{Unit: "ops/s", Value: v + float64(i)}}})
		}
		return f
	}
	for _, test := range []struct {
		head float64
		want gate.Verdict
	}{{1000, gate.Pass}, {800, gate.Regressed}, {1200, gate.Pass}} {
		r := compareFiles(t, gate.Rules{}, gate.Files{Base: rate("base", 1000), Head: rate("head", test.head+0.5)}).Results[0]
		change := test.head/1000 - 1
		if r.Verdict != test.want || r.Lo > r.Change || r.Change > r.Hi || math.Abs(r.Change-change) > 0.002 {
			t.Errorf("%v: %v, %g [%g, %g], want %v and about %g", test.head, r.Verdict, r.Change, r.Lo, r.Hi, test.want, change)
		}
	}
}

// Zeros have no logarithm, but an order.
func TestUnpairedZeros(t *testing.T) {
	counts := func(name string, values ...float64) *results.RecordFile {
		f := &results.RecordFile{Name: name}
		for _, v := range values {
			f.Records = append(f.Records, results.Record{Name: "A", Ops: 1, Values: []results.Value{{Unit: "B/op", Value: v}}})
		}
		return f
	}
	for _, test := range []struct {
		base, head []float64
		want       gate.Verdict
	}{
		{[]float64{0, 0, 0, 0, 0, 0, 0, 1}, []float64{0, 0, 0, 0, 0, 0, 1, 0}, gate.Pass},
		{[]float64{0, 0, 0, 0, 0, 0, 0, 1}, []float64{9, 9, 9, 8, 9, 9, 9, 9}, gate.Regressed},
		{[]float64{9, 9, 9, 8, 9, 9, 9, 9}, []float64{0, 0, 0, 0, 0, 0, 0, 1}, gate.Pass},
		{[]float64{0, 1, 0, 1, 0, 1, 0, 1}, []float64{1, 0, 1, 0, 1, 0, 1, 1}, gate.CannotTell},
	} {
		r := compareFiles(t, gate.Rules{}, gate.Files{Base: counts("base", test.base...), Head: counts("head", test.head...)}).Results[0]
		if r.Verdict != test.want || math.IsNaN(r.Lo) || math.IsNaN(r.Hi) {
			t.Errorf("%v to %v: %v (%s) %g [%g, %g], want %v", test.base, test.head, r.Verdict, r.Why, r.Change, r.Lo, r.Hi, test.want)
		}
	}
}

// The k'th difference is that of a list of all.
func TestKth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		draw := func() []float64 {
			values := make([]float64, 1+random.IntN(8))
			for i := range values {
				values[i] = float64(random.IntN(10)) - 5 // with ties
				switch random.IntN(10) {
				case 0:
					values[i] = math.Inf(-1)
				case 1:
					values[i] = random.NormFloat64()
				}
			}
			slices.Sort(values)
			return values
		}
		x, y := draw(), draw()
		var all []float64
		for _, a := range x {
			for _, b := range y {
				d := b - a
				if a == b {
					d = 0
				}
				all = append(all, d)
			}
		}
		slices.Sort(all)
		for k, want := range all {
			if got := gate.Kth(x, y, k+1); got != want {
				t.Fatalf("%v and %v: difference %d of %v is %g, want %g", x, y, k+1, all, got, want)
			}
		}
	}
}

// Critical values of tables of U: Mann and Whitney, one-sided.
func TestCriticalU(t *testing.T) {
	for _, test := range []struct {
		n1, n2 int
		alpha  float64
		want   int // one more than U itself
	}{
		{3, 3, 0.051, 1}, {3, 3, 0.01, 0}, {5, 5, 0.025, 3}, {5, 5, 0.005, 1}, {6, 6, 0.005, 3},
		{8, 8, 0.025, 14}, {10, 10, 0.025, 24}, {10, 10, 0.005, 17}, {20, 20, 0.025, 128}, {8, 15, 0.025, 30}, {5, 10, 0.005, 5}, {5, 12, 0.005, 7}, {5, 20, 0.005, 14}, {4, 6, 0.005, 1}, {4, 5, 0.005, 0}, {3, 9, 0.005, 1}, {3, 8, 0.005, 0},
	} {
		if got := gate.CriticalU(test.n1, test.n2, test.alpha); got != test.want {
			t.Errorf("%d and %d at %g: %d, want %d", test.n1, test.n2, test.alpha, got, test.want)
		}
	}
	// Where U is taken to be normal, the values continue those before.
	if a, b := gate.CriticalU(50, 50, 0.005), gate.CriticalU(50, 51, 0.005); b < a || b > a+30 {
		t.Errorf("50 and 50: %d, 50 and 51: %d", a, b)
	}
}

// The distribution of U is that of counting all orders, to the last of them.
func TestUIsExact(t *testing.T) {
	for _, n := range [][2]int{{1, 1}, {3, 4}, {6, 6}, {5, 30}, {25, 25}, {50, 50}, {1, 2500}} {
		counts := orders(n[0], n[1])
		all := new(big.Int)
		for _, c := range counts {
			all.Add(all, c)
		}
		sum := new(big.Int)
		for u := range min(len(counts), 400) {
			if sum.Add(sum, counts[u]); u > 20 && u%60 != 0 {
				continue
			}
			got, want := gate.LogUCDF(n[0], n[1], u), gate.LogOf(new(big.Rat).SetFrac(sum, all))
			if !(math.Abs(got-want) <= 1e-12*max(1, -want)) {
				t.Errorf("%d and %d up to %d: e^%.17g, want e^%.17g", n[0], n[1], u, got, want)
			}
		}
	}
}

// orders returns how many orders of n and m things have u pairs the other way
// round, for all u: the coefficients of a Gaussian binomial.
func orders(n, m int) []*big.Int {
	counts := make([]*big.Int, n*m+1)
	for u := range counts {
		counts[u] = new(big.Int)
	}
	counts[0].SetInt64(1)
	for i := 1; i <= n; i++ { // times 1-q^(m+i), over 1-q^i
		for u := len(counts) - 1; u >= m+i; u-- {
			counts[u].Sub(counts[u], counts[u-m-i])
		}
		for u := i; u < len(counts); u++ {
			counts[u].Add(counts[u], counts[u-i])
		}
	}
	return counts
}

// The tail of the normal distribution has a logarithm where the value itself
// underflows.
func TestNormalTail(t *testing.T) {
	for z := -5.25; z > -37; z -= 0.5 { // where erfc does not underflow
		got, want := gate.LogNormalCDF(z), math.Log(math.Erfc(-z/math.Sqrt2)/2)
		if !(math.Abs(got-want) <= 1e-13*-want) {
			t.Errorf("at %g: e^%.17g, want e^%.17g", z, got, want)
		}
	}
	for _, z := range []float64{-5, -37, -40, -1000, -1e6} {
		// φ(z)/x (1-1/x²) and φ(z)/x bound it.
		got, high := gate.LogNormalCDF(z), -z*z/2-math.Log(2*math.Pi)/2-math.Log(-z)
		if low := high + math.Log1p(-1/(z*z)); got < low-1e-15*z*z || got > high+1e-15*z*z {
			t.Errorf("at %g: e^%.17g, want e^%.17g to e^%.17g", z, got, low, high)
		}
		if next := gate.LogNormalCDF(math.Nextafter(z, 0)); next < got || next > got+1e-9-1e-12*got {
			t.Errorf("next to %g: e^%.17g after e^%.17g", z, next, got)
		}
	}
}

// The evidence of many readings without overlap is finite.
func TestEvidenceOfLargeSamples(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	last := 0.0
	for _, n := range []int{51, 500, 3000, 6000} {
		rep := compareFiles(t, gate.Rules{}, gate.Files{
			Base: run{benchmarks: 1, n: n, pace: 1}.file("base", random),
			Head: run{benchmarks: 1, n: n, pace: 3}.file("head", random),
		})
		got := rep.Results[0].Evidence
		if math.IsInf(got, 0) || math.IsNaN(got) || !(got > last) {
			t.Errorf("%d readings: evidence e^%g after e^%g, want it to grow", n, got, last)
		}
		last = got
	}
}

// The interval contains the shift as often as its confidence says.
func TestIntervalCovers(t *testing.T) {
	const runs = 4000
	random := rand.New(rand.NewPCG(1, 9))
	for _, n := range []int{5, 6, 10, 30} {
		missed := 0
		for range runs {
			draw := func(shift float64) []float64 {
				values := make([]float64, n)
				for i := range values {
					values[i] = shift + random.ExpFloat64()
				}
				return values
			}
			if lo, hi := gate.ShiftInterval(draw(0), draw(0.5), 0.01); lo > 0.5 || hi < 0.5 {
				missed++
			}
		}
		t.Logf("n=%d: %d of %d intervals miss, want about 1%%", n, missed, runs)
		if missed > runs/100+20 || missed < runs/1000 {
			t.Errorf("n=%d: %d of %d intervals miss the shift, want about 1%%", n, missed, runs)
		}
	}
}

func TestYekutieli(t *testing.T) {
	for _, test := range []struct {
		p    []float64
		fdr  float64
		want string
	}{
		{nil, 0.05, "[]"},
		{[]float64{0.04}, 0.05, "[true]"},
		{[]float64{0.06}, 0.05, "[false]"},
		{[]float64{0.04, 0.9}, 0.05, "[false false]"},   // 0.05/2/1.5 = 0.017
		{[]float64{0.03, 0.03}, 0.05, "[true true]"},    // 0.05/1.5 = 0.033
		{[]float64{0.9, 0.001}, 0.05, "[false true]"},   //
		{[]float64{0.016, 0.034}, 0.05, "[true false]"}, //
	} {
		logs := make([]float64, len(test.p))
		for i, p := range test.p {
			logs[i] = math.Log(p)
		}
		if got := fmt.Sprint(gate.Yekutieli(logs, test.fdr)); got != test.want {
			t.Errorf("%v at %g: %s, want %s", test.p, test.fdr, got, test.want)
		}
	}
}

// Large samples take no more memory than small ones, and not much time.
func TestUnpairedLarge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	rep := compareFiles(t, gate.Rules{}, gate.Files{
		Base: run{benchmarks: 1, n: 20000, pace: 1}.file("base", random),
		Head: run{benchmarks: 1, n: 20000, pace: 1.2}.file("head", random),
	})
	check(t, rep, gate.Regressed, "beyond the margin")
	if !strings.Contains(strings.Join(rep.Warnings, "\n"), "a drift of 5% between them would look like a change") {
		t.Errorf("warnings %q", rep.Warnings)
	}
}
