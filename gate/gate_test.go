package gate_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/gatetest"
)

func compare(t *testing.T, r gate.Rules, src gate.Source) *gate.Report {
	t.Helper()
	rep, err := r.Compare(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		name   string
		is     gatetest.Benchmark
		builds int
		want   gate.Verdict
	}{
		{"same", gatetest.Benchmark{Noise: 0.005}, 0, gate.Pass},
		{"faster", gatetest.Benchmark{Noise: 0.005, Change: -0.10}, 0, gate.Pass},
		{"a little slower", gatetest.Benchmark{Noise: 0.005, Change: 0.01}, 0, gate.Pass},
		{"slower", gatetest.Benchmark{Noise: 0.005, Change: 0.10}, 0, gate.Regressed},
		{"slower, amid outliers", gatetest.Benchmark{Noise: 0.005, Change: 0.10, Tail: 0.2}, 0, gate.Regressed},
		{"too few binaries", gatetest.Benchmark{Noise: 0.005}, 4, gate.CannotTell},
		{"too noisy", gatetest.Benchmark{Noise: 0.3}, 48, gate.CannotTell},
	} {
		src := gatetest.New(1, test.is)
		src.Builds = test.builds
		rep := compare(t, gate.Rules{}, src)
		r := rep.Results[0]
		t.Logf("%s: %v after %d rounds: %+.2f%% [%+.2f%%, %+.2f%%], spread %.2f%%: %s", test.name, r.Verdict, r.Rounds, 100*r.Change, 100*r.Lo, 100*r.Hi, 100*r.Spread, r.Why)
		if r.Verdict != test.want || rep.Verdict != test.want {
			t.Errorf("%s: %v (%s), want %v", test.name, r.Verdict, r.Why, test.want)
		}
	}
}

// Rounds from files get the same verdicts as live ones; CannotTell comes with what is
// missing for a verdict.
func TestLacks(t *testing.T) {
	for name, test := range map[string]struct {
		is     gatetest.Benchmark
		layout float64
		want   []string
	}{
		"layout":  {gatetest.Benchmark{Noise: 0.002}, 0.06, []string{"by twice the margin: that takes about ", " pairs of binaries, there are 12; binaries of the same code are ", " apart by their layout"}},
		"machine": {gatetest.Benchmark{Noise: 0.15}, 0, []string{" pairs of binaries, there are 12; the machine makes pairs of the same binaries "}},
		"slower":  {gatetest.Benchmark{Noise: 0.15, Change: 0.02}, 0, []string{"it seems to be worse by more than the margin, and may be no worse at all"}},
	} {
		src := gatetest.New(4, test.is)
		src.Builds, src.Layout = 12, test.layout
		r := compare(t, gate.Rules{}, src).Results[0]
		if r.Verdict != gate.CannotTell {
			t.Errorf("%s: %v, want cannot tell", name, r.Verdict)
		}
		for _, want := range test.want {
			if !strings.Contains(r.Why, want) {
				t.Errorf("%s: %s; want %q in it", name, r.Why, want)
			}
		}
	}
}

// An interrupted comparison reports what it has, and why the rest is missing.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	src := gatetest.New(1, gatetest.Benchmark{Noise: 0.001, Change: 1}, gatetest.Benchmark{Noise: 0.5})
	rules := gate.Rules{Progress: func(p gate.Progress) {
		if p.Rounds > 100 { // the first benchmark was decided long before
			cancel()
		}
	}}
	rep, err := rules.Compare(ctx, src)
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Interrupted || rep.Verdict != gate.Regressed || rep.Results[0].Verdict != gate.Regressed {
		t.Errorf("interrupted %t, %v, want a regression", rep.Interrupted, rep.Verdict)
	}
	if r := rep.Results[1]; r.Verdict != gate.CannotTell || !strings.HasSuffix(r.Why, "; it was interrupted") {
		t.Errorf("%v: %s; want that it was interrupted", r.Verdict, r.Why)
	}
}

// In a costly source each round of the second benchmark takes long.
type costly struct{ *gatetest.Source }

func (costly) Cost(b gate.Benchmark) time.Duration {
	return []time.Duration{time.Nanosecond, time.Hour}[gatetest.Index(b)]
}

// A benchmark that does not fit into the budget comes last, and is named.
func TestLate(t *testing.T) {
	src := costly{gatetest.New(1, gatetest.Benchmark{Noise: 0.001}, gatetest.Benchmark{Noise: 0.001})}
	var order []gate.Benchmark
	rep, err := gate.Rules{Budget: time.Minute}.Compare(t.Context(), recorder{src, &order})
	if err != nil {
		t.Fatal(err)
	}
	both, _, _ := src.Benchmarks()
	first := slices.Index(order, both[1])
	if first < 0 || slices.Contains(order[first:], both[0]) || !strings.Contains(strings.Join(rep.Warnings, "\n"), "measured last, since a budget of 1m0s has no room for what is slow: example.org/p.B0001") {
		t.Errorf("measured %v; warnings %q", order, rep.Warnings)
	}
}

// A recorder notes what is measured.
type recorder struct {
	gate.Source
	order *[]gate.Benchmark
}

func (r recorder) Round(ctx context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	*r.order = append(*r.order, of...)
	return r.Source.Round(ctx, of)
}

// asked notes the order of the rounds that a source is asked for.
type asked struct {
	gate.Source
	order []gate.Benchmark
}

func (a *asked) Round(ctx context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	a.order = append(a.order, of...)
	return a.Source.Round(ctx, of)
}

// With a budget, what is nearly decided goes first: a benchmark that is far too noisy has
// no more rounds than it takes to see that, before the others are done.
func TestNearlyDecidedFirst(t *testing.T) {
	src := gatetest.New(3, gatetest.Benchmark{Noise: 0.4}, gatetest.Benchmark{Noise: 0.01, Change: 0.08}, gatetest.Benchmark{Noise: 0.4}, gatetest.Benchmark{Noise: 0.03})
	src.Builds, src.Layout = 48, 0.01
	quiet := func(b gate.Benchmark) bool { return src.Of[gatetest.Index(b)].Noise < 0.1 }
	a := &asked{Source: src}
	for _, r := range compare(t, gate.Rules{Budget: time.Hour}, a).Results {
		if quiet(r.Benchmark) == (r.Verdict == gate.CannotTell) {
			t.Errorf("%v: %v, since %s", r.Benchmark, r.Verdict, r.Why)
		}
	}
	rounds, last := make(map[gate.Benchmark]int), 0
	for i, b := range a.order {
		if quiet(b) {
			last = i
		}
	}
	for _, b := range a.order[:last] {
		rounds[b]++
	}
	for b, n := range rounds {
		if most := gate.DefaultMinRounds * gate.PairsPerBuild; !quiet(b) && n > most {
			t.Errorf("%v has %d rounds before the quiet ones are done, want %d", b, n, most)
		}
	}
}
