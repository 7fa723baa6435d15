package plots_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// aloneSums returns what four locks cost alone, with the limit and the empty lock.
func aloneSums() (sums []results.Summary) {
	for lock, ns := range map[string][2]float64{
		"ticket": {7, 7}, "mcs": {12, 12}, "sync.Mutex": {10, 10}, "seqlock": {9, 4}, "swap": {6, 6}, "none": {3, 2.9},
	} {
		for i, reads := range []int{0, 100} {
			sums = append(sums, summary(results.Cell{Lock: lock, Reads: reads, Workers: 1, CPUs: 1}, results.Local, "ns/op", ns[i]))
		}
	}
	return sums
}

func TestAlone(t *testing.T) {
	figures, skipped := plots.All(aloneSums(), plots.Options{Facts: facts})
	f := figure(t, figures, "alone_cpus=1_workers=1_hold=0s_think=0s_local")
	if n := number(figures, "throughput", "reads", "latency", "fairness"); n > 0 || said(skipped, "throughput") {
		t.Errorf("%d figures of what no other worker shares; skipped %v, want none", n, skipped)
	}
	if got, want := plain(f.Title), "Alone, ticket costs least: 7.00 ns; sync.Mutex 10.0 ns; one locked instruction 6.00 ns"; got != want {
		t.Errorf("title = %q, want %q", got, want)
	}
	pic := look(t, f)
	pic.tidy(t, f.Name)
	if got, want := pic.inOrder([]string{"ticket", "mcs", "sync.Mutex", "seqlock", "swap", "none"}), []string{"ticket", "seqlock", "sync.Mutex", "mcs"}; !slices.Equal(got, want) {
		t.Errorf("rows = %v, want %v", got, want)
	}
	for _, s := range []string{"one locked instruction", "0 % reads", "100 % reads", "4.00", "12.0"} {
		if !pic.has(s) {
			t.Errorf("no %q in it", s)
		}
	}
}

// The answers to the first questions come first, on one page that needs no other file.
func TestPage(t *testing.T) {
	dir := t.TempDir()
	files, _, err := plots.Write(dir, append(small(), aloneSums()...), plots.Options{Facts: facts, Formats: []string{"svg"}})
	if err != nil {
		t.Fatal(err)
	}
	lead, rest := plots.Lead(files)
	var kinds []string
	for _, a := range lead {
		kind, _, _ := strings.Cut(a.Name, "_")
		kinds = append(kinds, kind)
	}
	if want := []string{"alone", "throughput", "reads"}; !slices.Equal(kinds, want) {
		t.Errorf("lead = %v, want %v", kinds, want)
	}
	if len(lead)+len(rest) != len(files) {
		t.Errorf("%d and %d figures of %d", len(lead), len(rest), len(files))
	}
	path, err := plots.WritePage(dir, files, plots.Options{Facts: facts}, "a < b", "all")
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "index.html"); path != want {
		t.Errorf("path = %s, want %s", path, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if got := strings.Count(page, `src="data:image/svg&#43;xml;base64,`) + strings.Count(page, `src="data:image/svg+xml;base64,`); got != len(files) {
		t.Errorf("%d pictures, want %d", got, len(files))
	}
	for _, want := range []string{"What does a lock cost alone?", "What happens with more CPUs?", "What happens with reads?", "a &lt; b", "prefers-color-scheme: dark"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in it", want)
		}
	}
	for _, not := range []string{"http:", "https:", `src="/`} {
		if strings.Contains(page, not) {
			t.Errorf("it needs %s", not)
		}
	}
}

// An update of RCU takes some 500 ns: locks of 8 to 33 ns must be distinguishable next
// to it, so the axis is logarithmic, and says so.
func TestAloneBesideWhatIsExpensive(t *testing.T) {
	sums := aloneSums()
	logarithmic := func() bool {
		figures, _ := plots.Alone(sums, plots.Options{})
		if len(figures) != 1 {
			t.Fatalf("%d figures, want one", len(figures))
		}
		return look(t, figures[0]).has("time for a pair (ns, log scale)")
	}
	if logarithmic() {
		t.Error("logarithmic, want linear where all cost about the same")
	}
	sums = append(sums, summary(results.Cell{Lock: "rcu-domain", Workers: 1, CPUs: 1}, results.Local, "ns/op", 485))
	if !logarithmic() {
		t.Error("linear, want logarithmic beside an update of 485 ns")
	}
}

// A figure of CPUs at an unknown distance says so in its title, and comes first only if
// no other answers the question.
func TestUnknownDistanceDoesNotLead(t *testing.T) {
	at := func(cpus int, d results.Distance) []results.Summary {
		c := cellOf("mcs", cpus)
		d2 := c
		d2.Reads = 90
		return []results.Summary{summary(c, d, "ops/s", 2e6), summary(d2, d, "ops/s", 3e6)}
	}
	for what, test := range map[string]struct {
		sums []results.Summary
		want map[string]bool // by kind of the leading figure: whether it is of unknown distance
	}{
		"beside one CPU":   {slices.Concat(at(1, results.Local), at(4, results.Unknown)), map[string]bool{"throughput": true, "reads": false}},
		"beside near":      {slices.Concat(at(2, results.Near), at(4, results.Unknown)), map[string]bool{"throughput": false, "reads": false}},
		"nothing is known": {at(4, results.Unknown), map[string]bool{"throughput": false, "reads": false}},
	} {
		files, _, err := plots.Write(t.TempDir(), test.sums, plots.Options{Formats: []string{"svg"}})
		if err != nil {
			t.Fatal(err)
		}
		lead, _ := plots.Lead(files)
		got := make(map[string]bool)
		for _, a := range lead {
			kind, _, _ := strings.Cut(a.Name, "_")
			got[kind] = strings.HasPrefix(a.Title, "CPUs at an unknown distance: ")
		}
		if !maps.Equal(got, test.want) {
			t.Errorf("%s: leading figures of unknown distance: %v, want %v", what, got, test.want)
		}
	}
}
