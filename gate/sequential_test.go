package gate

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// If differences above and below θ are equally likely, the evidence that there
// are more of those above reaches 1/α, ever, with a probability of at most α.
// This is the exact probability for up to 400 rounds, looked at after each.
func TestNoInflationByLooking(t *testing.T) {
	for _, alpha := range []float64{0.2, 0.05, 0.01, 1e-4} {
		const n = 400
		// at[s] is the probability of s above, and no alarm so far.
		at := []float64{1}
		alarm := 0.0
		for i := 1; i <= n; i++ {
			next := make([]float64, i+1)
			for s, p := range at {
				next[s] += p / 2
				next[s+1] += p / 2
			}
			for s := needed(i, alpha); s <= i; s++ {
				alarm += next[s]
				next[s] = 0
			}
			at = next
		}
		t.Logf("α = %g: %g", alpha, alarm)
		if alarm > alpha {
			t.Errorf("α = %g: an alarm within %d rounds has a probability of %g", alpha, n, alarm)
		}
		if alarm < alpha/10 {
			t.Errorf("α = %g: an alarm has a probability of %g: the test has no power", alpha, alarm)
		}
	}
}

// A fair wager: what is expected of the evidence after a round, if above and
// below are equally likely, is what there was. It is said in logarithms, since
// E itself may be too small for a float, or too large.
func TestEvidenceIsAFairWager(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 3000).Draw(t, "n")
		above := rapid.IntRange(0, n).Draw(t, "above")
		now, up, down := logEvidence(above, n), logEvidence(above+1, n+1), logEvidence(above, n+1)
		next := max(up, down) + math.Log1p(math.Exp(-math.Abs(up-down))) - math.Ln2
		if !(math.Abs(next-now) <= 1e-10) {
			t.Errorf("evidence of %d of %d is e^%g, and expected to be e^%g after a round", above, n, now, next)
		}
	})
}

// The evidence is that of exact arithmetic, from none above to all of them.
func TestEvidenceIsExact(t *testing.T) {
	check := func(above, n int, want float64) {
		t.Helper()
		if got := logEvidence(above, n); !(math.Abs(got-want) <= 1e-13*max(1, math.Abs(want))) {
			t.Errorf("logEvidence(%d, %d) = %.17g, want %.17g", above, n, got, want)
		}
	}
	for n := range 41 {
		for above := range n + 1 {
			check(above, n, LogOf(evidenceIntegral(above, n)))
		}
	}
	for _, n := range []int{200, 1022, 1074, 3000} {
		// The same as a share of coins that show heads: E is the sum of n+1 over
		// k, for k up to S, over n-S+1 times n+1 over S.
		coins, sum := big.NewInt(1), new(big.Int)
		for above := range n + 1 {
			sum.Add(sum, coins)
			if above < 10 || above > n-10 || above%(n/20) == 0 {
				check(above, n, LogOf(new(big.Rat).SetFrac(sum, new(big.Int).Mul(coins, big.NewInt(int64(n-above+1))))))
			}
			coins.Mul(coins, big.NewInt(int64(n+1-above)))
			coins.Quo(coins, big.NewInt(int64(above+1)))
		}
	}
	// The tail that an incomplete beta function loses: it is a denormal there.
	check(0, 1022, -math.Log(1023))
}

// evidenceIntegral returns E as it is defined, with p = (1+x)/2: the integral of
// a polynomial.
func evidenceIntegral(above, n int) *big.Rat {
	poly := []*big.Int{big.NewInt(1)}
	for i := range n {
		next := make([]*big.Int, len(poly)+1)
		for k := range next {
			next[k] = new(big.Int)
			if k < len(poly) {
				next[k].Set(poly[k])
			}
			switch {
			case k == 0:
			case i < above:
				next[k].Add(next[k], poly[k-1]) // times 1+x
			default:
				next[k].Sub(next[k], poly[k-1]) // times 1-x
			}
		}
		poly = next
	}
	sum := new(big.Rat)
	for k, c := range poly {
		sum.Add(sum, new(big.Rat).SetFrac(c, big.NewInt(int64(k+1))))
	}
	return sum
}

// LogOf returns the natural logarithm of x, whatever its exponent.
func LogOf(x *big.Rat) float64 {
	mantissa := new(big.Float)
	exponent := new(big.Float).SetPrec(200).SetRat(x).MantExp(mantissa)
	m, _ := mantissa.Float64()
	return math.Log(m) + float64(exponent)*math.Ln2
}

func TestNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 500).Draw(t, "n")
		alpha := math.Pow(10, -rapid.Float64Range(0.5, 8).Draw(t, "-log α"))
		s := needed(n, alpha)
		if s <= n && logEvidence(s, n) < -math.Log(alpha) {
			t.Errorf("needed(%d, %g) = %d, whose evidence is e^%g", n, alpha, s, logEvidence(s, n))
		}
		if s > 0 && logEvidence(s-1, n) >= -math.Log(alpha) {
			t.Errorf("needed(%d, %g) = %d, but %d do as well", n, alpha, s, s-1)
		}
	})
}

// The interval is what the tests of every θ leave: a θ below lo is refuted by
// those above it, and one above hi by those below.
func TestBoundsInvertTheTest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SliceOfN(rapid.Float64Range(-1, 1), 0, 60).Draw(t, "differences")
		const alpha = 0.02
		lo, hi := bounds(d, alpha)
		theta := rapid.Float64Range(-1.1, 1.1).Draw(t, "θ")
		var above, below int
		for _, x := range d {
			if x > theta {
				above++
			}
			if x < theta {
				below++
			}
		}
		s := needed(len(d), alpha/2)
		if got, want := theta < lo, above >= s; got != want {
			t.Errorf("%g is below %g: %t, but %d of %d are above it, of %d needed", theta, lo, got, above, len(d), s)
		}
		if got, want := theta > hi, below >= s; got != want {
			t.Errorf("%g is above %g: %t, but %d of %d are below it, of %d needed", theta, hi, got, below, len(d), s)
		}
	})
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
		// No other one would be found if it were added.
		for i, f := range found {
			if !f && logs[i] >= math.Log(float64(m)/(fdr*float64(k+1))) {
				t.Errorf("did not find e^%g beside %d of %d", logs[i], k, m)
			}
		}
	})
}
