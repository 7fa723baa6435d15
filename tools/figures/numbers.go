package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A page is docs/NAME.md, about a primitive, with a block of its numbers.
type page struct {
	name  string
	locks []string // names in the catalogue, in the order of the tables; none have no numbers
	reads []int    // the shares of reads that the tables have, in percent
	why   string   // without locks: why there are no numbers
}

// pages are the pages of primitives.
var pages = []page{
	{name: "cas", locks: []string{"tas", "ttas", "backoff"}, reads: []int{0}},
	{name: "ticket", locks: []string{"ticket", "ticket-pb"}, reads: []int{0}},
	{name: "anderson", locks: []string{"anderson"}, reads: []int{0}},
	{name: "mcs", locks: []string{"mcs", "mcs-queue"}, reads: []int{0}},
	{name: "clh", locks: []string{"clh"}, reads: []int{0}},
	{name: "cna", locks: []string{"cna"}, reads: []int{0}},
	{name: "reciprocating", locks: []string{"reciprocating"}, reads: []int{0}},
	{name: "qspinlock", locks: []string{"qspinlock"}, reads: []int{0}},
	{name: "mutex", locks: []string{"mutex"}, reads: []int{0}},
	{name: "semaphore", locks: []string{"semaphore"}, reads: []int{0}},
	{name: "rwsem", locks: []string{"rwsem"}, reads: []int{90, 100}},
	{name: "completion", why: "a Completion is an event and no lock, and no workload of `lockbench run` waits for events"},
	{name: "rwlock", locks: []string{"rw-readerpref", "rw-queued", "rw-phasefair", "rw-distributed", "rw-biased"}, reads: []int{90, 100}},
	{name: "seqlock", locks: []string{"seqlock"}, reads: []int{90, 100}},
	{name: "rcu", locks: []string{"rcu-domain", "rcu-pinned", "rcu-registered", "rcu-qsbr"}, reads: []int{90, 100}},
}

// What is measured is compared with mutexName, and what is simulated with a model of it.
const (
	mutexName  = "sync.Mutex"
	mutexModel = "sync.Mutex-model"
)

// numbersMarks are the marks between which the numbers of a page are.
func numbersMarks(name string) [2]string {
	return [2]string{"<!-- numbers: " + name + " -->\n", "<!-- end of numbers -->\n"}
}

// drawNumbers adds the pages of primitives that have marks to published.
func drawNumbers(root string, files map[string]*results.File, published map[string][]byte) error {
	for _, p := range pages {
		path := "docs/" + p.name + ".md"
		text, ok := published[path] // another table may have been written there
		if !ok {
			var err error
			if text, err = os.ReadFile(filepath.Join(root, path)); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return err
			}
		}
		marks := numbersMarks(p.name)
		if !bytes.Contains(text, []byte(marks[0])) {
			continue
		}
		text, err := between(path, text, marks, p.numbers(files))
		if err != nil {
			return err
		}
		published[path] = text
	}
	return nil
}

// numbers returns the block of p.
func (p page) numbers(files map[string]*results.File) string {
	if len(p.locks) == 0 {
		return "There are no numbers here: " + p.why + ".\n"
	}
	var b strings.Builder
	missing := map[bool][]string{false: slices.Clone(p.locks), true: slices.Clone(p.locks)}
	for _, d := range datasets {
		var locks []string
		for _, lock := range p.locks {
			if d.pages && len(p.of(files[d.name], lock)) > 0 {
				locks = append(locks, lock)
			}
		}
		switch {
		case len(locks) == 0:
			continue
		case d.sim:
			p.simulated(&b, d, files[d.name], locks)
		default:
			p.measured(&b, d, files[d.name], locks)
		}
		missing[d.sim] = slices.DeleteFunc(missing[d.sim], func(lock string) bool { return slices.Contains(locks, lock) })
	}
	for sim, says := range []string{"measured", "simulated"} {
		if not := missing[sim == 1]; len(not) > 0 {
			fmt.Fprintf(&b, "Not %s: `%s`.\n\n", says, strings.Join(not, "`, `"))
		}
	}
	return b.String() // its last line is empty, so that the mark is no row of a table
}

// of returns the samples that the tables of p have of some locks.
func (p page) of(f *results.File, locks ...string) (all []results.Sample) {
	for _, s := range f.Samples {
		if slices.Contains(locks, s.Lock) && slices.Contains(p.reads, s.Reads) {
			all = append(all, s)
		}
	}
	return all
}

// pageWidth is how wide the text of a page is, in columns.
const pageWidth = 100

// standard is the situation that the tables are of.
const standard = "sections on one shared line, 100 ns between them"

// A column is of what was measured at one distance.
type column struct {
	head string
	at   results.Distance
}

// columns returns those that have samples: of an unknown distance only if there is no other
// with two CPUs.
func columns(samples []results.Sample) (all []column) {
	at := make(map[results.Distance]bool)
	for _, s := range samples {
		at[s.Distance] = true
	}
	at[results.Unknown] = at[results.Unknown] && !at[results.Near] && !at[results.Far]
	for _, c := range []column{
		{"1 CPU", results.Local}, {"2 CPUs, near", results.Near}, {"2 CPUs, far", results.Far}, {"2 CPUs", results.Unknown},
	} {
		if at[c.at] {
			all = append(all, c)
		}
	}
	return all
}

// measured writes the table of locks that were measured, beside that of sync.Mutex.
func (p page) measured(b *strings.Builder, d dataset, f *results.File, locks []string) {
	samples := p.of(f, append([]string{mutexName}, locks...)...)
	day, _, _ := strings.Cut(f.Noted("date"), "T")
	wording.Wrap(b, fmt.Sprintf("**Measured**, ns/op (in brackets the 95 %% interval of the median; × the time of `%s` in the same rounds, ≈ if"+
		" its interval has 1): %s, %s, %s%s. From [%s.txt](data/%s.txt), by `go run ./tools/figures -measure %s`.",
		mutexName, standard, f.CPU, day, busy(f), d.name, d.name, d.name), "", pageWidth)
	columns := columns(samples)
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	p.head(b, heads)
	summaries, ratios := results.Summarize(samples), results.Ratios(samples, mutexName, "ns/op")
	for _, lock := range append([]string{mutexName}, locks...) {
		for _, reads := range p.reads {
			p.begin(b, lock, reads)
			for _, c := range columns {
				i := slices.IndexFunc(summaries, func(s results.Summary) bool {
					return s.Lock == lock && s.Reads == reads && s.Distance == c.at && s.Unit == "ns/op"
				})
				j := slices.IndexFunc(ratios, func(r results.Ratio) bool { return r.Lock == lock && r.Reads == reads && r.Distance == c.at })
				if i < 0 {
					b.WriteString(" – |")
					continue
				}
				s := summaries[i]
				fmt.Fprintf(b, " %s", amount(s.Median))
				if math.IsInf(s.Hi, 0) {
					fmt.Fprintf(b, " (%s)", wording.Count(s.N, "sample"))
				} else {
					fmt.Fprintf(b, " (%s–%s)", amount(s.Lo), amount(s.Hi))
				}
				if j >= 0 && !math.IsInf(ratios[j].Hi, 0) {
					b.WriteString(" " + against(ratios[j]))
				}
				b.WriteString(" |")
			}
			b.WriteByte('\n')
		}
	}
	b.WriteByte('\n')
}

// against writes how long a lock takes, compared with another.
func against(r results.Ratio) string {
	if r.Lo <= 1 && 1 <= r.Hi {
		return "≈"
	}
	return fmt.Sprintf("×%.2f", r.Median)
}

// simulated writes the table of locks that were simulated, beside the model of sync.Mutex.
func (p page) simulated(b *strings.Builder, d dataset, f *results.File, locks []string) {
	samples := p.of(f, append([]string{mutexModel}, locks...)...)
	seeds := 0
	var counts []int
	for _, s := range samples {
		counts = append(counts, s.CPUs)
		seeds = max(seeds, s.Round)
	}
	slices.Sort(counts)
	counts = slices.Compact(counts)
	wording.Wrap(b, fmt.Sprintf("**Simulated**, ns/op and, after the semicolon, lines/op (cache lines that travel for an operation; medians of %s): %s, on `%s`: %s."+
		" From [%s.txt](data/%s.txt), by `go run ./tools/figures -measure %s`.",
		wording.Count(seeds, "seed"), standard, strings.TrimPrefix(f.Machine, "sim:"), f.Noted("about"), d.name, d.name, d.name), "", pageWidth)
	heads := make([]string, len(counts))
	for i, n := range counts {
		heads[i] = wording.Count(n, "CPU")
	}
	p.head(b, heads)
	summaries := results.Summarize(samples)
	for _, lock := range append([]string{mutexModel}, locks...) {
		for _, reads := range p.reads {
			p.begin(b, lock, reads)
			for _, n := range counts {
				median := func(unit string) (v float64, ok bool) {
					i := slices.IndexFunc(summaries, func(s results.Summary) bool {
						return s.Lock == lock && s.Reads == reads && s.CPUs == n && s.Unit == unit
					})
					if i < 0 {
						return 0, false
					}
					return summaries[i].Median, true
				}
				ns, ok := median("ns/op")
				if !ok {
					b.WriteString(" – |")
					continue
				}
				lines, _ := median("lines/op")
				fmt.Fprintf(b, " %s; %s |", amount(ns), amount(lines))
			}
			b.WriteByte('\n')
		}
	}
	b.WriteByte('\n')
}

// head writes the head of a table with columns of these names.
func (p page) head(b *strings.Builder, names []string) {
	first := []string{"lock"}
	if len(p.reads) > 1 {
		first = append(first, "reads")
	}
	all := append(first, names...)
	fmt.Fprintf(b, "\n| %s |\n|%s\n", strings.Join(all, " | "), strings.Repeat("---|", len(all)))
}

// begin writes the first cells of a row.
func (p page) begin(b *strings.Builder, lock string, reads int) {
	fmt.Fprintf(b, "| `%s` |", lock)
	if len(p.reads) > 1 {
		fmt.Fprintf(b, " %d %% |", reads)
	}
}

// busy says how busy the machine was, if more than measuring makes it.
func busy(f *results.File) string {
	most := 0.0
	for _, n := range f.Notes {
		if n.Key == "fitness" {
			var load float64
			if _, err := fmt.Sscanf(n.Text, "load %g", &load); err == nil {
				most = max(most, load)
			}
		}
	}
	if most <= ownLoad {
		return ""
	}
	return fmt.Sprintf(", **while the machine was busy** (load %.2g)", most)
}
