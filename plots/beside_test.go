package plots_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// few returns the samples of some locks on one CPU and two, near and far.
func few(locks ...string) []results.Sample {
	all := samples(7, 2, 24, []int{1, 2}, []int{1}, []int{0, 50, 90, 99, 100},
		[]results.Distance{results.Near, results.Near, results.Far, results.Far, results.Mixed}, false)
	return slices.DeleteFunc(all, func(s results.Sample) bool { return !slices.Contains(locks, s.Lock) })
}

func TestReadsBeside(t *testing.T) {
	all := few("none", "sync.Mutex", "seqlock", "rwlock-distributed", "rwlock-phase-fair")
	figures, skipped := plots.ReadsBeside(results.Summarize(all), plots.Options{Facts: facts})
	if len(figures) != 1 || len(skipped) != 0 {
		t.Fatalf("%d figures, %v, want one", len(figures), skipped)
	}
	f := figures[0]
	if want := "reads-beside_workers=1-per-cpu_hold=0s_think=100ns"; f.Name != want {
		t.Errorf("Name = %s, want %s", f.Name, want)
	}
	if want := "On\u00a02\u00a0CPUs"; !strings.HasPrefix(strings.ReplaceAll(f.Title, " ", "\u00a0"), want) {
		t.Errorf("Title = %s, want it to begin with %s", f.Title, want)
	}
	for _, want := range []string{"near: ", "far: ", "100\u00a0%\u00a0reads", "Mops/s"} {
		if !strings.Contains(f.Title, want) {
			t.Errorf("Title = %s, want %s in it", f.Title, want)
		}
	}
	svg := encoded(t, f)
	for _, want := range []string{">1\u00a0CPU<", ">2\u00a0CPUs, near<", ">2\u00a0CPUs, far<"} {
		if strings.Count(svg, want) != 1 {
			t.Errorf("%d panels named %s, want 1", strings.Count(svg, want), want)
		}
	}
	if got := strings.Count(svg, ">seqlock<"); got != 1 {
		t.Errorf("seqlock is named %d times, want once, beside the last panel", got)
	}
	for _, p := range f.Panels[1:] {
		if p.Y.Min != f.Panels[0].Y.Min || p.Y.Max != f.Panels[0].Y.Max {
			t.Errorf("axis of a panel from %v to %v, of the first from %v to %v", p.Y.Min, p.Y.Max, f.Panels[0].Y.Min, f.Panels[0].Y.Max)
		}
	}

	// A file that was appended to names its machine twice.
	twice := facts
	twice.Notes = slices.Concat(facts.Notes, facts.Notes)
	figures, _ = plots.ReadsBeside(results.Summarize(all), plots.Options{Facts: twice})
	if got := figures[0].Subtitle[1]; got != f.Subtitle[1] {
		t.Errorf("of a file that was added to: %s, want %s", got, f.Subtitle[1])
	}

	// If all samples are of near CPUs there are two panels, and the title says so.
	near := slices.DeleteFunc(slices.Clone(all), func(s results.Sample) bool { return s.Distance == results.Far })
	figures, _ = plots.ReadsBeside(results.Summarize(near), plots.Options{})
	if len(figures) != 1 || len(figures[0].Panels) != 2 || !strings.Contains(figures[0].Title, "on 2") {
		t.Errorf("of near CPUs alone: %d figures, %+v", len(figures), figures)
	}

	// A lock that is the only one with enough samples is not called the fastest.
	lone := slices.DeleteFunc(slices.Clone(all), func(s results.Sample) bool {
		return s.Distance == results.Far && s.Reads == 100 && s.Lock != "seqlock"
	})
	figures, _ = plots.ReadsBeside(results.Summarize(lone), plots.Options{})
	if len(figures) != 1 || len(figures[0].Panels) != 3 || strings.Contains(figures[0].Title, "far") {
		t.Errorf("seqlock alone on far CPUs at 100%% reads: %q", figures[0].Title)
	}

	// With one CPU count there are no panels side by side.
	one := slices.DeleteFunc(all, func(s results.Sample) bool { return s.CPUs == 2 })
	if figures, skipped := plots.ReadsBeside(results.Summarize(one), plots.Options{}); len(figures) != 0 || len(skipped) != 1 {
		t.Errorf("of one CPU: %d figures, %v, want none and the reason", len(figures), skipped)
	}
}

func TestThroughputBeside(t *testing.T) {
	all := few("none", "sync.Mutex", "ticket", "mcs", "backoff")
	all = slices.DeleteFunc(all, func(s results.Sample) bool {
		return s.Reads != 0 || s.Lock == "mcs" && s.Distance != results.Near
	})
	figures, skipped := plots.ThroughputBeside(results.Summarize(all), plots.Options{Facts: facts})
	if len(figures) != 1 || len(skipped) != 0 || len(figures[0].Panels) != 2 {
		t.Fatalf("%d figures, %v, want one of two panels", len(figures), skipped)
	}
	f := figures[0]
	if !strings.Contains(f.Title, ", near: ") || !strings.Contains(f.Title, "backoff is fastest on 2\u00a0CPUs, far: ") {
		t.Errorf("Title = %s", f.Title)
	}
	if a, b := f.Panels[0].X, f.Panels[1].X; a.Min != b.Min || a.Max != b.Max {
		t.Errorf("axes from %v to %v and from %v to %v, want one", a.Min, a.Max, b.Min, b.Max)
	}
	svg := encoded(t, f)
	if got := strings.Count(svg, ">mcs<"); got != 1 {
		t.Errorf("mcs is named %d times, want once, at the rows of both panels", got)
	}
	if got := strings.Count(svg, ">–<"); got != 5 { // one CPU and the gain; and all of the row of far CPUs
		t.Errorf("%d values are missing, want 5", got)
	}
	if note := "far CPUs: Left out, with no sample of far CPUs: mcs."; !slices.Contains(f.Notes, note) {
		t.Errorf("Notes = %q, want %q", f.Notes, note)
	}
}

func encoded(t *testing.T, f *plots.Figure) string {
	t.Helper()
	svg, err := f.Encode("svg")
	if err != nil {
		t.Fatal(err)
	}
	return string(svg)
}

// On a dark ground everything has the same contrast as on white.
func TestDark(t *testing.T) {
	for i, l := range plots.Looks(28) {
		if l.Dark < 3 {
			t.Errorf("look %d has contrast %.2f to a dark ground, want 3", i, l.Dark)
		}
		if l.DarkText < 4.5 {
			t.Errorf("text of look %d has contrast %.2f to a dark ground, want 4.5", i, l.DarkText)
		}
	}
	figures, _ := plots.ReadsBeside(results.Summarize(few("none", "sync.Mutex", "seqlock")), plots.Options{Facts: facts})
	light := encoded(t, figures[0])
	figures[0].Dark = true
	dark := encoded(t, figures[0])
	for _, colour := range []string{"#FFFFFF", "#222222", "#555555", "#E9E9E9"} {
		if !strings.Contains(light, colour) || strings.Contains(dark, colour) {
			t.Errorf("%s in the light figure: %t, want true; in the dark one: %t, want false", colour, strings.Contains(light, colour), strings.Contains(dark, colour))
		}
	}
}
