package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
)

// TextOptions say how [Text] writes. The zero value is a good choice.
type TextOptions struct {
	Width     int  // of the terminal, in characters; 0 is 100
	Passes    int  // how many plain passes to show; 0 means 10, less means none
	Verbose   bool // show all
	NoVerdict bool // the comparison without verdicts
	Color     bool // for a terminal that understands ANSI escape sequences
}

// mostUntold is how many rows with cannot tell, or with an improvement, are shown
// unless all are asked for. Regressions are always shown.
const mostUntold = 50

// Text writes the report as a table for a terminal, the worst first, with
// the reasons below it, and the summary last.
func Text(w io.Writer, d Document, o TextOptions) error {
	o.Width = cmp.Or(o.Width, 100)
	o.Passes = cmp.Or(o.Passes, 10)
	t := newTextTable(d, o)
	var b strings.Builder
	if s := t.title(); s != "" {
		fmt.Fprintf(&b, "%s\n\n", s)
	}
	if len(t.rows) > 0 {
		t.write(&b)
		t.writeNotes(&b)
		b.WriteByte('\n')
	}
	if len(d.Shapes) > 0 {
		writeShapes(&b, d.Shapes)
		b.WriteByte('\n')
	}
	t.writeRemarks(&b)
	if len(d.Problems) > 0 && !o.NoVerdict {
		b.WriteString("no verdict, because\n")
		for _, p := range d.Problems {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(wording.Lines(p), "\n", "\n    "))
		}
		b.WriteByte('\n')
	}
	wording.Wrap(&b, t.last(), "  ", t.Width)
	_, err := io.WriteString(w, b.String())
	return err
}

// A selection says which results to show.
type selection struct {
	rows   []row
	hidden []row
}

// choose leaves out all but the first few plain passes, and many of the results that
// are neither plain nor bad.
func (d Document) choose(passes int, all bool) (s selection) {
	shown := make(map[string]int)
	for i := range d.Results {
		res := row{&d.Results[i]}
		kind, most := "plain", passes
		switch {
		case res.Verdict == gate.Regressed:
			kind, most = "regressed", len(d.Results)
		case !res.plain():
			kind, most = res.word(), mostUntold
		}
		if shown[kind]++; all || shown[kind] <= most {
			s.rows = append(s.rows, res)
		} else {
			s.hidden = append(s.hidden, res)
		}
	}
	return s
}

// left says what is not shown, "" if nothing is.
func left(hidden []row) string {
	var parts []string
	regressed, unjudged, untold, passes, worst := 0, 0, 0, 0, 0.0
	for _, res := range hidden {
		switch res.Verdict {
		case gate.Regressed:
			regressed++
		case gate.NoVerdict:
			unjudged++
		case gate.CannotTell:
			untold++
		default:
			passes++
			worst = max(worst, res.worst())
		}
	}
	if regressed > 0 {
		parts = append(parts, wording.Thousands(regressed)+" more that regressed")
	}
	if unjudged > 0 {
		parts = append(parts, wording.Thousands(unjudged)+" more without a verdict")
	}
	if untold > 0 {
		parts = append(parts, wording.Thousands(untold)+" more that cannot be told")
	}
	if passes > 0 {
		s := wording.Thousands(passes) + " more that pass"
		if worst > 0 {
			s += ", by their intervals none worse than by " + wording.Percent(worst)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

// A textTable is the layout of a report on a terminal.
type textTable struct {
	Document
	TextOptions
	selection
	names   map[gate.Benchmark]string
	unit    string // the unit of all rows, "" if they differ
	columns []textColumn
	reasons []string
	reason  map[string]int // from 1
}

// A textColumn has a cell for each row.
type textColumn struct {
	head  string
	left  bool
	cell  func(row) string
	width int
}

func newTextTable(r Document, o TextOptions) *textTable {
	t := &textTable{Document: r, TextOptions: o, names: r.Names(), reason: make(map[string]int)}
	t.selection = r.choose(o.Passes, o.Verbose)
	for i, res := range t.rows {
		if i == 0 {
			t.unit = res.Unit
		} else if res.Unit != t.unit {
			t.unit = ""
			break
		}
	}
	t.explain()

	all := []textColumn{
		{head: "unit", left: true, cell: func(res row) string {
			if t.unit != "" {
				return ""
			}
			return cmp.Or(wording.Clean(res.Unit), "-")
		}},
		{head: "old", cell: func(res row) string { return res.value(res.Old) }},
		{head: "new", cell: func(res row) string { return res.value(res.Becomes()) }},
		{head: "change", cell: row.change},
		{head: r.confidence() + " interval", cell: row.interval},
		{head: "spread", cell: row.apart},
		{head: "n", cell: row.pairs},
		{head: "margin", cell: r.margin},
		{head: "verdict", left: true, cell: t.verdict},
	}
	if o.NoVerdict {
		all = all[:len(all)-2]
	}
	for _, c := range all {
		for _, res := range t.rows {
			c.width = max(c.width, utf8.RuneCountInString(c.cell(res)))
		}
		if c.width > 0 {
			c.width = max(c.width, utf8.RuneCountInString(c.head))
			t.columns = append(t.columns, c)
		}
	}
	return t
}

// explain numbers the reasons of the rows; equal reasons have the same number.
func (t *textTable) explain() {
	if t.NoVerdict {
		return
	}
	for _, res := range t.rows {
		if why := wording.Clean(res.Why); res.explained() && why != "" && t.reason[why] == 0 {
			t.reasons = append(t.reasons, why)
			t.reason[why] = len(t.reasons)
		}
	}
}

// verdict returns the verdict with the number of its reason.
func (t *textTable) verdict(res row) string {
	s := res.word()
	if res.Minor {
		s = "(" + s + ")"
	}
	if n := t.reason[wording.Clean(res.Why)]; n > 0 && res.explained() {
		s += fmt.Sprintf(" [%d]", n)
	}
	return s
}

// title says what was compared, and in what unit if there is only one.
func (t *textTable) title() string {
	s := t.sides()
	if t.unit == "" || len(t.rows) == 0 {
		return s
	}
	if s != "" {
		s += "; "
	}
	s += wording.Clean(t.unit)
	switch t.rows[0].Better {
	case +1:
		s += ", more is better"
	case -1:
		s += ", less is better"
	}
	return s
}

// write writes the rows. A name that is too long for the width has a line to itself, so
// that the columns of numbers stay aligned.
func (t *textTable) write(b *strings.Builder) {
	const least = 12 // for names; with less room, all names have lines to themselves
	room, head := t.room(), "benchmark"
	narrow := room < least && room < t.longest()
	if narrow {
		room, head = 0, ""
		t.columns = slices.DeleteFunc(t.columns, func(c textColumn) bool { return c.head == "unit" || c.head == "margin" })
		fmt.Fprintln(b, "benchmark")
	}
	line := fmt.Sprintf("%-*s", room, head)
	for _, c := range t.columns {
		line += "  " + c.pad(c.head)
	}
	fmt.Fprintln(b, strings.TrimRight(line, " "))
	for i, res := range t.rows {
		if i > 0 && !t.NoVerdict && res.Verdict != t.rows[i-1].Verdict {
			b.WriteByte('\n')
		}
		name := res.label(t.names)
		if narrow {
			if t.unit == "" && res.Unit != "" {
				name += "  " + wording.Clean(res.Unit)
			}
			if m := t.margin(res); m != "" && !t.NoVerdict {
				name += "  margin " + m
			}
		}
		if utf8.RuneCountInString(name) > room {
			fmt.Fprintln(b, t.paint(res, name, res.Minor))
			name = ""
		}
		line := fmt.Sprintf("%-*s", room, name)
		for i, c := range t.columns {
			cell := c.pad(c.cell(res))
			if i == len(t.columns)-1 {
				cell = strings.TrimRight(cell, " ")
				if !res.Minor && !t.NoVerdict {
					cell = t.paint(res, cell, true)
				}
			}
			line += "  " + cell
		}
		fmt.Fprintln(b, t.paint(res, strings.TrimRight(line, " "), res.Minor))
	}
	if s := left(t.hidden); s != "" {
		fmt.Fprintf(b, "… and %s\n", s)
	}
}

// room returns how many characters the numbers leave for names.
func (t *textTable) room() int {
	room := t.Width
	for _, c := range t.columns {
		room -= 2 + c.width
	}
	return min(room, t.longest())
}

// longest returns the number of characters of the longest name.
func (t *textTable) longest() int {
	n := len("benchmark")
	for _, res := range t.rows {
		n = max(n, utf8.RuneCountInString(res.label(t.names)))
	}
	return n
}

func (c textColumn) pad(s string) string {
	if c.left {
		return fmt.Sprintf("%-*s", c.width, s)
	}
	return fmt.Sprintf("%*s", c.width, s)
}

// paint gives s the colour of the verdict, if yes.
func (t *textTable) paint(res row, s string, yes bool) string {
	code := ""
	switch {
	case !t.Color || !yes:
		return s
	case res.Minor:
		code = "2" // faint
	case res.Verdict == gate.Regressed:
		code = "1;31" // bold red
	case res.Verdict == gate.NoVerdict:
		code = "31" // red
	case res.Verdict == gate.CannotTell:
		code = "33" // yellow
	case res.Improved():
		code = "32" // green
	default:
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// writeNotes explains the numbers and marks in the table.
func (t *textTable) writeNotes(b *strings.Builder) {
	b.WriteByte('\n')
	for i, why := range t.reasons {
		count := 0
		for _, res := range t.rows {
			if res.explained() && wording.Clean(res.Why) == why {
				count++
			}
		}
		line := fmt.Sprintf("[%d] %s", i+1, why)
		if count > 1 {
			line += fmt.Sprintf(" (%d)", count)
		}
		wording.Wrap(b, line, "    ", t.Width)
		for _, res := range t.rows {
			if out := wording.Lines(res.Output); out != "" && wording.Clean(res.Why) == why {
				fmt.Fprintf(b, "    %s printed\n      %s\n", res.label(t.names), strings.ReplaceAll(out, "\n", "\n      "))
			}
		}
	}
	for _, m := range t.marks() {
		wording.Wrap(b, m, "  ", t.Width)
	}
}

// marks explains the marks that the rows have.
func (t *textTable) marks() (lines []string) {
	any := func(test func(row) bool) bool {
		for _, res := range t.rows {
			if test(res) {
				return true
			}
		}
		return false
	}
	paired := any(func(res row) bool { return !res.Exact && res.N > 0 && !res.Unpaired })
	apart := any(func(res row) bool { return res.N > 0 && res.Unpaired })
	switch {
	case paired && apart:
		lines = append(lines, "n: pairs of binaries, or with ? samples of the smaller side; change: the middle of their changes; new: old with that change; spread: how far single pairs are apart")
	case paired:
		lines = append(lines, "n: pairs of binaries; change: the middle of their changes; new: old with that change; spread: how far single pairs are apart")
	case apart:
		lines = append(lines, "n: samples of the smaller side; change: the middle of those from each of the base to each of the head; new: old with that change")
	}
	if any(func(res row) bool { return res.Exact }) {
		lines = append(lines, "exact: the values do not vary")
	}
	if any(func(res row) bool { return res.interval() == "-" && res.N > 0 }) {
		lines = append(lines, "-: too few to know")
	}
	if s := unpaired(t.rows); s != "" {
		lines = append(lines, "?: "+s)
	}
	if any(func(res row) bool { return res.Minor }) && !t.NoVerdict {
		lines = append(lines, "( ): not counted: there are more readings at another distance of the CPUs, which decides")
	}
	if !t.NoVerdict && any(func(res row) bool { return !res.Exact || res.Margin > 0 }) {
		lines = append(lines, fmt.Sprintf("margin: %s, unless the row has another", wording.Share(t.Rules.WithDefaults().Margin)))
	}
	return lines
}

// writeRemarks writes what the reader should know in addition to the results.
func (t *textTable) writeRemarks(b *strings.Builder) {
	var lines []string
	for _, w := range t.Warnings {
		lines = append(lines, "warning: "+wording.Clean(w))
	}
	lines = append(lines, t.same(20)...)
	lines = append(lines, t.advice(t.names, 20)...)
	if s := t.notJudged(); s != "" {
		lines = append(lines, s)
	}
	for _, line := range lines {
		wording.Wrap(b, line, "  ", t.Width)
	}
	if len(lines) > 0 {
		b.WriteByte('\n')
	}
}

// last is the last line.
func (t *textTable) last() string {
	if t.NoVerdict {
		all := t.all()
		return fmt.Sprintf("%s; %s", wording.Plural(all.of()+all.minor, "result"), t.cost())
	}
	return fmt.Sprintf("%s: %s; %s", t.Outcome(), t.summary(), t.cost())
}
