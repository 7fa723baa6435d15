package pingpong

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

func TestDistance(t *testing.T) {
	for _, test := range []struct{ before, after, want results.Distance }{
		{results.Near, results.Near, results.Near},
		{results.Far, results.Far, results.Far},
		{results.Near, results.Far, results.Mixed},
		{results.Far, results.Near, results.Mixed},
		{results.Local, results.Local, results.Local},
		{results.Unknown, results.Near, results.Unknown},
		{results.Far, results.Unknown, results.Unknown},
	} {
		if got := (Trip{Distance: test.before}).And(Trip{Distance: test.after}); got != test.want {
			t.Errorf("%s, then %s: %q, want %q", test.before, test.after, got, test.want)
		}
	}
}

func TestProbe(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs")
	}
	p, err := Probe(nil)
	if err != nil || p.Distance == results.Local {
		t.Errorf("Probe = %v, %v", p, err)
	}
	if known := p.Distance != results.Unknown; known && (p.NS <= 0 || (p.NS <= nearUpTo) != (p.Distance == results.Near)) {
		t.Errorf("Probe: %v ns are %s", p.NS, p.Distance)
	}
	broken := errors.New("no such CPU")
	if _, err := Probe(func(i int, f func()) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("Probe on no CPU: error %v, want %v", err, broken)
	}
}

// A probe without an answer is repeated, but not without bound.
func TestProbeRetries(t *testing.T) {
	broken := errors.New("no such CPU")
	for _, test := range []struct {
		outcomes []any // of each try: a distance or an error
		tries    int   // how many are made
	}{
		{[]any{results.Near, results.Far}, 1},
		{[]any{results.Unknown, results.Far, results.Near}, 2},
		{[]any{results.Unknown, results.Unknown, results.Near, results.Far}, 3},
		{[]any{results.Unknown, results.Unknown, results.Unknown, results.Near}, 3},
		{[]any{broken, results.Near}, 1},
		{[]any{results.Unknown, broken, results.Near}, 2},
	} {
		made := 0
		got, err := retry(func() (Trip, error) {
			made++
			switch p := test.outcomes[made-1].(type) {
			case error:
				return Trip{}, p
			default:
				return Trip{Distance: p.(results.Distance)}, nil
			}
		})
		want := test.outcomes[test.tries-1]
		if made != test.tries || want != broken && got.Distance != want || (err != nil) != (want == broken) {
			t.Errorf("%v: %q, %v after %d tries, want %v after %d", test.outcomes, got.Distance, err, made, want, test.tries)
		}
	}

	// On one CPU the two sides never run at the same time.
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	began := time.Now()
	p, err := Probe(nil)
	if took := time.Since(began); err != nil || p.Distance != results.Unknown || took < tries*limit {
		t.Errorf("probe on one CPU = %q, %v after %v, want unknown after at least %v", p.Distance, err, took, tries*limit)
	}
}
