package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/results"
)

// A situation is a row of the table Which lock?
type situation struct {
	says string
	data string // a dataset
	in   func(results.Cell) bool
	sync string // what to use without this library
	fair bool   // whether to name the fastest that serves in order, too
}

func thinks(d time.Duration) func(results.Cell) bool {
	return func(c results.Cell) bool { return c.Think == d }
}

func reads(percent int) func(results.Cell) bool {
	return func(c results.Cell) bool { return c.Reads == percent }
}

var situations = []situation{
	{"writes only, section after section", "locks", thinks(0), "sync.Mutex", true},
	{"… 100 ns between sections", "locks", thinks(100 * time.Nanosecond), "sync.Mutex", true},
	{"… 1 µs between sections", "locks", thinks(time.Microsecond), "sync.Mutex", true},
	{"… 100 ns between them, 8 goroutines per CPU", "many", thinks(100 * time.Nanosecond), "sync.Mutex", true},
	{"a word or two, 50 % reads, 100 ns between sections", "reads", reads(50), "sync.RWMutex", false},
	{"… 90 % reads", "reads", reads(90), "sync.RWMutex", false},
	{"… 99 % reads", "reads", reads(99), "sync.RWMutex", false},
	{"a struct of 8 words, 50 % reads, section after section", "record", reads(50), "sync.RWMutex", false},
	{"… 90 % reads", "record", reads(90), "sync.RWMutex", false},
	{"… 99 % reads", "record", reads(99), "sync.RWMutex", false},
	{"a map, 50 % reads, section after section", "map", reads(50), "sync.RWMutex", false},
	{"… 90 % reads", "map", reads(90), "sync.RWMutex", false},
	{"… 99 % reads", "map", reads(99), "sync.RWMutex", false},
}

// typeOf returns the Go type of a dataset's lock, in backquotes: nothing if it has none.
func typeOf(lock string) string {
	for _, e := range catalog.All() {
		if e.Name == lock {
			return "`" + e.Type() + "`"
		}
	}
	return "``"
}

// choices returns the table.
func choices(files map[string]*results.File) string {
	inOrder := make(map[string]bool)
	for _, e := range catalog.Locks() {
		inOrder[e.Name] = e.Order == catalog.FIFO
	}
	columns := []struct {
		head string
		at   results.Distance
	}{{"1 CPU", results.Local}, {"2 CPUs, near", results.Near}, {"2 CPUs, far", results.Far}}
	known := false
	for _, f := range files {
		known = known || slices.ContainsFunc(f.Samples, func(s results.Sample) bool { return s.Distance == results.Near || s.Distance == results.Far })
	}
	if unknown := slices.Clone(columns[:2]); !known || !fills(files, results.Near, results.Far) {
		unknown[1].head, unknown[1].at = "2 CPUs", results.Unknown
		columns = unknown
	}
	var b strings.Builder
	b.WriteString("| you have |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.head)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, s := range situations {
		var samples []results.Sample
		for _, sample := range files[s.data].Samples {
			if s.in(sample.Cell) && sample.Lock != results.Empty {
				samples = append(samples, sample)
			}
		}
		fmt.Fprintf(&b, "| %s |", s.says)
		ratios := results.Ratios(samples, s.sync, "ns/op")
		for _, c := range columns {
			var here []results.Ratio
			for _, r := range ratios {
				if r.Distance == c.at && !math.IsInf(r.Lo, 0) && !math.IsInf(r.Hi, 0) {
					here = append(here, r)
				}
			}
			text := fastest(here, s.sync)
			if s.fair {
				text += fair(here, inOrder)
			}
			fmt.Fprintf(&b, " %s |", text)
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n" + circumstances(files))
	return b.String()
}

// circumstances says on which machine the table was measured, when, and how busy it
// was.
func circumstances(files map[string]*results.File) string {
	machine, first, last := "", "", ""
	lo, hi := math.Inf(1), 0.0
	for _, s := range situations {
		f := files[s.data]
		machine = f.CPU
		for _, n := range f.Notes {
			switch n.Key {
			case "date":
				day, _, _ := strings.Cut(n.Text, "T")
				if first == "" || day < first {
					first = day
				}
				last = max(last, day)
			case "fitness":
				var load float64
				if _, err := fmt.Sscanf(n.Text, "load %g", &load); err == nil {
					lo, hi = min(lo, load), max(hi, load)
				}
			}
		}
	}
	text := machine + ", " + first
	if last != first {
		text += " to " + last
	}
	if hi > ownLoad {
		text += fmt.Sprintf(". **The machine was busy** (load %.2g to %.2g): what it says of small differences is that they were lost in that", lo, hi)
	}
	return text + ".\n"
}

// ownLoad is the load that measuring on two CPUs makes.
const ownLoad = 2

// fills reports whether some situation has enough samples at one of the distances.
func fills(files map[string]*results.File, distances ...results.Distance) bool {
	for _, s := range situations {
		for _, r := range results.Ratios(files[s.data].Samples, s.sync, "ns/op") {
			if s.in(r.Cell) && slices.Contains(distances, r.Distance) && !math.IsInf(r.Lo, 0) && !math.IsInf(r.Hi, 0) {
				return true
			}
		}
	}
	return false
}

// fastest names the locks with the smallest ratios to sync's lock, whose intervals do
// not distinguish them; only sync's lock if it may be one of them.
func fastest(ratios []results.Ratio, sync string) string {
	if len(ratios) == 0 {
		return "–"
	}
	slices.SortStableFunc(ratios, func(a, b results.Ratio) int { return cmp.Compare(a.Median, b.Median) })
	best := ratios[0]
	if best.Hi >= 1 {
		return typeOf(sync) + ": none is surely faster"
	}
	var names []string
	for _, r := range ratios {
		if r.Lo <= best.Hi {
			names = append(names, typeOf(r.Lock))
		}
	}
	const most = 3
	more := ""
	if len(names) > most {
		more = fmt.Sprintf(" and %d more", len(names)-most+1)
		names = names[:most-1]
	}
	return fmt.Sprintf("%s%s, %s", strings.Join(names, ", "), more, times(best))
}

// fair names the fastest of the locks that serve in order, if it is not the
// fastest of all.
func fair(ratios []results.Ratio, inOrder map[string]bool) string {
	for _, r := range ratios { // the fastest first
		if inOrder[r.Lock] {
			switch {
			case r.Lock == ratios[0].Lock && r.Hi < 1:
				return ""
			case r.Lo <= 1 && 1 <= r.Hi:
				return fmt.Sprintf("; in order: %s, as fast", typeOf(r.Lock))
			}
			return fmt.Sprintf("; in order: %s, %s", typeOf(r.Lock), times(r))
		}
	}
	return ""
}

// times returns how many times as fast as sync's lock a lock is.
func times(r results.Ratio) string { return fmt.Sprintf("×%.2g", 1/r.Median) }
