package gate_test

import (
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/synthetic"
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
		is     synthetic.Benchmark
		rounds int
		want   gate.Verdict
	}{
		{"same", synthetic.Benchmark{Noise: 0.005}, 0, gate.Pass},
		{"faster", synthetic.Benchmark{Noise: 0.005, Change: -0.10}, 0, gate.Pass},
		{"a little slower", synthetic.Benchmark{Noise: 0.005, Change: 0.01}, 0, gate.Pass},
		{"slower", synthetic.Benchmark{Noise: 0.005, Change: 0.10}, 0, gate.Regressed},
		{"slower, amid outliers", synthetic.Benchmark{Noise: 0.005, Change: 0.10, Tail: 0.2}, 0, gate.Regressed},
		{"too few rounds", synthetic.Benchmark{Noise: 0.005}, 4, gate.CannotTell},
		{"too noisy", synthetic.Benchmark{Noise: 0.3}, 100, gate.CannotTell},
		{"at the margin", synthetic.Benchmark{Noise: 0.02, Change: 0.03}, 100, gate.CannotTell},
	} {
		src := synthetic.New(1, test.is)
		src.Rounds = test.rounds
		rep := compare(t, gate.Rules{}, src)
		r := rep.Results[0]
		t.Logf("%s: %v after %d rounds: %+.2f%% [%+.2f%%, %+.2f%%], noise %.2f%%: %s", test.name, r.Verdict, r.Rounds, 100*r.Change, 100*r.Lo, 100*r.Hi, 100*r.Noise, r.Why)
		if r.Verdict != test.want || rep.Verdict != test.want {
			t.Errorf("%s: %v (%s), want %v", test.name, r.Verdict, r.Why, test.want)
		}
	}
}
