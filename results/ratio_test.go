package results_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// versus returns samples of the ticket lock and of sync.Mutex in one cell,
// one of each in each round.
func versus(d results.Distance, unit string, pairs ...[2]float64) []results.Sample {
	var samples []results.Sample
	for i, p := range pairs {
		for lock, v := range p {
			s := at(d, unit, v)[0]
			s.Round = i + 1
			s.Lock = []string{"ticket", "sync.Mutex"}[lock]
			samples = append(samples, s)
		}
	}
	return samples
}

// On a machine that becomes slower, equally for both locks, the samples of each spread
// over a factor of 6, and the ratio does not spread at all.
func TestRatioIsFreeOfDrift(t *testing.T) {
	got := results.Ratios(versus(results.Near, "ns/op",
		[2]float64{60, 100}, [2]float64{120, 200}, [2]float64{180, 300},
		[2]float64{240, 400}, [2]float64{300, 500}, [2]float64{360, 600}), "sync.Mutex", "ns/op")
	want := []results.Ratio{{
		Cell:       ticket,
		Reference:  "sync.Mutex",
		Distance:   results.Near,
		Unit:       "ns/op",
		N:          6,
		Median:     0.6,
		Lo:         0.6,
		Hi:         0.6,
		Confidence: 1 - 2.0/64,
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

// It is the median of the ratios, not the ratio of the medians.
func TestRatioOfPairs(t *testing.T) {
	got := results.Ratios(versus(results.Near, "ns/op",
		[2]float64{1, 10}, [2]float64{4, 2}, [2]float64{9, 3}), "sync.Mutex", "ns/op")
	if len(got) != 1 || got[0].N != 3 || got[0].Median != 2 {
		t.Fatalf("got %+v, want the median of 0.1, 2 and 3", got)
	}
	if len(got[0].Warnings) != 1 || got[0].Warnings[0].Error() != "need >= 6 samples for confidence interval at level 0.95, have 3" {
		t.Errorf("warnings %q, want one of too few samples", got[0].Warnings)
	}
}

// Samples are not paired over rounds, distances or cells.
func TestRatioOnlyPairsWhatBelongsTogether(t *testing.T) {
	samples := versus(results.Near, "ns/op", [2]float64{60, 100}, [2]float64{600, 101}, [2]float64{61, 102})
	samples[2].Distance = results.Far // the ticket lock's in round 2
	got := results.Ratios(samples, "sync.Mutex", "ns/op")
	if len(got) != 1 || got[0].Distance != results.Near || got[0].N != 2 || got[0].Median != (60.0/100+61.0/102)/2 {
		t.Errorf("got %+v, want the two near pairs", got)
	}

	samples[2].Distance = results.Near
	samples[2].Reads = 50
	if got := results.Ratios(samples, "sync.Mutex", "ns/op"); len(got) != 1 || got[0].N != 2 {
		t.Errorf("got %+v, want the two pairs without reads", got)
	}
	if got := results.Ratios(samples, "mcs", "ns/op"); len(got) != 0 {
		t.Errorf("got %+v, want none to a lock that is not there", got)
	}
	if got := results.Ratios(samples, "sync.Mutex", "jain"); len(got) != 0 {
		t.Errorf("got %+v, want none in a unit that is not there", got)
	}
}

func TestRatioWithoutRounds(t *testing.T) {
	const unpaired = "no pairs of one round: ratio of medians, without an interval"
	samples := versus(results.Near, "ns/op", [2]float64{1, 10}, [2]float64{4, 2}, [2]float64{9, 3})
	for i := range samples {
		samples[i].Round = 0
	}
	check := func() {
		t.Helper()
		got := results.Ratios(samples, "sync.Mutex", "ns/op")
		if len(got) != 1 || got[0].N != 0 || got[0].Median != 4.0/3 || !math.IsInf(got[0].Hi, +1) || !math.IsInf(got[0].Lo, -1) {
			t.Fatalf("got %+v, want 4/3, the ratio of medians, without an interval", got)
		}
		if w := got[0].Warnings; len(w) != 1 || w[0].Error() != unpaired {
			t.Errorf("warnings %q, want %q", w, unpaired)
		}
	}
	check()
	for i := range samples {
		samples[i].Round = i + 1 // all different
	}
	check()
}

// Concatenated files have each round twice.
func TestRatioOfRoundsTwice(t *testing.T) {
	samples := append(versus(results.Near, "ns/op", [2]float64{1, 2}), versus(results.Near, "ns/op", [2]float64{10, 40})...)
	got := results.Ratios(samples, "sync.Mutex", "ns/op")
	if len(got) != 1 || got[0].N != 2 || got[0].Median != (0.5+0.25)/2 {
		t.Errorf("got %+v, want the pairs 1/2 and 10/40", got)
	}
}

// Samples of the same round of two files are no pair.
func TestRatioOfTwoFiles(t *testing.T) {
	both := versus(results.Near, "ns/op", [2]float64{100, 200})
	f := &results.File{Samples: versus(results.Near, "ns/op", [2]float64{10, 200})[:1]} // ticket alone
	f.Append(&results.File{Samples: both})
	got := results.Ratios(f.Samples, "sync.Mutex", "ns/op")
	if len(got) != 1 || got[0].N != 1 || got[0].Median != 0.5 {
		t.Errorf("got %+v, want one pair, 0.5", got)
	}
	if both[0].Round != 1 {
		t.Errorf("round %d of the other file's own sample, want 1", both[0].Round)
	}
	unknown := both[0]
	unknown.Round = 0
	f.Append(&results.File{Samples: []results.Sample{unknown}})
	if last := f.Samples[len(f.Samples)-1].Round; last != 0 {
		t.Errorf("round %d of a sample whose round is unknown, want 0", last)
	}
}
func TestRatioToZero(t *testing.T) {
	got := results.Ratios(versus(results.Near, "allocs/op", [2]float64{1, 0}, [2]float64{3, 2}), "sync.Mutex", "allocs/op")
	if len(got) != 1 || got[0].N != 1 || got[0].Median != 1.5 {
		t.Fatalf("got %+v, want 3/2", got)
	}
	if w := got[0].Warnings; w[len(w)-1].Error() != "1 pair left out: the reference is 0" {
		t.Errorf("warnings %q, want one of the pair left out", w)
	}
	if got := results.Ratios(versus(results.Near, "allocs/op", [2]float64{1, 0}), "sync.Mutex", "allocs/op"); len(got) != 0 {
		t.Errorf("got %+v, want none to nothing but zeros", got)
	}
}
