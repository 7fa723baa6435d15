package plots_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// simulatedOn returns what was found on another machine, over CPUs and over reads, for the
// scenes of hostSums.
func simulatedOn(machine, seed string, cpus ...int) plots.Other {
	o := plots.Other{Facts: results.Facts{Machine: "sim:" + machine}}
	o.Facts.Note("seed", seed)
	for _, lock := range []string{"ticket", "mcs", "sync.Mutex", "only-there", "none"} {
		for _, n := range cpus {
			for _, reads := range []int{0, 50, 100} {
				c := cellOf(lock, n)
				c.Reads = reads
				s := summary(c, results.Unknown, "ops/s", 40e6/float64(n+len(lock)))
				s.N, s.Lo, s.Hi = 1, s.Median, s.Median
				o.Summaries = append(o.Summaries, s)
			}
		}
	}
	return o
}

func hostSums() (sums []results.Summary) {
	for _, lock := range []string{"ticket", "mcs", "sync.Mutex", "none"} {
		for _, n := range []int{1, 2} {
			for _, reads := range []int{0, 50, 100} {
				c, d := cellOf(lock, n), results.Near
				if c.Reads = reads; n == 1 {
					d = results.Local
				}
				sums = append(sums, summary(c, d, "ops/s", 30e6/float64(2*n+len(lock))))
			}
		}
	}
	return sums
}

// Results of other machines are dashed lines with their machine in the legend. The title
// is about the figure's own machine alone, and so are all figures without them.
func TestOthers(t *testing.T) {
	alone, _ := plots.All(hostSums(), plots.Options{Facts: facts})
	o := plots.Options{Facts: facts, Others: []plots.Other{simulatedOn("milan-2s", "7", 1, 2, 8, 64), simulatedOn("xeon-8176-8s", "", 2, 224)}}
	together, _ := plots.All(hostSums(), o)
	if len(together) != len(alone) {
		t.Fatalf("%d figures, want the %d of the host", len(together), len(alone))
	}
	dashed := func(f *plots.Figure) int {
		svg, err := f.Encode("svg")
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(svg, []byte("stroke-dasharray:4,2.5"))
	}
	for _, f := range alone {
		if n := dashed(f); n > 0 {
			t.Errorf("%s: %d lines of other machines in a figure of one", f.Name, n)
		}
	}
	const over, among = "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_near", "reads_cpus=2_workers=2_hold=0s_think=100ns_near"
	for _, test := range []struct {
		figure, note string
		own, others  []string
		lines        int // of others: each is drawn, and in the legend
	}{
		{over, "Dashed, with hollow marks: simulated on milan-2s, seed 7; simulated on xeon-8176-8s.", []string{"ticket", "mcs", "sync.Mutex"},
			[]string{"ticket (milan-2s)", "mcs (milan-2s)", "sync.Mutex (milan-2s)", "only-there (milan-2s)", "mcs (xeon-8176-8s)", "64", "224"}, 2 * 8},
		{among, "Dashed, with hollow marks: simulated on milan-2s, seed 7; simulated on xeon-8176-8s.", []string{"ticket", "mcs", "sync.Mutex"},
			[]string{"ticket (milan-2s)", "only-there (xeon-8176-8s)", "0", "50", "100"}, 2 * 8},
	} {
		f := figure(t, together, test.figure)
		if before := figure(t, alone, test.figure); f.Title != before.Title || !slices.Equal(f.Subtitle, before.Subtitle) {
			t.Errorf("%s: title %q, %q, want that of the host alone, %q, %q", f.Name, f.Title, f.Subtitle, before.Title, before.Subtitle)
		}
		if len(f.Notes) == 0 || plain(f.Notes[0]) != test.note {
			t.Errorf("%s: notes %q, want first %q", f.Name, f.Notes, test.note)
		}
		pic := look(t, f)
		pic.tidy(t, f.Name)
		for _, s := range append(test.own, test.others...) {
			if !pic.has(s) {
				t.Errorf("%s: no %q in it", f.Name, s)
			}
		}
		if n := dashed(f); n != test.lines {
			t.Errorf("%s: %d dashed lines, want %d", f.Name, n, test.lines)
		}
	}
}

// With one or two CPU counts in all there are rows: those of another machine are below the
// same lock.
func TestOthersInRows(t *testing.T) {
	o := plots.Options{Facts: facts, Others: []plots.Other{simulatedOn("milan-2s", "1", 1, 2)}}
	f := figure(t, first(plots.Throughput(hostSums(), o)), "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_near")
	pic := look(t, f)
	pic.tidy(t, f.Name)
	var want []string
	for _, lock := range pic.inOrder([]string{"ticket", "mcs", "sync.Mutex"}) {
		want = append(want, lock, lock+" (milan-2s)")
	}
	want = append(want, "only-there (milan-2s)")
	if got := pic.inOrder(want); len(want) != 7 || !slices.Equal(got, want) {
		t.Errorf("rows from the top = %q, want %q", got, want)
	}
	if strings.Contains(f.Title, "milan") {
		t.Errorf("title %q, want one about the host alone", f.Title)
	}
}
