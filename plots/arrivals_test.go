package plots_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// openSums returns how long the writers of some locks wait at three loads. The ticket
// lock is saturated at the highest.
func openSums(loads ...string) (sums []results.Summary) {
	for lock, wait := range map[string]float64{"ticket": 900, "mcs": 300, "sync.Mutex": 500, "none": 50} {
		for i, load := range loads {
			c := cellOf(lock, 2)
			c.Load = load
			saturated := 0.0
			if lock == "ticket" && i == len(loads)-1 {
				saturated = 1
			}
			more := float64(i*i + 1)
			sums = append(sums,
				summary(c, results.Near, "write-p50-ns", wait*more/10),
				summary(c, results.Near, "write-p99-ns", wait*more),
				summary(c, results.Near, "saturated", saturated))
		}
	}
	return sums
}

func TestLoad(t *testing.T) {
	for _, test := range []struct {
		loads []string
		name  string
		title string
		ticks []string
		left  string
	}{
		{[]string{"0.5", "0.8", "0.95"}, "load-writers_cpus=2_reads=0_workers=2_hold=0s_think=100ns_near",
			"mcs: at load 0.95, 99 % of writers wait at most 1.50 µs; sync.Mutex: 2.50 µs", []string{"0.5", "0.8", "0.95"}, "ticket at load 0.95."},
		{[]string{"200k-per-s", "1M-per-s", "2.5M-per-s"}, "rate-writers_cpus=2_reads=0_workers=2_hold=0s_think=100ns_near",
			"mcs: at 2.5M arrivals/s, 99 % of writers wait at most 1.50 µs; sync.Mutex: 2.50 µs", []string{"200k", "1M", "2.5M"}, "ticket at 2.5M arrivals/s."},
	} {
		figures, skipped := plots.Load(openSums(test.loads...), plots.Options{Facts: facts})
		if len(figures) != 1 || len(skipped) > 0 {
			t.Fatalf("%d figures, skipped %v, want one", len(figures), skipped)
		}
		f := figures[0]
		if f.Name != test.name {
			t.Errorf("name = %s, want %s", f.Name, test.name)
		}
		if got := plain(f.Title); got != test.title {
			t.Errorf("title = %q, want %q", got, test.title)
		}
		if notes := plain(strings.Join(f.Notes, "\n")); !strings.Contains(notes, "the queue grew without end: "+test.left) {
			t.Errorf("notes = %s, want what is left out", notes)
		}
		pic := look(t, f)
		pic.tidy(t, f.Name)
		for _, s := range append(test.ticks, "at its end", "1 µs") {
			if !pic.has(s) {
				t.Errorf("%s: no %q in it", f.Name, s)
			}
		}
		if a, b := f.Panels[0].Y, f.Panels[1].Y; a.Min != b.Min || a.Max != b.Max {
			t.Errorf("%s: axes from %v to %v and from %v to %v", f.Name, a.Min, a.Max, b.Min, b.Max)
		}
	}
}

// One load makes no curve; without a schedule there is no figure, and no remark about
// that.
func TestLoadSkips(t *testing.T) {
	figures, skipped := plots.Load(openSums("0.5"), plots.Options{})
	if len(figures) != 0 || len(skipped) != 1 || !strings.Contains(skipped[0].Why, "--load 0.5,0.8,0.95") {
		t.Errorf("%d figures, %v, want none and what to do", len(figures), skipped)
	}
	figures, skipped = plots.Load(small(), plots.Options{})
	if len(figures)+len(skipped) != 0 {
		t.Errorf("of closed loops %d figures, %v", len(figures), skipped)
	}
}

// Waits in an open loop are not called service times, and there are no figures of
// throughput and fairness, which the schedule determines.
func TestAllOfAnOpenLoop(t *testing.T) {
	sums := openSums("0.5", "0.8", "0.95")
	figures, skipped := plots.All(sums, plots.Options{Facts: facts})
	if said(skipped, "latency") || said(skipped, "throughput") {
		t.Errorf("skipped %v", skipped)
	}
	for _, f := range figures {
		kind, _, _ := strings.Cut(f.Name, "_")
		pic := look(t, f)
		if pic.has("service time to acquire (log scale)") {
			t.Errorf("%s: a service time", f.Name)
		}
		if kind == "latency" && !pic.has("from the scheduled arrival (log scale)") {
			t.Errorf("%s: does not say from when", f.Name)
		}
	}
	for kind, want := range map[string]int{"latency": 3, "load-writers": 1, "throughput": 0, "reads": 0, "fairness": 0} {
		if n := number(figures, kind); n != want {
			t.Errorf("%d figures of %s, want %d", n, kind, want)
		}
	}
}

func TestDistribution(t *testing.T) {
	c := cellOf("mcs", 2)
	c.Load = "0.95"
	var sums []results.Summary
	var waits []results.Distribution
	for lock, longest := range map[string]int64{"mcs": 2000, "sync.Mutex": 800_000, "none": 60} {
		c.Lock = lock
		sums = append(sums, summary(c, results.Near, "write-p99-ns", 700))
		waits = append(waits, results.Distribution{Cell: c, Distance: results.Near, Wait: results.Wait{Role: "write",
			Counts: []results.Count{{NS: 50, N: 9000}, {NS: 500 + longest/1000, N: 900}, {NS: 1000 + longest/100, N: 99}, {NS: 100_000 + longest, N: 1}}}})
	}
	figures, skipped := plots.Distribution(sums, plots.Options{Facts: facts, Waits: waits})
	if len(figures) != 1 || len(skipped) > 0 {
		t.Fatalf("%d figures, skipped %v, want one", len(figures), skipped)
	}
	f := figures[0]
	if want := "waits-writers_cpus=2_reads=0_workers=2_hold=0s_think=100ns_load=0.95_near"; f.Name != want {
		t.Errorf("name = %s, want %s", f.Name, want)
	}
	if got, want := plain(f.Title), "mcs: 99.9 % of writers wait at most 1.02 µs; sync.Mutex: 9.00 µs"; got != want {
		t.Errorf("title = %q, want %q", got, want)
	}
	if got := plain(strings.Join(f.Subtitle, "\n")); !strings.Contains(got, "All operations of all samples: 10000 operations or more of each lock.") {
		t.Errorf("subtitle = %s, want the number of operations", got)
	}
	pic := look(t, f)
	pic.tidy(t, f.Name)
	for _, s := range []string{"50 %", "99.9 %", "longest", "102 µs", "900 µs", "wait (from the scheduled arrival, log scale)"} {
		if !pic.has(s) {
			t.Errorf("no %q in it", s)
		}
	}
	if got, want := pic.inOrder([]string{"mcs", "sync.Mutex"}), []string{"sync.Mutex", "mcs"}; !slices.Equal(got, want) {
		t.Errorf("named from top to bottom: %v, want %v", got, want)
	}
}

// A curve rises with the waits, from one share to the next, and has glyphs only at the
// ticks.
func TestDistributionIsACurve(t *testing.T) {
	c := cellOf("mcs", 2)
	c.Load = "0.95"
	w := results.Wait{Role: "write"}
	for ns := int64(100); ns < 1_000_000; ns *= 2 {
		w.Counts = append(w.Counts, results.Count{NS: ns, N: 1 + 1<<30/(ns*ns)})
	}
	figures, _ := plots.Distribution([]results.Summary{summary(c, results.Near, "write-p99-ns", 700)},
		plots.Options{Waits: []results.Distribution{{Cell: c, Distance: results.Near, Wait: w}}})
	if len(figures) != 1 {
		t.Fatalf("%d figures, want one", len(figures))
	}
	svg, err := figures[0].Encode("svg")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile(`<path d="([^"]*)"`).FindAllSubmatch(svg, -1)
	steps := 0 // of the curve with the most
	for _, path := range paths {
		heights := make(map[string]bool)
		for _, point := range regexp.MustCompile(`L[0-9.-]+,([0-9.-]+)`).FindAllSubmatch(path[1], -1) {
			heights[string(point[1])] = true
		}
		steps = max(steps, len(heights))
	}
	if steps < 6 { // those waits that are not too rare for a share
		t.Errorf("a curve of %d steps, want 6 or more", steps)
	}
	if len(paths) > 60 {
		t.Errorf("%d paths, want those of a curve and some glyphs", len(paths))
	}
}
