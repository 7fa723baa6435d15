package gate_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
)

// newcomers is a comparison in which no benchmark is on both sides.
type newcomers struct{ base, head []gate.Benchmark }

func (n newcomers) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	return nil, n.base, n.head
}

func (newcomers) Round(context.Context, []gate.Benchmark) ([]gate.Round, error) { return nil, io.EOF }
func (newcomers) Unchanged() []gate.Unchanged                                   { return nil }
func (newcomers) Cost(gate.Benchmark) time.Duration                             { return 0 }
func (newcomers) Apart() time.Duration                                          { return 0 }
func (newcomers) Better(string) int                                             { return 0 }
func (newcomers) Exact(gate.Benchmark, string) (float64, bool)                  { return 0, false }

// The first benchmarks of a module pass if they may be new, and are named. A comparison
// of nothing does not pass if the base has benchmarks or those of the head may not be
// new.
func TestFirstBenchmarks(t *testing.T) {
	sum, mean, old := gate.Benchmark{Pkg: "p", Name: "Sum"}, gate.Benchmark{Pkg: "p", Name: "Mean"}, gate.Benchmark{Pkg: "p", Name: "Old"}
	for _, test := range []struct {
		base, head []gate.Benchmark
		declared   string
		want       gate.Verdict
	}{
		{nil, []gate.Benchmark{sum, mean}, "Sum Mean", gate.Pass},
		{nil, []gate.Benchmark{sum, mean}, "Sum", gate.NoVerdict},
		{[]gate.Benchmark{old}, []gate.Benchmark{sum}, "Sum Old", gate.NoVerdict},
		{[]gate.Benchmark{old}, nil, "Old", gate.NoVerdict},
	} {
		rules := gate.Rules{Declared: func(b gate.Benchmark, _ gate.Side) bool { return strings.Contains(test.declared, b.Name) }}
		rep, err := rules.Compare(t.Context(), newcomers{test.base, test.head})
		if err != nil {
			t.Fatal(err)
		}
		if got := rep.Outcome(); got != test.want || rep.Whole() != (got == gate.Pass) {
			t.Errorf("%v after %v, of which may be %s: %v, whole %t; want %v", test.head, test.base, test.declared, got, rep.Whole(), test.want)
		}
	}
}
