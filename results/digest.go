package results

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lockbench/lockbench/internal/wording"
)

// What a sweep measures in addition to locks.
const (
	Empty = "none" // an empty lock: the cost of the harness itself
	Limit = "swap" // one locked instruction: the least cost of an uncontended lock
)

// A Digest is the part of a [Table] that fits on a screen: what a lock costs alone, and
// in each situation the fastest lock, the faster one of package sync, the limit, and
// the locks that the samples do not distinguish from the fastest. The zero Digest is
// ready to use.
//
// Only medians with an interval are shown and ranked. One line counts what is left out.
type Digest struct {
	Unranked []string // as in a [Table], in addition to Empty and Limit
	Width    int      // of the terminal, in characters; 0 is 100
	Lines    int      // at most this many; 0 is 40
}

// Write writes the digest of samples to w.
func (d Digest) Write(w io.Writer, samples []Sample) error {
	d.Unranked = append([]string{Empty, Limit}, d.Unranked...)
	d.Width, d.Lines = min(cmp.Or(d.Width, 100), 100), cmp.Or(d.Lines, 40)
	g := gather(samples)
	var blocks [][]string
	for _, c := range g.costs() {
		blocks = append(blocks, d.costs(g, c))
	}
	var rows [][]string // of the current section
	var last section
	open, closed := false, false
	for _, c := range g.places() {
		row := d.row(g, c)
		if row == nil {
			continue
		}
		s := section(c)
		s.scenario.Reads, s.unit = 0, ""
		open, closed = open || c.scenario.Open(), closed || !c.scenario.Open()
		head := d.line("READS", "FASTEST", "IN SYNC", "LIMIT", "NOT TOLD APART FROM THE FASTEST")
		if c.scenario.Open() {
			head = d.line("READS", "SHORTEST WAIT", "IN SYNC", "LIMIT", "TIED; SATURATED")
		}
		if len(rows) == 0 || s != last {
			rows, last = append(rows, []string{s.String(), head}), s
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], row...)
	}
	blocks = append(blocks, rows...)

	var legend []string
	if len(blocks) > 0 {
		text := "ns/op, less is better"
		if open {
			text = "WAIT: 99th percentile of the time to acquire in ns, from the scheduled arrival, of writers if there are any; SATURATED: the queue grew without end"
			if closed {
				text = "ns/op, less is better; " + text
			}
		}
		text += "; ± 95% interval of the median; × times the fastest, round by round; LIMIT is " + Empty + ": no lock at all"
		if slices.ContainsFunc(slices.Concat(blocks...), func(line string) bool { return strings.Contains(line, " "+noise) }) {
			text += "; " + noise + ": the interval reaches to more than twice the median"
		}
		if len(g.costs()) > 0 {
			text += "; " + Limit + " is one locked instruction"
		}
		if slices.ContainsFunc(samples, func(s Sample) bool { return s.Roles() }) {
			text += "; read and write: time divided by the operations of all readers, of all writers"
		}
		legend = wrap(text, d.Width)
	}
	// The line that says how many blocks do not fit takes room as well.
	shown := len(blocks)
	foot := slices.Concat(legend, wrap(forkLine(samples), d.Width), wrap(g.leftOut(0), d.Width))
	for n := fitting(blocks, d.Lines-len(foot)); n < shown; n = fitting(blocks, d.Lines-len(foot)) {
		shown = n
		foot = slices.Concat(legend, wrap(forkLine(samples), d.Width), wrap(g.leftOut(len(blocks)-shown), d.Width))
	}
	var b strings.Builder
	for _, block := range blocks[:shown] {
		for _, line := range block {
			fmt.Fprintln(&b, clip(line, d.Width))
		}
		fmt.Fprintln(&b)
	}
	for _, line := range foot {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fitting returns how many of the blocks, each with a blank line below it, fit into
// lines.
func fitting(blocks [][]string, lines int) (n int) {
	for n < len(blocks) && len(blocks[n])+1 <= lines {
		lines -= len(blocks[n]) + 1
		n++
	}
	return n
}

// A gathering is samples by place, and their statistics in ns/op.
type gathering struct {
	samples map[column][]Sample
	sums    map[column][]Summary // only those with an interval
	few     map[column]bool      // places where a lock has too few samples for one
	full    map[column][]string  // locks that cannot serve all arrivals there
	mixed   int                  // samples during which the distance changed
	unknown int                  // samples of unknown distance at places where that of others is known
}

func gather(samples []Sample) gathering {
	g := gathering{samples: make(map[column][]Sample), sums: make(map[column][]Summary), few: make(map[column]bool), full: make(map[column][]string)}
	probed := slices.ContainsFunc(samples, func(s Sample) bool { return s.Distance == Near || s.Distance == Far })
	for _, s := range samples {
		c := column{scenario: s.Cell.Scenario(), distance: s.Distance, oversubscribed: s.Oversubscribed}
		switch {
		case s.Distance == Mixed:
			g.mixed++
		case s.Distance == Unknown && probed && s.CPUs > 1:
			g.unknown++
		default:
			g.samples[c] = append(g.samples[c], s)
		}
	}
	for c, here := range g.samples {
		sums := Summarize(here)
		for _, s := range sums {
			if s.Saturated() {
				g.full[c] = append(g.full[c], s.Lock)
			}
		}
		for _, s := range sums {
			if !slices.Contains(s.rankings(), s.Unit) || slices.Contains(g.full[c], s.Lock) {
				continue
			}
			c := c
			if s.Roles() {
				c.unit = s.Unit
			}
			if s.hasInterval() {
				g.sums[c] = append(g.sums[c], s)
			} else {
				g.few[c] = true
			}
		}
	}
	return g
}

// hasInterval reports whether there are samples enough for an interval.
func (s Summary) hasInterval() bool { return !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) }

// costs returns the places that show what locks cost alone; those that differ only in
// the share of reads are side by side, the fewest reads first.
func (g gathering) costs() (all [][]column) {
	for _, c := range slices.SortedFunc(maps.Keys(g.sums), column.compare) {
		if !c.scenario.Alone() {
			continue
		}
		same := func(cs []column) bool {
			d := cs[0]
			d.scenario.Reads = c.scenario.Reads
			return d == c
		}
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i] = append(all[i], c)
		} else {
			all = append(all, []column{c})
		}
	}
	return all
}

// places returns the others, those with the most CPUs first.
func (g gathering) places() []column {
	all := slices.DeleteFunc(slices.Collect(maps.Keys(g.sums)), func(c column) bool { return c.scenario.Alone() })
	slices.SortFunc(all, func(c, d column) int {
		return cmp.Or(
			compareBool(c.oversubscribed, d.oversubscribed),
			cmp.Compare(d.scenario.CPUs, c.scenario.CPUs),
			c.distance.compare(d.distance),
			c.scenario.Compare(d.scenario),
			cmp.Compare(c.unit, d.unit),
		)
	})
	return all
}

// costs lays out the cost of locks alone, the cheapest first, in two columns: for the
// fewest and for the most reads.
func (d Digest) costs(g gathering, places []column) []string {
	ends := []column{places[0]}
	if len(places) > 1 {
		ends = append(ends, places[len(places)-1])
	}
	cells := make(map[string][]string)
	order := make(map[string]float64)
	for i, c := range ends {
		for _, s := range g.sums[c] {
			if cells[s.Lock] == nil {
				cells[s.Lock] = make([]string, len(ends))
				order[s.Lock] = s.Median
			}
			cells[s.Lock][i] = shortValue(s.Median) + " " + spread(s)
		}
	}
	locks := slices.SortedFunc(maps.Keys(cells), func(a, b string) int {
		return cmp.Or(cmp.Compare(order[a], order[b]), cmp.Compare(a, b))
	})
	line := func(name string, values []string) string {
		b := fmt.Sprintf("%-18s", name)
		for _, v := range values {
			b += fmt.Sprintf(" %12s", v)
		}
		return b
	}
	var heads []string
	for _, c := range ends {
		heads = append(heads, fmt.Sprintf("%d%% reads", c.scenario.Reads))
	}
	text := []string{line("LOCK", heads)}
	for _, lock := range locks {
		name := lock
		if lock == Limit {
			name += " (limit)"
		}
		text = append(text, line(name, cells[lock]))
	}
	s := section(ends[0])
	s.scenario.Reads = 0
	title := "what an uncontended pair costs: " + s.String()
	wide := 0
	for _, t := range text {
		wide = max(wide, utf8.RuneCountInString(t))
	}
	if len(text) < 6 || 2*wide+4 > d.Width {
		return append([]string{title}, text...)
	}
	head, rest := text[0], text[1:]
	half := (len(rest) + 1) / 2
	beside := func(l, r string) string { return fmt.Sprintf("%-*s    %s", wide, l, r) }
	out := []string{title, beside(head, head)}
	for i := range half {
		right := ""
		if half+i < len(rest) {
			right = rest[half+i]
		}
		out = append(out, beside(rest[i], right))
	}
	return out
}

// clip cuts s off at width characters.
func clip(s string, width int) string {
	s = strings.TrimRight(s, " ")
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

// line lays out a line of a situation.
func (d Digest) line(reads, best, sync, limit, tied string) string {
	return fmt.Sprintf("%6s  %-28s %-22s %7s  %s", reads, best, sync, limit, tied)
}

// row returns the line of a place, nil if nothing can be ranked there.
func (d Digest) row(g gathering, c column) []string {
	var ranked []Summary
	var limit string
	for _, s := range g.sums[c] {
		if s.Lock == Empty {
			limit = shortValue(s.Median)
		}
		if !slices.Contains(d.Unranked, s.Lock) {
			ranked = append(ranked, s)
		}
	}
	unit := c.unit
	c.unit = "" // the samples have no unit
	full := g.full[c]
	reads := fmt.Sprintf("%d%%", c.scenario.Reads)
	if unit != "" {
		reads, _, _ = strings.Cut(unit, "-")
	}
	if len(ranked) < 2 && len(full) > 0 {
		head := d.line(reads, "-", "", limit, "saturated: ")
		return []string{head + some(full, d.Width-utf8.RuneCountInString(head))}
	}
	if len(ranked) < 2 {
		return nil
	}
	slices.SortFunc(ranked, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Median, b.Median), cmp.Compare(a.Lock, b.Lock))
	})
	best := ranked[0]
	ratios := ratiosByLock(g.samples[c], best.Lock, best.Unit)
	var reference string
	for _, s := range ranked { // the faster one first
		if s.Lock != "sync.Mutex" && s.Lock != "sync.RWMutex" {
			continue
		}
		reference = strings.TrimPrefix(s.Lock, "sync.") + " " + shortValue(s.Median)
		if r := ratios[s.Lock]; r != nil && r.N > 0 {
			reference += " ×" + shortRatio(r.Median)
		}
		break
	}
	tied := Table{Unit: best.Unit}.best(g.samples[c], ranked)
	if n := len(tied); n > 4 && n > len(ranked)/2 {
		best.Lock = fmt.Sprintf("%d of %d alike", n, len(ranked))
		tied = nil
	}
	var names []string
	for _, s := range ranked[1:] {
		if tied[s.Lock] {
			names = append(names, s.Lock)
		}
	}
	head := d.line(reads, best.Lock+" "+shortValue(best.Median)+" "+spread(best), reference, limit, "")
	room := d.Width - utf8.RuneCountInString(head)
	if len(full) > 0 {
		saturated := "saturated: "
		if len(names) > 0 {
			saturated = fmt.Sprintf("%s; saturated: ", some(names, room/2))
		}
		return []string{head + saturated + some(full, room-utf8.RuneCountInString(saturated))}
	}
	return []string{head + some(names, room)}
}

// some joins as many names as fit, and counts the others.
func some(names []string, room int) string {
	all := strings.Join(names, ", ")
	for n := len(names); utf8.RuneCountInString(all) > room && n > 0; n-- {
		all = fmt.Sprintf("%d more", len(names)-n+1)
		if n > 1 {
			all = strings.Join(names[:n-1], ", ") + " and " + all
		} else {
			all = wording.Count(len(names), "lock")
		}
	}
	return all
}

// leftOut says what is not shown, and why, including the number of sections without
// room; "" if all is shown.
func (g gathering) leftOut(sections int) string {
	var parts []string
	few := make(map[string]bool)
	for c := range g.few {
		few[c.place()[0]] = true
	}
	if len(few) > 0 {
		places := slices.Sorted(maps.Keys(few))
		parts = append(parts, "what has fewer than the 6 samples that an interval needs, at "+strings.Join(places, " and "))
	}
	if g.mixed > 0 {
		parts = append(parts, wording.Count(g.mixed, "sample")+" during which near became far or the reverse")
	}
	if g.unknown > 0 {
		parts = append(parts, wording.Count(g.unknown, "sample")+" of unknown distance")
	}
	if sections > 0 {
		parts = append(parts, wording.Count(sections, "section")+" for want of room")
	}
	if len(parts) == 0 {
		return ""
	}
	return "left out: " + strings.Join(parts, "; ")
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
