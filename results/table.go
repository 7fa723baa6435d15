package results

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/perf/benchmath"
	"golang.org/x/perf/benchunit"

	"github.com/lockbench/lockbench/internal/wording"
)

// A Table lays out summaries for a terminal: a line for each lock, the best first; a
// column for each share of reads, or for each number of readers and writers, or, where
// neither varies, for each number of CPUs; near and far are separate columns, and
// samples of unknown distance come last if that of others is known. The zero Table is
// ready to use.
type Table struct {
	Unit      string   // what to show; "" is ns/op
	Reference string   // lock that the others are compared to; "" is sync.Mutex
	Unranked  []string // locks that cannot be the best, such as one that does not exclude
	Width     int      // of the terminal, in characters; 0 is 100

	// Exact says that the samples are a simulator's: one alone is the value of its seed,
	// and has no noise.
	Exact bool
}

// Write writes the table of samples to w. It is an error if no sample has the unit.
func (t Table) Write(w io.Writer, samples []Sample) error {
	t.Unit = cmp.Or(t.Unit, "ns/op")
	t.Reference = cmp.Or(t.Reference, "sync.Mutex")
	t.Width = cmp.Or(t.Width, 100)

	entries := t.entries(samples)
	if len(entries) == 0 {
		return fmt.Errorf("no samples in %s", t.Unit)
	}
	byReads := false
	for _, e := range entries {
		byReads = byReads || e.Reads != entries[0].Reads || e.Roles()
	}

	sections := make(map[section][]entry)
	for _, e := range entries {
		s := e.section(byReads)
		sections[s] = append(sections[s], e)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", t.title())
	for _, s := range slices.SortedFunc(maps.Keys(sections), section.compare) {
		fmt.Fprintf(&b, "\n%v\n", s)
		t.writeSection(&b, sections[s], byReads)
	}
	t.writeLegend(&b, entries)
	_, err := io.WriteString(w, b.String())
	return err
}

// An entry is what the table shows for one lock in one place.
type entry struct {
	Summary
	column column
	best   bool   // or not distinguished from the best
	exact  bool   // the value of one seed, without noise
	ratio  *Ratio // to the reference; nil if there is none
}

// entries returns the summaries in the unit, with what the table says about them.
func (t Table) entries(samples []Sample) []entry {
	places := make(map[column][]Sample)
	probed := slices.ContainsFunc(samples, func(s Sample) bool { return s.Distance != Unknown })
	for _, s := range samples {
		c := column{s.Cell.Scenario(), s.Distance, s.Oversubscribed, probed && s.Distance == Unknown, ""}
		places[c] = append(places[c], s)
	}
	var entries []entry
	for c, here := range places {
		ratios := ratiosByLock(here, t.Reference, t.Unit)
		var ranked []Summary
		first := len(entries)
		for _, s := range Summarize(here) {
			if s.Unit != t.Unit {
				continue
			}
			exact := t.Exact && s.N == 1
			entries = append(entries, entry{Summary: s, column: c, exact: exact, ratio: ratios[s.Lock]})
			if !slices.Contains(t.Unranked, s.Lock) && (exact || s.hasInterval()) {
				ranked = append(ranked, s)
			}
		}
		best := t.best(here, ranked)
		for i := range entries[first:] {
			e := &entries[first+i]
			e.best = best[e.Lock]
		}
	}
	return entries
}

// best returns the lock with the best median, and the locks that their pairs with it do
// not distinguish from it.
func (t Table) best(samples []Sample, ranked []Summary) map[string]bool {
	better := Better(t.Unit)
	if better == 0 || len(ranked) < 2 {
		return nil
	}
	best := slices.MinFunc(ranked, func(a, b Summary) int {
		return -better * cmp.Compare(a.Median, b.Median)
	}).Lock
	tied := map[string]bool{best: true}
	ratios := ratiosByLock(samples, best, t.Unit)
	for _, s := range ranked {
		if r := ratios[s.Lock]; r != nil && !math.IsInf(r.Lo, 0) && r.mayBeOne() {
			tied[s.Lock] = true
		}
	}
	return tied
}

// ratiosByLock returns the ratios of samples in one place to the reference.
func ratiosByLock(samples []Sample, reference, unit string) map[string]*Ratio {
	byLock := make(map[string]*Ratio)
	for _, r := range Ratios(samples, reference, unit) {
		byLock[r.Lock] = &r
	}
	return byLock
}

// A column is what entries in one column share.
type column struct {
	scenario       Cell
	distance       Distance
	oversubscribed bool
	blind          bool // the distance is unknown, although that of other samples is known

	unit string // of the summaries of one role in a [Digest]; "" for all
}

func (c column) compare(d column) int {
	return cmp.Or(
		compareBool(c.blind, d.blind),
		c.scenario.Compare(d.scenario),
		c.distance.compare(d.distance),
		compareBool(c.oversubscribed, d.oversubscribed),
		cmp.Compare(c.unit, d.unit),
	)
}

// A section is what columns side by side share; its other fields are zero.
type section column

func (e entry) section(byReads bool) section {
	s := section(e.column)
	if byReads {
		s.scenario.Reads = 0
		if e.Roles() {
			s.scenario.Workers, s.scenario.Readers, s.scenario.Writers = 0, 0, 0
		}
		return s
	}
	s.scenario.CPUs, s.scenario.Workers, s.distance, s.oversubscribed, s.blind = 0, 0, Unknown, false, false
	return s
}

func (s section) compare(t section) int { return column(s).compare(column(t)) }

// String returns the title of the section.
func (s section) String() string {
	var parts []string
	c := s.scenario
	if c.CPUs != 0 {
		parts = append(parts, strings.Join(column(s).place(), ", "))
	}
	parts = append(parts, fmt.Sprintf("hold %v, think %v", c.Hold, c.Think))
	if c.CPUs == 0 {
		parts = append(parts, fmt.Sprintf("%d%% reads", c.Reads))
	}
	for _, word := range []string{c.Workload, c.Work, c.Mode, c.LoadWords()} {
		if word != "" {
			parts = append(parts, word)
		}
	}
	if c.GC != "" {
		parts = append(parts, "gc "+c.GC)
	}
	if c.Place != "" {
		parts = append(parts, "place "+c.Place)
	}
	return strings.Join(parts, ", ")
}

// head returns the lines above the column.
func (c column) head(byReads bool) []string {
	switch {
	case c.scenario.Roles():
		return c.scenario.workers()
	case byReads:
		return []string{fmt.Sprintf("%d%% reads", c.scenario.Reads)}
	}
	return c.place()
}

// place says where the samples were taken.
func (c column) place() []string {
	cpus := wording.Count(c.scenario.CPUs, "CPU")
	if c.oversubscribed {
		cpus += "!"
	}
	switch {
	case c.blind:
		cpus += " unknown"
	case c.distance != Unknown && c.distance != Local:
		cpus += " " + string(c.distance)
	}
	return append([]string{cpus}, c.scenario.workers()...)
}

// workers says how many workers there are, "" for entries of several numbers.
func (c Cell) workers() []string {
	switch {
	case c.Roles():
		return []string{wording.Count(c.Readers, "reader"), wording.Count(c.Writers, "writer")}
	case c.Workers == 0:
		return nil
	}
	return []string{wording.Count(c.Workers, "worker")}
}

// writeSection writes the entries of a section, as many columns side by side as fit.
func (t Table) writeSection(b *strings.Builder, entries []entry, byReads bool) {
	rows := make(map[string]map[column]entry)
	var columns []column
	for _, e := range entries {
		if rows[e.Lock] == nil {
			rows[e.Lock] = make(map[column]entry)
		}
		rows[e.Lock][e.column] = e
		columns = append(columns, e.column)
	}
	slices.SortFunc(columns, column.compare)
	columns = slices.Compact(columns)

	locks := t.rank(rows)
	lockWidth := len("lock")
	for _, lock := range locks {
		lockWidth = max(lockWidth, utf8.RuneCountInString(lock))
	}

	for len(columns) > 0 {
		// At least one column, even on a narrow terminal.
		width := lockWidth
		var side []block
		for _, c := range columns {
			next := newBlock(c, locks, rows, byReads)
			if len(side) > 0 && width+2+next.width > t.Width {
				break
			}
			width += 2 + next.width
			side = append(side, next)
		}
		columns = columns[len(side):]
		writeSide(b, locks, lockWidth, side)
	}
}

// rank orders the locks of a section from best to worst, by the geometric
// mean of their medians.
func (t Table) rank(rows map[string]map[column]entry) []string {
	score := func(lock string) float64 {
		sum := 0.0
		for _, e := range rows[lock] {
			sum += math.Log(e.Median)
		}
		return sum / float64(len(rows[lock]))
	}
	better := cmp.Or(Better(t.Unit), -1)
	return slices.SortedFunc(maps.Keys(rows), func(a, b string) int {
		return cmp.Or(-better*cmp.Compare(score(a), score(b)), cmp.Compare(a, b))
	})
}

// A block is the text of one column: its head, and the three parts of each entry, which
// are aligned separately.
type block struct {
	head  []string
	parts [][3]string // median, interval and ratio of each lock
	wide  [3]int      // widths of the parts
	width int
}

func newBlock(c column, locks []string, rows map[string]map[column]entry, byReads bool) block {
	b := block{head: c.head(byReads)}
	for _, lock := range locks {
		var p [3]string
		if e, ok := rows[lock][c]; ok {
			p = e.parts()
		}
		b.parts = append(b.parts, p)
		for i := range p {
			b.wide[i] = max(b.wide[i], utf8.RuneCountInString(p[i]))
		}
	}
	b.width = b.wide[0] + b.wide[1]
	if b.wide[2] > 0 {
		b.width += 1 + b.wide[2]
	}
	for _, line := range b.head {
		b.width = max(b.width, utf8.RuneCountInString(line))
	}
	return b
}

func (b block) line(i int) string {
	p := b.parts[i]
	text := fmt.Sprintf("%*s%*s", b.wide[0], p[0], b.wide[1], p[1])
	if b.wide[2] > 0 {
		text += fmt.Sprintf(" %*s", b.wide[2], p[2])
	}
	return text
}

func writeSide(b *strings.Builder, locks []string, lockWidth int, side []block) {
	for i := range side[0].head {
		line := strings.Repeat(" ", lockWidth)
		for _, s := range side {
			line += fmt.Sprintf("  %*s", s.width, s.head[i])
		}
		fmt.Fprintln(b, line)
	}
	for i, lock := range locks {
		line := fmt.Sprintf("%-*s", lockWidth, lock)
		for _, s := range side {
			line += fmt.Sprintf("  %*s", s.width, s.line(i))
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}

// parts returns the median, its interval and the ratio to the reference.
func (e entry) parts() (p [3]string) {
	p[0] = shortValue(e.Median) + " "
	if e.best {
		p[0] = shortValue(e.Median) + "*"
	}
	if !e.exact {
		p[1] = spread(e.Summary)
	}
	if e.ratio != nil {
		p[2] = shortRatio(e.ratio.Median)
		switch {
		case e.ratio.N == 0:
			p[2] += "?"
		case e.mayBeEqual():
			p[2] += "~"
		default:
			p[2] += " "
		}
	}
	return p
}

// mayBeEqual reports whether noise alone can be what sets e apart from the reference.
func (e entry) mayBeEqual() bool { return !e.exact && e.ratio.mayBeOne() }

// noise is in the place of an interval that is too wide to be a number.
const noise = "noise"

// spread returns how far the interval of s reaches from its median or, if there is no
// interval, the number of samples.
func spread(s Summary) string {
	switch {
	case !s.hasInterval():
		return fmt.Sprintf("n=%d", s.N)
	case s.Hi > 2*s.Median || s.Lo < 0:
		return noise
	}
	return "±" + benchmath.Summary{Center: s.Median, Lo: s.Lo, Hi: s.Hi}.PctRangeString()
}

// shortValue writes v to three digits, or as a whole number, or with a prefix.
func shortValue(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a >= 99_999.5:
		return benchunit.Scale(v, benchunit.Decimal)
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

func shortRatio(v float64) string {
	switch {
	case v >= 99.5:
		return shortValue(v)
	case v >= 9.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func (t Table) title() string {
	switch Better(t.Unit) {
	case +1:
		return t.Unit + ", more is better"
	case -1:
		return t.Unit + ", less is better"
	}
	return t.Unit
}

// writeLegend explains the marks in the table.
func (t Table) writeLegend(b *strings.Builder, entries []entry) {
	var marks []string
	has := func(test func(entry) bool) bool { return slices.ContainsFunc(entries, test) }
	if has(func(e entry) bool { return e.best }) {
		marks = append(marks, "* best, or not told apart from it by the rounds")
	}
	if has(func(e entry) bool { return e.exact }) {
		marks = append(marks, "of one seed: exact for it, and another may differ; six samples have intervals")
	}
	if has(func(e entry) bool { return !e.exact }) {
		marks = append(marks, "± 95% interval of the median")
	}
	if has(func(e entry) bool { return !e.exact && spread(e.Summary) == noise }) {
		marks = append(marks, noise+": the interval reaches to more than twice the median")
	}
	if has(func(e entry) bool { return !e.exact && !e.hasInterval() }) {
		marks = append(marks, "n= so few samples that there is no interval: not ranked")
	}
	if has(func(e entry) bool { return e.ratio != nil }) {
		marks = append(marks, "last number: ratio to "+t.Reference+", by pairs of one round")
	}
	if has(func(e entry) bool { return e.ratio != nil && e.ratio.N == 0 }) {
		marks = append(marks, "? ratio of medians, from no common round")
	}
	if has(func(e entry) bool { return e.ratio != nil && e.ratio.N > 0 && e.mayBeEqual() }) {
		marks = append(marks, "~ ratio may be 1")
	}
	if has(func(e entry) bool { return e.Oversubscribed }) {
		marks = append(marks, "! oversubscribed: more CPUs than the machine has")
	}
	if has(func(e entry) bool { return e.column.blind }) {
		marks = append(marks, "unknown: near or far could not be told, since the machine was busy; may be a mixture")
	}
	b.WriteByte('\n')
	for _, m := range marks {
		fmt.Fprintln(b, m)
	}
	t.writeWarnings(b, entries)
}

// writeWarnings writes the warnings in one line, each with its number of cells.
func (t Table) writeWarnings(b *strings.Builder, entries []entry) {
	count := make(map[string]int)
	for _, e := range entries {
		if e.exact {
			continue // what they say is of noise
		}
		warnings := slices.Clone(e.Warnings)
		if e.ratio != nil {
			warnings = append(warnings, e.ratio.Warnings...)
		}
		said := make(map[string]bool)
		for _, w := range warnings {
			text, _, _ := strings.Cut(w.Error(), ", have ") // the number differs
			if !said[text] {
				said[text] = true
				count[text]++
			}
		}
	}
	if len(count) == 0 {
		return
	}
	var parts []string
	for _, text := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", text, wording.Count(count[text], "cell")))
	}
	fmt.Fprintf(b, "warning: %s\n", strings.Join(parts, "; "))
}
