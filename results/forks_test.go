package results_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// forked returns samples of one cell by a number of processes. Processes differ by the
// share between, and samples of one by within; a few samples are ten times as long.
func forked(forks, n int, between, within float64, seed uint64) (samples []results.Sample) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for fork := range forks {
		process := math.Exp(between * rng.NormFloat64())
		for i := range n {
			v := 100 * process * math.Exp(within*rng.NormFloat64())
			if i%10 == 9 {
				v *= 10
			}
			s := at(results.Near, "ns/op", v)[0]
			s.Round, s.Fork = i*forks+fork+1, fork+1
			samples = append(samples, s)
		}
	}
	return samples
}

// The differences of processes are separated from those of their samples.
func TestSpreads(t *testing.T) {
	for _, test := range []struct{ between, within float64 }{{.1, .01}, {.03, .03}, {0, .05}, {.2, .1}} {
		const trials = 40
		var between, within float64
		for trial := range trials {
			all := results.Spreads(forked(20, 20, test.between, test.within, uint64(trial)), "ns/op")
			if len(all) != 1 || all[0].Forks != 20 || all[0].N != 400 {
				t.Fatalf("%+v, want one cell of 20 forks and 400 samples", all)
			}
			between += math.Pow(math.Log1p(all[0].Between), 2) / trials
			within += math.Log1p(all[0].Within) / trials
		}
		if got := math.Sqrt(between); math.Abs(got-test.between) > .15*test.between+.02*test.within+.003 {
			t.Errorf("between %v, within %v: got between %v", test.between, test.within, got)
		}
		if math.Abs(within-test.within) > .2*test.within {
			t.Errorf("between %v, within %v: got within %v", test.between, test.within, within)
		}
	}
	for _, few := range [][]results.Sample{forked(1, 20, 0, .1, 1), forked(5, 1, 0, .1, 1), sweep(3, []int{0})} {
		if all := results.Spreads(few, "ns/op"); len(all) != 0 {
			t.Errorf("a spread of %v", all)
		}
	}
}

// The process of a sample is read back from the file, also after a sample without one.
func TestForksRoundTrip(t *testing.T) {
	samples := append(forked(3, 3, .1, .1, 1), at(results.Near, "ns/op", 1)[0])
	samples[len(samples)-1].Round = 9
	want := written(t, samples)
	for i, s := range want {
		if s.Fork != samples[i].Fork {
			t.Errorf("sample %d: fork %d, want %d", i, s.Fork, samples[i].Fork)
		}
	}
	text := text(t, samples)
	rf, err := results.ReadRecords(strings.NewReader(text), "x")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := rf.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := results.ReadAll(&b, "y")
	if err != nil || !reflect.DeepEqual(again.Samples, want) {
		t.Errorf("records came back as %v, %v, want %v", again.Samples, err, want)
	}
	bad := samples[0]
	bad.Fork = -1
	if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), "fork -1: must not be negative") {
		t.Errorf("Validate of fork -1: %v", err)
	}
}

// Digest and table say how much processes differ.
func TestForksAreShown(t *testing.T) {
	samples := forked(4, 20, .3, .001, 3)
	got := digest(t, results.Digest{}, samples)
	if !strings.Contains(got, "forks: 4 processes differ by ") || !strings.Contains(got, "ticket") {
		t.Errorf("no forks in\n%s", got)
	}
	var b strings.Builder
	if err := results.WriteForks(&b, samples); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if f := strings.Fields(lines[3]); f[0] != "ticket" || !strings.HasSuffix(f[1], "%!") || f[3] != "4" || f[4] != "80" {
		t.Errorf("line %q, want ticket, what processes differ by, 4 forks and 80 samples, in\n%s", lines[3], &b)
	}
	b.Reset()
	if err := results.WriteForks(&b, sweep(3, []int{0})); err != nil || b.Len() > 0 || strings.Contains(digest(t, results.Digest{}, sweep(6, []int{0})), "forks") {
		t.Errorf("forks where there were none: %v %s", err, &b)
	}
}
