package gate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/gate"
)

// The interval of a shift contains it.
func TestShift(t *testing.T) {
	const trials = 1000
	random := rand.New(rand.NewPCG(9, 10))
	normal := func(n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = 100 + random.NormFloat64()
		}
		return values
	}
	for _, n := range [][2]int{{5, 5}, {5, 30}, {30, 40}} {
		in := 0
		for range trials {
			before, after := normal(n[0]), normal(n[1])
			for i := range after {
				after[i] *= 1.05
			}
			if _, lo, hi, _ := gate.Shift(before, after, 0.05); lo <= 0.05 && 0.05 <= hi {
				in++
			}
		}
		t.Logf("%v values: in the interval in %d of %d", n, in, trials)
		if in < trials*93/100 {
			t.Errorf("%v values: in the interval in %d of %d", n, in, trials)
		}
	}
	inf := math.Inf(+1)
	for _, test := range []struct {
		from, to, change float64
		signed           bool
	}{
		{0, 3, inf, false}, {3, 0, -1, false}, {0, 0, 0, false}, {2, 3, 0.5, false},
		{-5, 100, 21, true}, {-100, -5, 0.95, true}, {-5, -100, -19, true}, {-5, 0, 1, true}, {0, -5, -inf, true}, {100, -100, -2, true}, {-5, -5, 0, true},
	} {
		d, lo, hi, signed := gate.Shift(slices.Repeat([]float64{test.from}, 5), slices.Repeat([]float64{test.to}, 5), 0.05)
		if near := func(v float64) bool { return v == test.change || math.Abs(v-test.change) < 1e-9 }; !near(d) || !near(lo) || !near(hi) || signed != test.signed {
			t.Errorf("from %g to %g: got %v [%v, %v], signed %t; want %v, %t", test.from, test.to, d, lo, hi, signed, test.change, test.signed)
		}
	}
}
