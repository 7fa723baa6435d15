package results_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lockbench/lockbench/internal/golden"
	"github.com/lockbench/lockbench/results"
)

func digest(t *testing.T, d results.Digest, samples []results.Sample) string {
	t.Helper()
	var b strings.Builder
	if err := d.Write(&b, samples); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// aloneToo returns the samples of a sweep, and those of one worker without think time.
func aloneToo(samples []results.Sample) []results.Sample {
	for _, s := range slices.Clone(samples) {
		if s.CPUs > 1 || s.Reads != 0 && s.Reads != 100 {
			continue
		}
		s.Think = 0
		s.Values = slices.Clone(s.Values)
		s.Values[0].Value /= 10
		samples = append(samples, s)
		if s.Lock == "none" {
			s.Lock = "swap"
			samples = append(samples, s)
		}
	}
	return samples
}

func TestDigestIsGolden(t *testing.T) {
	for _, test := range []struct {
		name    string
		digest  results.Digest
		samples []results.Sample
	}{
		{"reads.digest", results.Digest{}, aloneToo(sweep(18, []int{0, 50, 90, 99, 100}))},
		{"few.digest", results.Digest{}, sweep(4, []int{0})},
		{"blind.digest", results.Digest{}, blinded(sweep(18, []int{0, 90}))},
		{"short.digest", results.Digest{Lines: 12, Width: 80}, aloneToo(sweep(18, []int{0, 50, 90, 99, 100}))},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := digest(t, test.digest, test.samples)
			golden.Check(t, test.name, got)
			width, most := 100, 40
			if test.digest.Lines != 0 {
				width, most = test.digest.Width, test.digest.Lines
			}
			if n := strings.Count(got, "\n"); n > most {
				t.Errorf("%d lines, want at most %d", n, most)
			}
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d characters wide, want at most %d: %s", n, width, line)
				}
			}
		})
	}
}

// As many sections are shown as fit together with the line that counts the others.
func TestDigestFits(t *testing.T) {
	for what, samples := range map[string][]results.Sample{
		"reads": aloneToo(sweep(18, []int{0, 50, 90, 99, 100})),
		"blind": blinded(sweep(18, []int{0, 90})),
	} {
		whole := strings.Count(digest(t, results.Digest{Lines: 1000}, samples), "\n")
		sections := 0
		for lines := 5; lines <= whole; lines++ {
			got := digest(t, results.Digest{Lines: lines}, samples)
			if n := strings.Count(got, "\n"); n > lines || lines == whole && n < whole {
				t.Errorf("%s, in %d of %d lines: %d\n%s", what, lines, whole, n, got)
			}
			if out := strings.Contains(got, " for want of room"); out != (lines < whole) {
				t.Errorf("%s, in %d of %d lines: says that something is left out: %t\n%s", what, lines, whole, out, got)
			}
			n := strings.Count(got, "\n\n")
			if n < sections {
				t.Errorf("%s, in %d lines: %d sections, want the %d of one line less", what, lines, n, sections)
			}
			sections = n
		}
	}
}

// Five samples are too few for a rank, and six are enough; a lock without a competitor
// is not the fastest.
func TestDigestRanksWhatHasAnInterval(t *testing.T) {
	for _, test := range []struct {
		rounds int
		locks  []string
		want   bool
	}{
		{5, []string{"a", "b"}, false},
		{6, []string{"a", "b"}, true},
		{6, []string{"a"}, false},
		{6, []string{"a", "none"}, false},
		{6, []string{"a", "swap"}, false},
		{6, []string{"a", "busted"}, false},
	} {
		var samples []results.Sample
		for round := range test.rounds {
			for i, lock := range test.locks {
				s := at(results.Near, "ns/op", float64(50+20*i))[0]
				s.Lock, s.Round = lock, round+1
				samples = append(samples, s)
			}
		}
		got := digest(t, results.Digest{Unranked: []string{"busted"}}, samples)
		if ranked := strings.Contains(got, "FASTEST"); ranked != test.want {
			t.Errorf("%d rounds of %v: ranked: %t, want %t\n%s", test.rounds, test.locks, ranked, test.want, got)
		}
	}
}

// If workers have roles, the readers of a lock are compared with readers, and its
// writers with writers.
func TestRoles(t *testing.T) {
	var samples []results.Sample
	for round := range 6 {
		for lock, ns := range map[string][2]float64{"a": {10, 9000}, "b": {20, 500}, "none": {5, 5}} {
			for _, readers := range []int{1, 7} {
				samples = append(samples, results.Sample{
					Cell:  results.Cell{Lock: lock, Readers: readers, Writers: 1, Workers: readers + 1, CPUs: 2},
					Round: round + 1, Distance: results.Near, Ops: 1,
					Values: []results.Value{{Unit: "ns/op", Value: 1}, {Unit: "read-ns/op", Value: ns[0]}, {Unit: "write-ns/op", Value: ns[1] * float64(readers)}},
				})
			}
		}
	}
	golden.Check(t, "roles.digest", digest(t, results.Digest{}, samples))
	golden.Check(t, "roles.table", table(t, results.Table{Unit: "write-ns/op", Unranked: []string{"none"}, Reference: "b"}, samples))
}

// An interval that reaches far beyond the median is noise, not a number.
func TestNoise(t *testing.T) {
	var samples []results.Sample
	for round := range 6 {
		for _, lock := range []string{"a", "b"} {
			s := at(results.Near, "ns/op", 10+float64(round*round*round*1000))[0]
			s.Lock, s.Round = lock, round+1
			samples = append(samples, s)
		}
	}
	for what, got := range map[string]string{"digest": digest(t, results.Digest{}, samples), "table": table(t, results.Table{}, samples)} {
		if !strings.Contains(got, " noise") && !strings.Contains(got, "*noise") {
			t.Errorf("%s: no noise in\n%s", what, got)
		}
		if !strings.Contains(strings.Join(strings.Fields(got), " "), "noise: the interval reaches to more than twice the median") {
			t.Errorf("%s: does not say what noise is:\n%s", what, got)
		}
		if strings.Contains(got, fmt.Sprint("±", 1)) {
			t.Errorf("%s: an interval in\n%s", what, got)
		}
	}
}

// In an open loop the lock with the shortest wait comes first, by the 99th percentile;
// a saturated lock has no rank, and is named.
func TestDigestOfAnOpenLoop(t *testing.T) {
	var samples []results.Sample
	for round := range 6 {
		for lock, wait := range map[string]float64{"a": 300, "b": 200, "c": 100, "none": 50} {
			for _, load := range []string{"0.95", "100k-per-s", "0.5", "20k-per-s"} {
				s := at(results.Near, "write-p99-ns", wait+float64(round))[0]
				s.Lock, s.Round, s.Load = lock, round+1, load
				saturated := 0.0
				if lock == "c" && load == "0.95" && round > 1 {
					saturated = 1
				}
				s.Values = append(s.Values, results.Value{Unit: "saturated", Value: saturated})
				samples = append(samples, s)
			}
		}
	}
	got := digest(t, results.Digest{}, samples)
	at := 0
	for _, want := range []string{"load 0.5", "SHORTEST WAIT", "c 102", "load 0.95", "b 202", "saturated: c", "20k arrivals/s", "c 102", "100k arrivals/s", "from the scheduled arrival"} {
		i := strings.Index(got[at:], want)
		if i < 0 {
			t.Fatalf("no %q, or not in its place:\n%s", want, got)
		}
		at += i
	}
	if strings.Contains(got, "ns/op") {
		t.Errorf("ns/op where none was measured:\n%s", got)
	}
}
