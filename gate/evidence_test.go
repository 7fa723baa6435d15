package gate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A fair bet: if a reading is as likely x as -x, the expected stake after it is the
// stake before it. Here over all signs of some readings, exactly.
func TestEvidenceIsAFairWager(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 0.2), rapid.Float64Range(0, 10), rapid.Just(math.Inf(1))), 1, 12).Draw(t, "sizes")
		limit := rapid.Float64Range(0.001, 1).Draw(t, "limit")
		readings, mean := make([]float64, len(sizes)), 0.0
		for signs := range 1 << len(sizes) {
			for i, size := range sizes {
				readings[i] = size
				if signs>>i&1 == 1 {
					readings[i] = -size
				}
			}
			mean += math.Exp(logEvidence(readings, 0, limit)) / float64(int(1)<<len(sizes))
		}
		if math.Abs(mean-1) > 1e-9 {
			t.Errorf("the stake is expected to be %g, want 1", mean)
		}
	})
}

// The probability that the stake on readings that are symmetric about 0 reaches 1/α
// after any of them is at most α, whatever their distribution and their dependence on
// each other.
func TestNoInflationByLooking(t *testing.T) {
	const runs, most, alpha = 2000, 60, 0.05
	for name, draw := range map[string]func(r *rand.Rand, before []float64) float64{
		"normal": func(r *rand.Rand, _ []float64) float64 { return 0.03 * r.NormFloat64() },
		"small":  func(r *rand.Rand, _ []float64) float64 { return 0.001 * r.NormFloat64() },
		"signs":  func(r *rand.Rand, _ []float64) float64 { return float64(2*r.IntN(2) - 1) },
		"Cauchy": func(r *rand.Rand, _ []float64) float64 { return 0.02 * r.NormFloat64() / r.NormFloat64() },
		"regimes": func(r *rand.Rand, before []float64) float64 {
			return r.NormFloat64() * []float64{0.002, 0.2}[len(before)/20%2]
		},
		// As large as the one before, with either sign.
		"echo": func(r *rand.Rand, before []float64) float64 {
			size := 0.03 * math.Abs(r.NormFloat64())
			if n := len(before); n > 0 && r.Float64() < 0.9 {
				size = math.Abs(before[n-1])
			}
			return size * float64(2*r.IntN(2)-1)
		},
	} {
		alarms, random := 0, rand.New(rand.NewPCG(1, 2))
		for range runs {
			var readings []float64
			for len(readings) < most {
				readings = append(readings, draw(random, readings))
				if logEvidence(readings, 0, 0.03) >= -math.Log(alpha) {
					alarms++
					break
				}
			}
		}
		t.Logf("%s: %.4f", name, float64(alarms)/runs)
		// Four standard deviations above the allowed number.
		if allowed := alpha * runs; float64(alarms) > allowed+4*math.Sqrt(allowed) {
			t.Errorf("%s: %d alarms in %d runs, want at most a share of %g", name, alarms, runs, alpha)
		}
		// The bet on readings that are small compared to the margin wins little.
		if name != "small" && alarms < runs*alpha/10 {
			t.Errorf("%s: %d alarms in %d runs: the test has no power", name, alarms, runs)
		}
	}
}

// The interval is the set of θ that the bets do not refute.
func TestBoundsInvertTheTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readings := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1, 1), rapid.Just(math.Inf(1)), rapid.Just(math.Inf(-1))), 0, 40).Draw(t, "readings")
		const alpha, limit = 0.02, 0.05
		lo, hi := bounds(readings, limit, alpha)
		theta := rapid.Float64Range(-1.1, 1.1).Draw(t, "θ")
		if math.Abs(theta-lo) < 1e-9 || math.Abs(theta-hi) < 1e-9 {
			return
		}
		mirrored := make([]float64, len(readings))
		for i, x := range readings {
			mirrored[i] = -x
		}
		need := -math.Log(alpha / 2)
		if got, want := theta < lo, logEvidence(readings, theta, limit) >= need; got != want && !math.IsInf(lo, -1) {
			t.Errorf("%g is below %g: %t, but the stake on more is e^%g", theta, lo, got, logEvidence(readings, theta, limit))
		}
		if got, want := theta > hi, logEvidence(mirrored, -theta, limit) >= need; got != want && !math.IsInf(hi, +1) {
			t.Errorf("%g is above %g: %t, but the stake on less is e^%g", theta, hi, got, logEvidence(mirrored, -theta, limit))
		}
	})
}

// A verdict takes at least eight readings, however clear they are, and the interval has
// a width of some standard deviations of a reading.
func TestWidth(t *testing.T) {
	for n, want := range map[int][2]float64{7: {math.Inf(1), math.Inf(1)}, 12: {1, 1.7}, 16: {0.8, 1.4}, 24: {0.65, 1.05}, 48: {0.4, 0.7}} {
		random := rand.New(rand.NewPCG(1, 2))
		var widths []float64
		for range 40 {
			readings := make([]float64, n)
			for i := range readings {
				readings[i] = 0.03 * random.NormFloat64()
			}
			lo, hi := bounds(readings, 0.03, 0.01)
			widths = append(widths, (hi-lo)/2/0.03)
		}
		slices.Sort(widths)
		if got := median(widths); got < want[0] || got > want[1] {
			t.Errorf("of %d readings the interval is ±%.2f standard deviations, want %v", n, got, want)
		}
	}
}

// LogOf returns the natural logarithm of x, whatever its exponent.
func LogOf(x *big.Rat) float64 {
	mantissa := new(big.Float)
	exponent := new(big.Float).SetPrec(200).SetRat(x).MantExp(mantissa)
	m, _ := mantissa.Float64()
	return math.Log(m) + float64(exponent)*math.Ln2
}

func TestCentreAndSpread(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		of             []float64
		centre, spread float64
	}{
		{nil, math.NaN(), math.NaN()},
		{[]float64{1}, 1, math.NaN()},
		{[]float64{1, 2}, 1.5, 0.7413},
		{[]float64{1, 2, 3, 4, 5, 1000}, 3.5, 2.2239},
		{[]float64{1, 2, inf}, 2, 1.4826},
		{[]float64{inf, inf}, inf, math.NaN()},
	} {
		same := func(got, want float64) bool {
			return math.Abs(got-want) < 1e-9 || got == want || math.IsNaN(got) && math.IsNaN(want)
		}
		if got := centre(test.of); !same(got, test.centre) {
			t.Errorf("centre of %v = %g, want %g", test.of, got, test.centre)
		}
		if got := spread(test.of); !same(got, test.spread) {
			t.Errorf("spread of %v = %g, want %g", test.of, got, test.spread)
		}
	}
}

func TestMedian(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{1}, 1},
		{[]float64{1, 2}, 1.5},
		{[]float64{1, 2, inf}, 2},
		{[]float64{-inf, -inf}, -inf},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, math.MaxFloat64},
	} {
		if got := median(test.of); got != test.want {
			t.Errorf("median of %v = %v, want %v", test.of, got, test.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v", got)
	}
}

// With one hypothesis e-BH is the test itself; with many, of which k have the
// same evidence, each needs no more than m/(k fdr).
func TestDiscoveries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.IntRange(1, 50).Draw(t, "m")
		logs := rapid.SliceOfN(rapid.Float64Range(-5, 12), m, m).Draw(t, "logs")
		const fdr = 0.05
		found := discoveries(logs, m, fdr)
		k := 0
		for _, f := range found {
			if f {
				k++
			}
		}
		for i, f := range found {
			if f && logs[i] < math.Log(float64(m)/(fdr*float64(k)))-1e-9 {
				t.Errorf("found e^%g among %d of %d", logs[i], k, m)
			}
		}
		// Adding another one would not find it.
		for i, f := range found {
			if !f && logs[i] >= math.Log(float64(m)/(fdr*float64(k+1))) {
				t.Errorf("did not find e^%g beside %d of %d", logs[i], k, m)
			}
		}
	})
}
