package plots_test

import (
	"math"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/plots"
)

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		v             float64
		number, short string
	}{
		{0, "0", "0"},
		{.0106, "0.0106", "0.0106"},
		{.01, "0.0100", "0.01"},
		{.1, "0.100", "0.1"},
		{.99949, "0.999", "0.999"},
		{.9996, "1.00", "1"},
		{5, "5.00", "5"},
		{9.996, "10.0", "10"},
		{16.24, "16.2", "16.2"},
		{99.96, "100", "100"},
		{1234, "1234", "1234"},
		{-16.24, "-16.2", "-16.2"},
		{math.NaN(), "–", "–"},
		{math.Inf(1), "–", "–"},
	} {
		if got := plots.Number(test.v); got != test.number {
			t.Errorf("Number(%v) = %q, want %q", test.v, got, test.number)
		}
		if got := plots.Short(test.v); got != test.short {
			t.Errorf("Short(%v) = %q, want %q", test.v, got, test.short)
		}
	}
}

func TestNanos(t *testing.T) {
	for ns, want := range map[float64]string{
		.5: "0.500\u00a0ns", 12: "12.0\u00a0ns", 999.4: "999\u00a0ns", 999.6: "1.00\u00a0µs",
		45e6: "45.0\u00a0ms", 2e9: "2.00\u00a0s", math.Inf(1): "–",
	} {
		if got := plots.Nanos(ns); got != want {
			t.Errorf("Nanos(%v) = %q, want %q", ns, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		log    bool
		lo, hi float64
		want   []string
	}{
		{false, 0, 20.8, []string{"0", "5", "10", "15", "20"}},
		{false, 0, 1.04, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		{false, 0, 0, nil},
		{false, 0, math.NaN(), nil},
		{true, 4, 500000, []string{"10", "100", "1000", "10000", "100000"}},
		{true, 9, 60, []string{"10", "20", "50"}},
		{true, 0, 60, nil},
		{true, 10, 10, nil},
		{true, 10, math.Inf(1), nil},
	} {
		if got := plots.Ticks(test.log, test.lo, test.hi); !slices.Equal(got, test.want) {
			t.Errorf("ticks from %v to %v (log: %t) = %v, want %v", test.lo, test.hi, test.log, got, test.want)
		}
	}
}

// An axis of any range has enough ticks to read it by, and not too many.
func TestTicksAreFew(t *testing.T) {
	for lo := 1e-9; lo < 1e12; lo *= 3.7 {
		for ratio := 4.0; ratio < 1e14; ratio *= 1.9 {
			if n := len(plots.Ticks(true, lo, lo*ratio)); n < 2 || n > 10 {
				t.Errorf("%d ticks from %v to %v (log), want 2 to 10", n, lo, lo*ratio)
			}
		}
		if n := len(plots.Ticks(false, 0, lo)); n < 4 || n > 11 {
			t.Errorf("%d ticks from 0 to %v, want 4 to 11", n, lo)
		}
	}
}

// plot.LogScale panics on all of these.
func TestLogScaleTakesAnything(t *testing.T) {
	for _, x := range []float64{0, -1, math.NaN()} {
		if got := plots.LogNorm(1, 10, x); got != 0 {
			t.Errorf("%v on a logarithmic axis is at %v, want its left end, 0", x, got)
		}
	}
	for _, r := range [][2]float64{{0, 0}, {-1, 1}, {1, 1}, {0, 10}} {
		if got := plots.LogNorm(r[0], r[1], 5); got != 0 {
			t.Errorf("5 on an axis from %v to %v is at %v, want 0", r[0], r[1], got)
		}
	}
	if got := plots.LogNorm(1, 100, 10); math.Abs(got-.5) > 1e-12 {
		t.Errorf("10 on an axis from 1 to 100 is at %v, want the middle", got)
	}
}

func TestLogRangeIsUsable(t *testing.T) {
	for _, vs := range [][]float64{
		nil, {0}, {-5}, {math.NaN()}, {math.Inf(1)}, {1}, {7, 7}, {0, 3, math.NaN()},
		{1e-9, 1e18},
	} {
		lo, hi := plots.LogRange(vs...)
		if !(lo > 0) || !(hi > lo) || math.IsInf(hi, 0) {
			t.Errorf("range of a logarithmic axis for %v = %v to %v", vs, lo, hi)
		}
		for _, v := range vs {
			if v > 0 && !math.IsInf(v, 0) && (v <= lo || v >= hi) {
				t.Errorf("%v sits on or outside the ends of %v to %v", v, lo, hi)
			}
		}
	}
}

// A linear axis starts at 0, or says that it does not.
func TestLinearRange(t *testing.T) {
	for _, test := range []struct {
		values []float64
		zero   bool
	}{
		{nil, true},
		{[]float64{0}, true},
		{[]float64{5}, true},
		{[]float64{5, 5}, true},
		{[]float64{1, 10}, true},
		{[]float64{-1, 10}, false},
		{[]float64{9, 10}, false},
		{[]float64{math.NaN(), 9, math.Inf(1), 10}, false},
	} {
		lo, hi, note := plots.LinearRange(test.values...)
		if (lo == 0) != test.zero {
			t.Errorf("axis for %v starts at %v", test.values, lo)
		}
		if want := lo > 0; want != (note == ", not from 0") {
			t.Errorf("axis for %v from %v has the note %q", test.values, lo, note)
		}
		for _, v := range test.values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) && (v < lo || v > hi) {
				t.Errorf("axis for %v from %v to %v: %v is outside", test.values, lo, hi, v)
			}
		}
	}
}
