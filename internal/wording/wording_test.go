package wording_test

import (
	"math"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/wording"
)

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.00012: "0.00012", 0.0123: "0.012", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 99_999: "99999", 1.5e6: "1.500M",
		-1.234: "-1.23", 1e300: "1e+300", 9.9e14: "990.0T", math.Inf(+1): "+Inf",
	} {
		if got := wording.Number(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
	if got := wording.Number(math.NaN()); got != "-" {
		t.Errorf("NaN: got %q, want -", got)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int][3]string{
		0: {"0 rounds", "0 rounds", "are"}, 1: {"1 round", "1 round", "is"}, 2: {"2 rounds", "2 rounds", "are"},
		1200: {"1200 rounds", "1,200 rounds", "are"},
	} {
		if got := [3]string{wording.Count(n, "round"), wording.Plural(n, "round"), wording.Is(n)}; got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestSigned(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00%", 0.081: "+8.1%", -0.0025: "-0.25%", 1.3: "+130%", 129: "×130", math.Inf(+1): "+∞", -1e-9: "0.00%",
	} {
		if got := wording.Signed(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

func TestInterval(t *testing.T) {
	inf := math.Inf(+1)
	for _, test := range []struct {
		c    wording.Change
		want string
	}{
		{wording.Change{Lo: -0.002, Hi: 0.003}, "[-0.20, +0.30]%"},
		{wording.Change{Lo: 0.01, Hi: 0.13}, "[+1.0, +13.0]%"},
		{wording.Change{Lo: 0.01, Hi: 129}, "[+1.0%, ×130]"},
		{wording.Change{Lo: -1, Hi: 0.13}, "≤ +13.0%"},
		{wording.Change{Lo: 0.01, Hi: inf}, "≥ +1.0%"},
		{wording.Change{Lo: -1, Hi: inf}, "-"},
		{wording.Change{Lo: -1.5, Hi: 0.5, Signed: true}, "[-150, +50]%"}, // with values below 0 a change may exceed -100 %
		{wording.Change{Exact: true}, "exact"},
	} {
		if got := test.c.Interval(); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.c, got, test.want)
		}
	}
}

func TestClean(t *testing.T) {
	if got, want := wording.Clean("a\tb\x1b[31m\n\u202ec\xff"), "a b[31m c\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestColumns(t *testing.T) {
	var b strings.Builder
	wording.Columns(&b, [][]string{{"lock", "n", ""}, {"µ", "100", ""}}, "<>")
	if got, want := b.String(), "lock    n\nµ     100\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrap(t *testing.T) {
	var b strings.Builder
	wording.Wrap(&b, "one two three", "  ", 8)
	if got, want := b.String(), "one two\n  three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
