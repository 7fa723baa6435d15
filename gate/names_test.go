package gate_test

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/gate"
)

func TestNames(t *testing.T) {
	of := func(packages ...string) (names []string) {
		var all []gate.Benchmark
		for _, p := range packages {
			all = append(all, gate.Benchmark{Pkg: p, Name: "X"})
		}
		short := gate.Names(all)
		for _, b := range all {
			names = append(names, short[b])
		}
		return names
	}
	for _, test := range []struct{ packages, want []string }{
		{[]string{"a/b"}, []string{"X"}},
		{[]string{"a/b", "a/c"}, []string{"b.X", "c.X"}},
		{[]string{"a/x", "b/x", "c/y"}, []string{"a/x.X", "b/x.X", "y.X"}},
		{[]string{"x", "b/x"}, []string{"x.X", "b/x.X"}},
		{[]string{"a/x/v2", "c/y/v2"}, []string{"x/v2.X", "y/v2.X"}},
		{[]string{"a/x", "a/x/v2"}, []string{"x.X", "x/v2.X"}},
		{[]string{"", "a/x"}, []string{"X", "x.X"}},
		{[]string{"v2", "w/v2", ".", "/"}, []string{"v2.X", "w/v2.X", "..X", "/.X"}},
	} {
		if got := of(test.packages...); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.packages, got, test.want)
		}
	}
}
