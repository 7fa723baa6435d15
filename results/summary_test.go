package results_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// at returns samples of the ticket cell, one for each value in unit.
func at(d results.Distance, unit string, values ...float64) []results.Sample {
	var samples []results.Sample
	for i, v := range values {
		samples = append(samples, results.Sample{
			Cell:     ticket,
			Round:    i + 1,
			Distance: d,
			Ops:      1,
			Values:   []results.Value{{Unit: unit, Value: v}},
		})
	}
	return samples
}

func TestSummarize(t *testing.T) {
	// Order statistics 2 and 9 of 10 bound the median with 1 - 2·(1+10)/2¹⁰.
	got := results.Summarize(at(results.Near, "ns/op", 64, 61, 60, 200, 62, 66, 65, 63, 59, 67))
	want := []results.Summary{{
		Cell:       ticket,
		Distance:   results.Near,
		Unit:       "ns/op",
		N:          10,
		Median:     63.5,
		Lo:         60,
		Hi:         67,
		Confidence: 1 - 22.0/1024,
		Q1:         61,
		Q3:         66,
		MAD:        2.5,
		Min:        59,
		Max:        200,
		Outliers:   1,
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestSummarizeFew(t *testing.T) {
	for n := 1; n <= 6; n++ {
		s := results.Summarize(at(results.Near, "ns/op", []float64{61, 62, 63, 64, 65, 66}[:n]...))[0]
		if s.N != n {
			t.Errorf("N = %d, want %d", s.N, n)
		}
		if n == 6 {
			if s.Lo != 61 || s.Hi != 66 || s.Warnings != nil {
				t.Errorf("6 samples: [%v, %v] and %v, want [61, 66] and no warning", s.Lo, s.Hi, s.Warnings)
			}
			continue
		}
		want := "need >= 6 samples for confidence interval at level 0.95, have " + string(rune('0'+n))
		if !math.IsInf(s.Lo, -1) || !math.IsInf(s.Hi, +1) || len(s.Warnings) != 1 || s.Warnings[0].Error() != want {
			t.Errorf("%d samples: [%v, %v] and %q, want an infinite interval and %q", n, s.Lo, s.Hi, s.Warnings, want)
		}
	}
	one := results.Summarize(at(results.Near, "ns/op", 61))[0]
	if one.Median != 61 || one.Q1 != 61 || one.Q3 != 61 || one.Min != 61 || one.Max != 61 || one.MAD != 0 || one.Outliers != 0 {
		t.Errorf("one sample of 61: %+v", one)
	}
}

// Near and far, oversubscribed or not, and units are kept apart.
func TestSummarizeKeepsApart(t *testing.T) {
	samples := slices.Concat(
		at(results.Far, "ns/op", 3), at(results.Unknown, "ns/op", 5), at(results.Near, "jain", 6),
		at(results.Mixed, "ns/op", 4), at(results.Near, "mine/op", 7), at(results.Near, "ns/op", 2),
		at(results.Local, "ns/op", 1), at(results.Near, "ns/op", 8))
	samples[len(samples)-1].Oversubscribed = true
	other := at(results.Near, "ns/op", 0)
	other[0].Lock = "aaa"
	samples = append(samples, other...)

	type row struct {
		lock     string
		distance results.Distance
		unit     string
		median   float64
	}
	want := []row{ // by lock, distance and unit, in the order of importance
		{"aaa", results.Near, "ns/op", 0},
		{"ticket", results.Local, "ns/op", 1},
		{"ticket", results.Near, "ns/op", 2},
		{"ticket", results.Near, "jain", 6},
		{"ticket", results.Near, "mine/op", 7},
		{"ticket", results.Near, "ns/op", 8}, // oversubscribed
		{"ticket", results.Far, "ns/op", 3},
		{"ticket", results.Mixed, "ns/op", 4},
		{"ticket", results.Unknown, "ns/op", 5},
	}
	var got []row
	for _, s := range results.Summarize(samples) {
		got = append(got, row{s.Lock, s.Distance, s.Unit, s.Median})
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

func TestSummarizeInAnyOrder(t *testing.T) {
	samples := sweep(6, []int{0, 90})
	want := results.Summarize(samples)
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 0))
		rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		got := results.Summarize(samples)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("shuffled with seed %d, the summaries differ", seed)
		}
	}
}

func TestSummarizeNothing(t *testing.T) {
	if got := results.Summarize(nil); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}
