package shape

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Without noise the law is found exactly; with noise, the search finds nothing much
// better than its starting point, which the bootstrap uses.
func TestFitLaw(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for trial := range 300 {
		ns := []float64{1, 2, 4, 8, 16, 32}[:3+trial%4]
		want := law{math.Exp(20 * random.Float64()), random.Float64() * random.Float64(), 0.05 * random.Float64() * random.Float64()}
		if trial%5 == 0 {
			want.kappa = 0
		}
		logs := make([]float64, len(ns))
		noise := 0.0
		if trial%2 == 0 {
			noise = 0.05
		}
		for i, n := range ns {
			logs[i] = want.logThroughput(n) + noise*random.NormFloat64()
		}
		fit, solved := fitLaw(ns, logs), solveLaw(ns, logs)
		for _, l := range []law{fit, solved} {
			if l.sigma < 0 || l.kappa < 0 || !(l.lambda > 0) {
				t.Fatalf("negative: %+v", l)
			}
			if noise == 0 && (math.Abs(l.sigma-want.sigma) > 1e-4 || math.Abs(l.kappa-want.kappa) > 1e-5) {
				t.Errorf("over %v: got %+v, want %+v", ns, l, want)
			}
		}
		if a, b := fit.cost(ns, logs), solved.cost(ns, logs); a > b || b > 1.02*a+1e-9 {
			t.Errorf("over %v: sum of squares %v by the search, %v without", ns, a, b)
		}
	}
}
