package plots_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// A text is a line of text in an SVG file, with the box that it fills.
type text struct {
	s                        string
	left, top, right, bottom float64
	bold                     bool
	fill                     string
}

// A picture is the part of an SVG file that tests look at.
type picture struct {
	width, height float64
	texts         []text
	size          int
}

// look draws f and reads it back.
func look(t *testing.T, f *plots.Figure) picture {
	t.Helper()
	svg, err := f.Encode("svg")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, svg)
}

func parse(t *testing.T, svg []byte) picture {
	t.Helper()
	pic := picture{size: len(svg)}
	d := xml.NewDecoder(bytes.NewReader(svg))
	attr := func(e xml.StartElement, name string) string {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	num := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatalf("svg: %v", err)
		}
		return v
	}
	fontSize := regexp.MustCompile(`font-size:([0-9.]+)px`)
	fill := regexp.MustCompile(`fill:(#[0-9A-F]+)`)
	for {
		token, err := d.Token()
		if err == io.EOF {
			return pic
		}
		if err != nil {
			t.Fatalf("svg: %v", err)
		}
		e, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "svg":
			pic.width, pic.height = num(strings.TrimSuffix(attr(e, "width"), "pt")), num(strings.TrimSuffix(attr(e, "height"), "pt"))
		case e.Name.Local == "path":
			if strings.Contains(attr(e, "d"), "NaN") || strings.Contains(attr(e, "d"), "Inf") {
				t.Errorf("svg: path %q", attr(e, "d"))
			}
		case e.Name.Local == "text":
			var s string
			if err := d.DecodeElement(&s, &e); err != nil {
				t.Fatalf("svg: %v", err)
			}
			style := attr(e, "style")
			size := num(fontSize.FindStringSubmatch(style)[1])
			// y grows upwards from the foot of the file and is negated.
			base := pic.height + num(attr(e, "y"))
			tx := text{s: s, left: num(attr(e, "x")), bold: strings.Contains(style, "bold")}
			if m := fill.FindStringSubmatch(style); m != nil {
				tx.fill = m[1]
			}
			tx.right = tx.left + num(attr(e, "textLength"))
			tx.top, tx.bottom = base-.72*size, base+.21*size // top of capitals, bottom of descenders
			pic.texts = append(pic.texts, tx)
		}
	}
}

// tidy reports text that is cut off, and text that runs into other text.
func (p picture) tidy(t *testing.T, name string) {
	t.Helper()
	for i, a := range p.texts {
		// Coordinates grow upwards here: swap back.
		if a.left < -.1 || a.right > p.width+.1 {
			t.Errorf("%s: %q is cut off: from %.1f to %.1f of %.1f", name, a.s, a.left, a.right, p.width)
		}
		if a.top < -.1 || a.bottom > p.height+.1 {
			t.Errorf("%s: %q is cut off: from %.1f to %.1f of %.1f high", name, a.s, a.top, a.bottom, p.height)
		}
		for _, b := range p.texts[:i] {
			if a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom {
				t.Errorf("%s: %q and %q overlap", name, b.s, a.s)
			}
		}
	}
}

// has reports whether the picture has the text s.
func (p picture) has(s string) bool {
	return slices.ContainsFunc(p.texts, func(t text) bool { return plain(t.s) == s })
}

// plain returns s with ordinary spaces.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// No text of any figure is cut off or runs into another, and no file is
// larger than a picture on a page should be.
func TestTextIsTidy(t *testing.T) {
	long := small()
	for i := range long {
		if long[i].Lock == "ticket" {
			long[i].Lock = "a-lock-whose-name-is-far-too-long-for-any-picture-<&>"
		}
	}
	over := results.Summarize(samples(3, 2, 4, []int{1, 2, 3, 4}, []int{1}, []int{0}, []results.Distance{results.Near}, false))
	single := slices.DeleteFunc(results.Summarize(samples(3, 8, 7, []int{1, 2, 3, 4, 5, 6, 7, 8}, []int{1}, []int{0, 50, 100}, []results.Distance{results.Far}, true)),
		func(s results.Summary) bool { return s.Lock != "tas" })
	for name, sums := range map[string][]results.Summary{"small": small(), "big": big(), "long": long, "over": over, "single": single} {
		figures, _ := plots.All(sums, plots.Options{Facts: bigFacts})
		if len(figures) == 0 {
			t.Errorf("%s: no figures", name)
		}
		kinds := make(map[string]int)
		for _, f := range figures {
			kind, _, _ := strings.Cut(f.Name, "_")
			if kinds[kind]++; kinds[kind] > 4 {
				continue // figures of the same kind
			}
			pic := look(t, f)
			pic.tidy(t, name+" "+f.Name)
			if pic.size > 128<<10 {
				t.Errorf("%s %s: %d bytes, want at most 128 KiB", name, f.Name, pic.size)
			}
		}
	}
}

// number returns how many figures are of the kinds, which their names begin with.
func number(figures []*plots.Figure, kinds ...string) (n int) {
	for _, f := range figures {
		if kind, _, _ := strings.Cut(f.Name, "_"); slices.Contains(kinds, kind) {
			n++
		}
	}
	return n
}

// said reports whether figures of a kind are said to be missing.
func said(skipped []plots.Skipped, kind string) bool {
	return slices.ContainsFunc(skipped, func(s plots.Skipped) bool { return strings.HasPrefix(s.Figure, kind) })
}

// figure returns the one figure of that name.
func figure(t *testing.T, figures []*plots.Figure, name string) *plots.Figure {
	t.Helper()
	i := slices.IndexFunc(figures, func(f *plots.Figure) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range figures {
			names = append(names, f.Name)
		}
		t.Fatalf("no figure %q; there are\n%s", name, strings.Join(names, "\n"))
	}
	return figures[i]
}

// summary returns a summary of n samples with an interval of 2 %.
func summary(c results.Cell, d results.Distance, unit string, median float64) results.Summary {
	return results.Summary{Cell: c, Distance: d, Unit: unit, N: 10, Median: median, Lo: median * .99, Hi: median * 1.01, Confidence: .95}
}

func cellOf(lock string, cpus int) results.Cell {
	return results.Cell{Lock: lock, Workers: cpus, Think: 100 * time.Nanosecond, CPUs: cpus}
}

func TestThroughputOnTwoCPUs(t *testing.T) {
	var sums []results.Summary
	for lock, m := range map[string][3]float64{ // local, near, far
		"qspinlock": {9e6, 16.2e6, 6.1e6}, "mcs": {8e6, 12e6, 2e6}, "sync.Mutex": {8.5e6, 8e6, 7e6}, "none": {9.5e6, 17e6, 17e6},
	} {
		sums = append(sums,
			summary(cellOf(lock, 1), results.Local, "ops/s", m[0]),
			summary(cellOf(lock, 2), results.Near, "ops/s", m[1]),
			summary(cellOf(lock, 2), results.Far, "ops/s", m[2]),
			summary(cellOf(lock, 2), results.Mixed, "ops/s", 1e6))
	}
	sums = append(sums, summary(cellOf("near-only", 2), results.Near, "ops/s", 1e6))
	figures, skipped := plots.Throughput(sums, plots.Options{Facts: facts})
	if len(figures) != 2 || len(skipped) != 0 {
		t.Fatalf("%d figures and %d skipped (%v), want one for near, one for far", len(figures), len(skipped), skipped)
	}
	for _, test := range []struct {
		name, title string
		rows        []string
		values      []string
		alarms      []string
	}{
		{
			"throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_near",
			"qspinlock is fastest at 2 CPUs: 16.2 Mops/s",
			[]string{"qspinlock", "mcs", "sync.Mutex", "near-only"},
			[]string{"9.00", "16.2", "×1.80"}, []string{"×0.94"},
		},
		{
			"throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_far",
			"sync.Mutex is fastest at 2 CPUs: 7.00 Mops/s",
			[]string{"sync.Mutex", "qspinlock", "mcs"},
			[]string{"9.00", "6.10", "×0.68", "Left out, with no sample of far CPUs: near-only."}, []string{"×0.82", "×0.68", "×0.25"},
		},
	} {
		f := figure(t, figures, test.name)
		if got := plain(f.Title); got != test.title {
			t.Errorf("title = %q, want %q", got, test.title)
		}
		pic := look(t, f)
		pic.tidy(t, f.Name)
		if got := pic.inOrder([]string{"qspinlock", "mcs", "sync.Mutex", "near-only"}); !slices.Equal(got, test.rows) {
			t.Errorf("%s: rows from the top = %v, want %v", f.Name, got, test.rows)
		}
		for _, s := range append(test.values, "1 CPU", "2 CPUs", "throughput (Mops/s)") {
			if !pic.has(s) {
				t.Errorf("%s: no %q in it", f.Name, s)
			}
		}
		var alarms []string
		for _, tx := range pic.texts {
			if tx.fill == "#B34A00" {
				alarms = append(alarms, tx.s)
			}
		}
		if !slices.Equal(alarms, test.alarms) {
			t.Errorf("%s: losses marked = %v, want %v", f.Name, alarms, test.alarms)
		}
		// Mixed samples are left out, 10 of each of four locks, and it says so.
		if got, want := strings.Join(f.Subtitle, "\n"), "Left out: 40 samples during which the CPUs' distance changed."; !strings.Contains(plain(got), want) {
			t.Errorf("subtitle = %q, want it to say %q", got, want)
		}
	}
}

// inOrder returns the names that are in the picture, from the top down.
func (p picture) inOrder(names []string) []string {
	var found []text
	for _, tx := range p.texts {
		if slices.Contains(names, tx.s) {
			found = append(found, tx)
		}
	}
	slices.SortFunc(found, func(a, b text) int { return int(math.Copysign(1, a.top-b.top)) })
	var out []string
	for _, tx := range found {
		out = append(out, tx.s)
	}
	return out
}

// The legend of a line chart is in the order in which the lines end, all
// locks are in it, and the best and the reference are bold.
func TestLegendIsOrderedAsLinesEnd(t *testing.T) {
	f := figure(t, first(plots.Throughput(big(), plots.Options{Facts: bigFacts})), "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_near")
	pic := look(t, f)
	ends := make(map[string]float64)
	for _, s := range big() {
		if s.Lock != "none" && s.Unit == "ops/s" && s.CPUs == 128 && s.Reads == 0 {
			ends[s.Lock] = s.Median
		}
	}
	var want []string
	for lock := range ends {
		want = append(want, lock)
	}
	slices.SortFunc(want, func(a, b string) int { return int(math.Copysign(1, ends[b]-ends[a])) })
	if len(want) != 25 {
		t.Fatalf("%d locks, want 25", len(want))
	}
	if got := pic.inOrder(want); !slices.Equal(got, want) {
		t.Errorf("legend from the top =\n%v, want\n%v", got, want)
	}
	for _, s := range []string{"oversubscribed", "1", "2", "4", "8", "16", "32", "64", "96", "128", "Mops/s at 128 CPUs", "CPUs (log scale)"} {
		if !pic.has(s) {
			t.Errorf("no %q in it", s)
		}
	}
	best, _, _ := strings.Cut(f.Title, " ")
	for _, tx := range pic.texts {
		if slices.Contains(want, tx.s) && tx.bold != (tx.s == best || tx.s == "sync.Mutex") {
			t.Errorf("name %s is bold: %t; the best is %s", tx.s, tx.bold, best)
		}
	}
}

func first(figures []*plots.Figure, _ []plots.Skipped) []*plots.Figure { return figures }

// Few CPU counts get exactly these ticks.
func TestTicksAreTheCPUs(t *testing.T) {
	var sums []results.Summary
	for _, cpus := range []int{1, 2, 3} {
		sums = append(sums, summary(cellOf("mcs", cpus), results.Near, "ns/op", 100/float64(cpus)))
	}
	f := first(plots.Throughput(sums, plots.Options{}))[0]
	f.Panels[0].Y.Tick.Marker = plot.ConstantTicks(nil)
	pic := look(t, f)
	for _, s := range []string{"1", "2", "3"} {
		if !pic.has(s) {
			t.Errorf("no tick %s", s)
		}
	}
	if pic.has("1.5") || pic.has("2.5") {
		t.Error("a tick at half a CPU")
	}
}

func TestTies(t *testing.T) {
	sums := func(medians ...float64) []results.Summary {
		var out []results.Summary
		for i, m := range medians {
			out = append(out, summary(cellOf(fmt.Sprintf("l%d", i+1), 2), results.Near, "ops/s", m))
		}
		return out
	}
	few := sums(10e6, 9e6)
	for i := range few {
		few[i].Lo, few[i].Hi, few[i].N = math.Inf(-1), math.Inf(1), 3
	}
	for _, test := range []struct {
		sums  []results.Summary
		title string
	}{
		{sums(10e6), "l1 reaches 10.0 Mops/s at 2 CPUs"},
		{sums(10e6, 9e6), "l1 is fastest at 2 CPUs: 10.0 Mops/s"},
		{sums(9.9e6, 10e6), "l2 and l1 tie for fastest at 2 CPUs: 9.90–10.0 Mops/s"},
		{sums(10e6, 10e6, 10e6, 10e6, 1e6, 1e6, 1e6, 1e6), "l1, l2 and 2 more tie for fastest at 2 CPUs: 10.0 Mops/s"},
		{sums(10e6, 10e6, 9.9e6, 10e6, 1e6), "4 of 5 locks cannot be told apart at 2 CPUs: 9.90–10.0 Mops/s"},
		{few, "Throughput at 2 CPUs: too few samples to tell which lock is fastest"},
	} {
		f := first(plots.Throughput(test.sums, plots.Options{}))[0]
		if got := plain(f.Title); got != test.title {
			t.Errorf("title = %q, want %q", got, test.title)
		}
	}
	if f := first(plots.Throughput(few, plots.Options{}))[0]; !strings.Contains(plain(f.Subtitle[1]), "3 samples, too few for a 95 % interval") {
		t.Errorf("subtitle = %q, want it to say that 3 samples are too few", f.Subtitle)
	}
}

// Samples of unknown distance are left out of a scenario that has near or far ones.
// Elsewhere they have a figure of their own, which says so, unless no sample of the
// file has a distance.
func TestUnknownDistance(t *testing.T) {
	at := func(lock string, cpus int, d results.Distance, median float64) results.Summary {
		return summary(cellOf(lock, cpus), d, "ops/s", median)
	}
	near, unknown := at("mcs", 2, results.Near, 2e6), at("mcs", 2, results.Unknown, 1e6)
	few := near
	few.N, few.Lo, few.Hi = 2, math.Inf(-1), math.Inf(1)
	const name = "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns"
	for _, test := range []struct {
		what string
		sums []results.Summary
		want []string // a name, its conditions, what was left out
	}{
		{"beside near", []results.Summary{near, unknown}, []string{
			name + "_near", "1 worker per CPU · hold 0 · think 100 ns · near CPUs",
			"Left out: 10 samples of unknown distance, taken while the machine was busy."}},
		{"beside near and mixed", []results.Summary{near, unknown, at("mcs", 2, results.Mixed, 3e6), at("tas", 2, results.Unknown, 1e6)}, []string{
			name + "_near", "1 worker per CPU · hold 0 · think 100 ns · near CPUs",
			"Left out: 10 samples during which the CPUs' distance changed and 20 samples of unknown distance, taken while the machine was busy."}},
		{"beside near that came up for a moment", []results.Summary{few, unknown}, []string{
			name, "1 worker per CPU · hold 0 · think 100 ns · CPUs at an unknown distance", ""}},
		{"alone", []results.Summary{unknown}, []string{
			name, "1 worker per CPU · hold 0 · think 100 ns", ""}},
		{"beside one CPU", []results.Summary{at("mcs", 1, results.Local, 1e6), unknown}, []string{
			name, "1 worker per CPU · hold 0 · think 100 ns · CPUs at an unknown distance", ""}},
		{"with other CPUs near", []results.Summary{near, at("mcs", 4, results.Unknown, 1e6)}, []string{
			name + "_near", "1 worker per CPU · hold 0 · think 100 ns · near CPUs", "",
			name, "1 worker per CPU · hold 0 · think 100 ns · CPUs at an unknown distance", ""}},
	} {
		var got []string
		for _, f := range first(plots.Throughput(test.sums, plots.Options{})) {
			left := ""
			if len(f.Subtitle) > 2 {
				left = plain(f.Subtitle[2])
			}
			conditions := plain(f.Subtitle[0])
			got = append(got, f.Name, conditions[strings.Index(conditions, "1 worker"):], left)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", test.what, got, test.want)
		}
	}
}

// Samples that one scenario leaves out are not in the figure of another either.
func TestUnknownDistanceOfSome(t *testing.T) {
	sums := []results.Summary{
		summary(cellOf("mcs", 2), results.Near, "ops/s", 2e6),
		summary(cellOf("mcs", 2), results.Unknown, "ops/s", 1e6),
		summary(cellOf("mcs", 4), results.Unknown, "ops/s", 1e6),
	}
	f := figure(t, first(plots.Throughput(sums, plots.Options{})), "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns")
	if pic := look(t, f); pic.has("2 CPUs") || !pic.has("4 CPUs") {
		t.Error("want 4 CPUs alone, since 2 are known to be near")
	}
}

// The first figure of each kind comes first: exclusive, near, and on all CPUs of the
// machine.
func TestOrder(t *testing.T) {
	sums := results.Summarize(samples(5, 4, 24, []int{1, 2, 4, 8}, []int{1}, []int{0, 50, 90, 100},
		[]results.Distance{results.Near, results.Near, results.Far}, true))
	figures, skipped := plots.All(sums, plots.Options{})
	const at, over = "_workers=1-per-cpu_hold=0s_think=100ns_", "_hold=0s_think=100ns_"
	last, lastName := -1, ""
	for _, want := range []string{
		"throughput_reads=0" + at + "near",
		"reads_cpus=4_workers=4" + over + "near",
		"latency_cpus=4_reads=0_workers=4" + over + "near",
		"fairness_cpus=4_reads=0_workers=4" + over + "near",
		"throughput_reads=0" + at + "far",
		"reads_cpus=4_workers=4" + over + "far",
	} {
		i := slices.IndexFunc(figures, func(f *plots.Figure) bool { return f.Name == want })
		if i <= last {
			t.Errorf("figure %d is %s, want it after figure %d, %s", i, want, last, lastName)
		}
		last, lastName = i, want
	}
	end := slices.IndexFunc(figures, func(f *plots.Figure) bool { return strings.Contains(f.Name, "cpus=8_") })
	if end <= last {
		t.Errorf("figure %d is of 8 CPUs, which are not there; want it after the others", end)
	}

	// Shares between the lowest and the highest are left out, and the figure says so.
	for _, f := range figures {
		if strings.Contains(f.Name, "reads=50") || strings.Contains(f.Name, "reads=90") {
			t.Errorf("there is a %s", f.Name)
		}
	}
	const want = "all but throughput over reads at 50, 90 % reads: between the lowest and the highest share: draw them with --all"
	if !slices.ContainsFunc(skipped, func(s plots.Skipped) bool { return plain(s.String()) == want }) {
		t.Errorf("skipped = %q, want %q", skipped, want)
	}
	everything, skipped := plots.All(sums, plots.Options{Everything: true})
	figure(t, everything, "fairness_cpus=2_reads=50_workers=2"+over+"far")
	if said(skipped, "all but throughput over reads") {
		t.Errorf("skipped = %v, want nothing left out", skipped)
	}

	// Two settings that have nothing in common have ends of their own.
	other := cellOf("mcs", 2)
	other.Reads, other.Think = 50, time.Second
	figures, _ = plots.All(append(sums, summary(other, results.Near, "ops/s", 1e6)), plots.Options{})
	figure(t, figures, "throughput_reads=50_workers=1-per-cpu_hold=0s_think=1s_near")
}

// Cells are grouped by workers per CPU if that gives several CPU counts, and by the
// total number of workers if only that does.
func TestWorkersPerCPUOrInAll(t *testing.T) {
	var sums []results.Summary
	for _, c := range []struct{ cpus, workers int }{{1, 1}, {2, 2}, {1, 64}, {2, 64}, {2, 3}} {
		cell := cellOf("mcs", c.cpus)
		cell.Workers = c.workers
		sums = append(sums, summary(cell, results.Near, "ops/s", 1e6))
	}
	var got []string
	for _, f := range first(plots.Throughput(sums, plots.Options{})) {
		got = append(got, f.Name)
	}
	slices.Sort(got)
	want := []string{
		"throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_near",
		"throughput_reads=0_workers=3_hold=0s_think=100ns_near",
		"throughput_reads=0_workers=64_hold=0s_think=100ns_near",
	}
	if !slices.Equal(got, want) {
		t.Errorf("figures =\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadsTitle(t *testing.T) {
	sums := func(curves map[string][3]float64) []results.Summary {
		var out []results.Summary
		for lock, curve := range curves {
			for i, reads := range []int{0, 90, 100} {
				c := cellOf(lock, 2)
				c.Reads = reads
				out = append(out, summary(c, results.Near, "ops/s", curve[i]))
			}
		}
		return out
	}
	for _, test := range []struct {
		curves map[string][3]float64
		title  string
	}{
		{map[string][3]float64{"a": {1e6, 2e6, 3e6}}, "a reaches 3.00 Mops/s at 100 % reads"},
		{map[string][3]float64{"a": {2e6, 3e6, 4e6}, "b": {1e6, 1e6, 1e6}}, "a is fastest at every share of reads: 4.00 Mops/s at 100 %"},
		{map[string][3]float64{"a": {1e6, 3e6, 4e6}, "b": {2e6, 2e6, 2e6}}, "a is fastest from 90 % reads on: 4.00 Mops/s at 100 %; b at 0 %"},
		{map[string][3]float64{"a": {1e6, 1e6, 4e6}, "b": {2e6, 2e6, 2e6}}, "a is fastest at 100 % reads: 4.00 Mops/s; b at 0 %"},
		{map[string][3]float64{"a": {1e6, 1e6, 4e6}, "b": {2e6, 2e6, 3.99e6}}, "a and b tie for fastest at 100 % reads: 3.99–4.00 Mops/s; b at 0 %"},
	} {
		f := first(plots.Reads(sums(test.curves), plots.Options{}))[0]
		if got := plain(f.Title); got != test.title {
			t.Errorf("title = %q, want %q", got, test.title)
		}
	}
}

func TestLatency(t *testing.T) {
	var sums []results.Summary
	for lock, w := range map[string]float64{"a": 100, "b": 5000, "c": 800} {
		c := cellOf(lock, 2)
		c.Reads = 90
		for i, unit := range []string{"p50-ns", "p99-ns", "p999-ns", "max-ns"} {
			sums = append(sums, summary(c, results.Near, "write-"+unit, w*math.Pow(10, float64(i-1))))
			sums = append(sums, summary(c, results.Near, "read-"+unit, 50*math.Pow(10, float64(i-1))))
		}
	}
	f := figure(t, first(plots.Latency(sums, plots.Options{})), "latency_cpus=2_reads=90_workers=2_hold=0s_think=100ns_near")
	if got, want := plain(f.Title), "a: 99 % of writers wait at most 100 ns; b: 5.00 µs"; got != want {
		t.Errorf("title = %q, want %q", got, want)
	}
	if len(f.Panels) != 2 {
		t.Fatalf("%d panels, want one for writers and one for readers", len(f.Panels))
	}
	pic := look(t, f)
	if got, want := pic.inOrder([]string{"a", "b", "c"}), []string{"a", "c", "b"}; !slices.Equal(got, want) {
		t.Errorf("rows = %v, want %v", got, want)
	}
	for _, s := range []string{"writers", "readers", "median", "99 %", "99.9 %", "longest", "100 ns", "800 ns", "5.00 µs", "service time to acquire (log scale)"} {
		if !pic.has(s) {
			t.Errorf("no %q in it", s)
		}
	}
}

func TestFairness(t *testing.T) {
	sums := func(locks map[string][2]float64) []results.Summary {
		var out []results.Summary
		for lock, v := range locks {
			out = append(out,
				summary(cellOf(lock, 2), results.Near, "ops/s", v[0]),
				summary(cellOf(lock, 2), results.Near, "jain", .9),
				summary(cellOf(lock, 2), results.Near, "share-min-max", v[1]))
		}
		return out
	}
	for _, test := range []struct {
		locks map[string][2]float64
		title string
	}{
		{map[string][2]float64{"a": {2e6, .2}, "b": {1e6, .99}}, "a is fastest: its slowest worker gets 0.20 of what its fastest gets; b: 0.99"},
		{map[string][2]float64{"a": {2e6, .95}, "b": {1e6, .99}}, "a is fastest: its slowest worker gets 0.95 of what its fastest gets"},
		{map[string][2]float64{"a": {2e6, .2}, "b": {1.99e6, .6}, "c": {1e6, .6}}, "Of the 2 fastest, b is fairest: its slowest worker gets 0.60 of what its fastest gets"},
		{map[string][2]float64{"a": {2e6, 0}}, "a: its slowest worker gets 0.00 of what its fastest gets"},
	} {
		f := first(plots.Fairness(sums(test.locks), plots.Options{}))[0]
		if got := plain(f.Title); got != test.title {
			t.Errorf("title = %q, want %q", got, test.title)
		}
	}
}

func TestSkippedSaysWhy(t *testing.T) {
	one := []results.Summary{summary(cellOf("mcs", 1), results.Local, "ops/s", 1e6)}
	mixed := []results.Summary{summary(cellOf("mcs", 2), results.Mixed, "ops/s", 1e6)}
	all := func(sums []results.Summary) string {
		_, skipped := plots.All(sums, plots.Options{})
		var lines []string
		for _, s := range skipped {
			if said([]plots.Skipped{s}, "throughput") || said([]plots.Skipped{s}, "latency") || said([]plots.Skipped{s}, "fairness") {
				lines = append(lines, plain(s.String()))
			}
		}
		return strings.Join(lines, "\n")
	}
	for _, test := range []struct {
		name string
		sums []results.Summary
		want string
	}{
		{"nothing", nil, "throughput over CPUs: no samples\nthroughput over reads: no samples\nlatency: no samples\nfairness: no samples"},
		{"one worker", one, "throughput over reads: only one percentage of reads: run with --reads 0,50,90,99,100\n" +
			"latency: no write-p99-ns or read-p99-ns in these results: run with --latency\n" +
			"fairness: all cells have one worker, which shares with no other: run with --cpus 2 or --workers 2"},
		{"all mixed", mixed, "throughput over CPUs (0 % reads · 1 worker per CPU · hold 0 · think 100 ns): the CPUs' distance changed during all 10 samples: run again, or with a larger --count\n" +
			"throughput over reads (2 CPUs · 2 workers · hold 0 · think 100 ns): the CPUs' distance changed during all 10 samples: run again, or with a larger --count\n" +
			"latency: no write-p99-ns or read-p99-ns in these results: run with --latency\n" +
			"fairness: no jain or share-min-max in these results"},
	} {
		if got := all(test.sums); got != test.want {
			t.Errorf("%s: skipped\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
}

// No contents of a file make a figure panic, and no coordinate in a picture is NaN.
func TestStrangeNumbers(t *testing.T) {
	units := []string{"ops/s", "ns/op", "jain", "share-min-max", "write-p50-ns", "write-p99-ns", "write-max-ns", "read-p99-ns"}
	strange := []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, 1e-300, 1, 1e300, math.MaxFloat64}
	for i, v := range strange {
		for _, w := range strange[i:] {
			var sums []results.Summary
			for _, cpus := range []int{1, 2, 4} {
				for _, reads := range []int{0, 50, 100} {
					for i, lock := range []string{"a", "b", "none", "sync.Mutex"} {
						for _, unit := range units {
							c := cellOf(lock, cpus)
							c.Reads = reads
							s := summary(c, results.Near, unit, v)
							if (i+cpus)%2 == 0 {
								s = summary(c, results.Near, unit, w)
							}
							s.Oversubscribed = cpus == 4
							sums = append(sums, s)
						}
					}
				}
			}
			figures, skipped := plots.All(sums, plots.Options{})
			if len(figures)+len(skipped) == 0 {
				t.Errorf("%v and %v: neither figures nor reasons", v, w)
			}
			seen := make(map[string]bool)
			for _, f := range figures {
				kind, _, _ := strings.Cut(f.Name, "_")
				if seen[kind] {
					continue // one figure of a kind is enough here
				}
				seen[kind] = true
				look(t, f)
			}
		}
	}
}

// A cell with no CPUs or workers cannot be written, but it can be summarized.
func TestZeroCell(t *testing.T) {
	figures, _ := plots.All([]results.Summary{{Unit: "ops/s", N: 1, Median: 1, Lo: math.Inf(-1), Hi: math.Inf(1)}}, plots.Options{})
	for _, f := range figures {
		look(t, f)
	}
}

// A user's own plot can hold a panel.
func TestPanelsCompose(t *testing.T) {
	f := first(plots.Throughput(small(), plots.Options{}))[0]
	c := vgsvg.New(6*vg.Inch, 6*vg.Inch)
	f.Panels[0].Title.Text = "mine"
	f.Panels[0].Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"mine", "sync.Mutex", "throughput (Mops/s)"} {
		if !strings.Contains(b.String(), ">"+s+"<") {
			t.Errorf("no %q in it", s)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	sums := results.Summarize(samples(1, 2, 6, []int{1, 2}, []int{1}, []int{0}, []results.Distance{results.Near}, false))
	for range 2 { // the second time replaces what the first wrote
		files, skipped, err := plots.Write(dir, sums, plots.Options{Facts: facts})
		if err != nil {
			t.Fatal(err)
		}
		if !said(skipped, "throughput over reads") || !said(skipped, "latency") || said(skipped, "fairness") {
			t.Errorf("skipped = %v, want reads and latency", skipped)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var names, want []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		for _, f := range files {
			want = append(want, filepath.Base(f.Path))
			if !strings.HasPrefix(filepath.Base(f.Path), f.Name) {
				t.Errorf("%s holds %s", f.Path, f.Name)
			}
		}
		slices.Sort(want)
		if !slices.Equal(names, want) || len(names) < 4 {
			t.Errorf("files = %v, want just those reported, at least 4: %v", names, want)
		}
	}
	png, err := os.ReadFile(filepath.Join(dir, "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_near.png"))
	if err != nil || !bytes.HasPrefix(png, []byte("\x89PNG")) {
		t.Errorf("no PNG file: %v", err)
	}
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	sums := []results.Summary{summary(cellOf("mcs", 1), results.Local, "ops/s", 1e6)}
	_, _, err := plots.Write(dir, sums, plots.Options{Formats: []string{"svg", "gif"}})
	if want := `unknown figure format "gif" (known: svg, png)`; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %v", err, want)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := plots.Write(file, sums, plots.Options{}); err == nil {
		t.Error("writing figures into a file: no error")
	}
	// A figure that cannot be written leaves no file behind.
	name := "throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns_local.svg"
	if err := os.MkdirAll(filepath.Join(dir, name, "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	files, _, err := plots.Write(dir, sums, plots.Options{})
	wrote := func(name string) bool {
		return slices.ContainsFunc(files, func(f plots.File) bool { return filepath.Base(f.Path) == name })
	}
	if png := strings.TrimSuffix(name, "svg") + "png"; err == nil || wrote(name) || !wrote(png) {
		t.Errorf("files = %v, error = %v; want %s, an error, and not %s", files, err, png, name)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".lockbench-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Workloads whose names are equal for a file system have two figures.
func TestNamesAreUnique(t *testing.T) {
	a, b := cellOf("mcs", 2), cellOf("mcs", 2)
	a.Workload, b.Workload = "a:b", "a?b"
	figures, _ := plots.All([]results.Summary{
		summary(a, results.Near, "ops/s", 1e6), summary(b, results.Near, "ops/s", 1e6),
	}, plots.Options{})
	names := make(map[string]bool)
	for _, f := range figures {
		names[f.Name] = true
	}
	if len(names) != len(figures) || number(figures, "throughput") != 2 {
		t.Errorf("figures = %v, want two of throughput that differ in name", figures)
	}
}

func TestFileWord(t *testing.T) {
	for s, want := range map[string]string{"1.5µs": "1.5us", "a/b c:d": "a-b-c-d", "printk": "printk", "..": ".."} {
		if got := plots.FileWord(s); got != want {
			t.Errorf("FileWord(%q) = %q, want %q", s, got, want)
		}
	}
}
