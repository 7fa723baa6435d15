package results_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lockbench/lockbench/internal/golden"
	"github.com/lockbench/lockbench/results"
)

func table(t *testing.T, tab results.Table, samples []results.Sample) string {
	t.Helper()
	var b strings.Builder
	if err := tab.Write(&b, samples); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTableIsGolden(t *testing.T) {
	none := []string{"none"}
	for _, test := range []struct {
		name    string
		table   results.Table
		samples []results.Sample
	}{
		{"reads.table", results.Table{Unranked: none}, sweep(18, []int{0, 50, 90, 99, 100})},
		{"cpus.table", results.Table{Unranked: none}, sweep(18, []int{0})},
		{"few.table", results.Table{Unranked: none}, sweep(4, []int{0})},
		{"ops.table", results.Table{Unranked: none, Unit: "ops/s", Reference: "ticket"}, sweep(18, []int{0, 100})},
		{"blind.table", results.Table{}, blinded(sweep(18, []int{0}))},
		{"blindreads.table", results.Table{}, blinded(sweep(18, []int{0, 90}))},
		{"unpaired.table", results.Table{Width: 60}, withoutRounds(sweep(18, []int{0}))},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := table(t, test.table, test.samples)
			golden.Check(t, test.name, got)
			width := test.table.Width
			if width == 0 {
				width = 100
			}
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > width && !strings.HasPrefix(line, "warning: ") {
					t.Errorf("%d characters wide, want at most %d: %s", n, width, line)
				}
			}
		})
	}
}

// blinded returns samples for which, in every fourth round, the probe could not measure
// the distance.
func blinded(samples []results.Sample) []results.Sample {
	for i, s := range samples {
		if s.CPUs > 1 && s.Round%4 == 0 {
			samples[i].Distance = results.Unknown
		}
	}
	return samples
}

func withoutRounds(samples []results.Sample) []results.Sample {
	for i := range samples {
		samples[i].Round, samples[i].Distance = 0, results.Unknown
	}
	return samples
}

// The best lock is marked, and so are those that the rounds do not distinguish from it.
// A lock outside the ranking is not marked, nor is one that is a little slower in every
// round, even if the rounds spread widely.
func TestTableMarksTheBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var samples []results.Sample
	for round := range 20 {
		drift := 1 + rng.Float64()
		for lock, ns := range map[string]float64{
			"none":   50,
			"best":   100,
			"equal":  100.2 + 2*math.Pow(-1, float64(round)),
			"slower": 103,
		} {
			s := at(results.Near, "ns/op", ns*drift)[0]
			s.Lock, s.Round = lock, round+1
			samples = append(samples, s)
		}
	}
	got := table(t, results.Table{Unranked: []string{"none"}}, samples)
	for lock, want := range map[string]bool{"none": false, "best": true, "equal": true, "slower": false} {
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, lock) && strings.Contains(line, "*") != want {
				t.Errorf("%s is marked: %v, want %v, in\n%s", lock, !want, want, got)
			}
		}
	}
}

// One sample of a simulator has no noise, and is ranked; one of a machine is not.
func TestTableOfOneSeed(t *testing.T) {
	samples := versus(results.Unknown, "ns/op", [2]float64{100, 101})
	measured := table(t, results.Table{}, samples)
	exact := table(t, results.Table{Exact: true}, samples)
	for _, c := range []struct {
		text            string
		measured, exact bool
	}{
		{"n=1", true, false},
		{"not ranked", true, false},
		{"need >=", true, false},
		{"±", true, false},
		{"~", true, false},
		{"100*", false, true},
		{"0.99", true, true},
		{"exact for it", false, true},
	} {
		if got := strings.Contains(measured, c.text); got != c.measured {
			t.Errorf("measured: %q is there: %v, want %v, in\n%s", c.text, got, c.measured, measured)
		}
		if got := strings.Contains(exact, c.text); got != c.exact {
			t.Errorf("exact: %q is there: %v, want %v, in\n%s", c.text, got, c.exact, exact)
		}
	}
	if six := table(t, results.Table{Exact: true}, versus(results.Unknown, "ns/op", slices.Repeat([][2]float64{{100, 101}}, 6)...)); strings.Contains(six, "exact for it") || !strings.Contains(six, "±") {
		t.Errorf("six seeds: want an interval, have\n%s", six)
	}
}

func TestTableInAnyOrder(t *testing.T) {
	samples := sweep(18, []int{0, 50})
	want := table(t, results.Table{}, samples)
	rng := rand.New(rand.NewPCG(5, 6))
	rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	if got := table(t, results.Table{}, samples); got != want {
		t.Errorf("shuffled\n%s\nwant\n%s", got, want)
	}
}

func TestTableOfNothing(t *testing.T) {
	for _, test := range []struct {
		table   results.Table
		samples []results.Sample
		want    string
	}{
		{results.Table{}, nil, "no samples in ns/op"},
		{results.Table{Unit: "parsecs"}, sweep(1, []int{0}), "no samples in parsecs"},
	} {
		if got := message(test.table.Write(&strings.Builder{}, test.samples)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
