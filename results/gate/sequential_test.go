package gate

import (
	"math"
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
// below are equally likely, is no more than what there was.
func TestEvidenceIsAFairWager(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 3000).Draw(t, "n")
		above := rapid.IntRange(0, n).Draw(t, "above")
		now := logEvidence(above, n)
		if now < -300 {
			return // as good as none; floats end about here
		}
		next := math.Log(math.Exp(logEvidence(above+1, n+1)-now)/2 + math.Exp(logEvidence(above, n+1)-now)/2)
		if !(next <= 1e-6) {
			t.Errorf("evidence of %d of %d is expected to grow by e^%g", above, n, next)
		}
	})
	if e := logEvidence(0, 0); math.Abs(e) > 1e-12 {
		t.Errorf("evidence of nothing is e^%g, want 1", e)
	}
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
		// Nobody else would do if he were added.
		for i, f := range found {
			if !f && logs[i] >= math.Log(float64(m)/(fdr*float64(k+1))) {
				t.Errorf("did not find e^%g beside %d of %d", logs[i], k, m)
			}
		}
	})
}
