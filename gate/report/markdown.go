package report

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
)

// MarkdownOptions say how [Markdown] writes.
type MarkdownOptions struct {
	Command string // the command line that repeats the comparison; "" if unknown
	Picture string // address of a picture of all changes, shown below the verdict; "" means none
	Limit   int    // bytes that the text may have; 0 is 65,000, since GitHub takes 65,536 characters
}

// MarkdownMark is the first line that [Markdown] writes. It is not visible, and marks
// the comment that the next run replaces.
const MarkdownMark = "<!-- lockbench gate -->"

// Markdown writes the report for a pull request, in GitHub's Markdown: the verdict in
// words, the regressions and the results that cannot be told, the worst first, and the
// others folded. If it would be longer than the limit, the tables end early, that of
// the passes first, and say so.
func Markdown(w io.Writer, d Document, o MarkdownOptions) error {
	m := markdown{Document: d, names: d.Names(), limit: cmp.Or(o.Limit, 65_000), reason: make(map[string]int)}
	_, err := io.WriteString(w, m.text(o))
	return err
}

// A markdown is a report that is being written.
type markdown struct {
	Document
	names   map[gate.Benchmark]string
	limit   int
	reasons []string
	reason  map[string]int // from 1
}

func (m *markdown) text(o MarkdownOptions) string {
	var bad, passes []row
	for i := range m.Results {
		res := row{&m.Results[i]}
		if res.Verdict == gate.Pass || res.Minor {
			passes = append(passes, res)
		} else {
			bad = append(bad, res)
		}
	}
	// The necessary parts get their room first.
	head, foot := m.head(), m.foot(o.Command)
	if o.Picture != "" {
		head += fmt.Sprintf("![Changes of all benchmarks with their intervals, against the margin](%s)\n\n", o.Picture)
	}
	room := m.limit - len(head) - len(foot)
	problems := m.problems(room / 2)
	room -= len(problems)
	first := m.table(bad, &room)
	printed := m.printed(bad, room/2)
	room -= len(printed)
	shapes := ""
	if len(m.Shapes) > 0 {
		shapes = "#### Shapes\n\n" + shapesMarkdown(m.Shapes, room/2) + "\n"
		room -= len(shapes)
	}
	summary := "<details><summary>" + m.passed(passes) + "</summary>\n\n"
	room -= len(summary) + len("\n</details>\n\n")
	second := m.table(passes, &room)

	var b strings.Builder
	b.WriteString(head)
	b.WriteString(problems)
	if len(bad) > 0 {
		b.WriteString(first)
		b.WriteByte('\n')
	}
	b.WriteString(printed)
	b.WriteString(shapes)
	if len(passes) > 0 {
		b.WriteString(summary)
		b.WriteString(second)
		b.WriteString("\n</details>\n\n")
	}
	b.WriteString(foot)
	return b.String()
}

// problems says why there is no verdict, "" if nothing was wrong.
func (m *markdown) problems(room int) string {
	if len(m.Problems) == 0 {
		return ""
	}
	return "There is no verdict, because\n\n" + quoted(strings.Join(m.Problems, "\n"), room)
}

// printed shows the output of benchmarks that failed.
func (m *markdown) printed(rows []row, room int) string {
	var b strings.Builder
	for _, res := range rows {
		if res.Output == "" {
			continue
		}
		s := fmt.Sprintf("<details><summary>what %s printed</summary>\n\n%s</details>\n\n", wording.Code(wording.Elide(res.label(m.names), 200)), quoted(res.Output, 4000))
		if b.Len()+len(s) > room {
			break
		}
		b.WriteString(s)
	}
	return b.String()
}

// quoted returns text as a block of code of at most about room bytes.
func quoted(text string, room int) string {
	var b strings.Builder
	for line := range strings.SplitSeq(wording.Lines(text), "\n") {
		if b.Len()+len(line) > room {
			b.WriteString("    …\n")
			break
		}
		fmt.Fprintf(&b, "    %s\n", line)
	}
	return b.String() + "\n"
}

// passed counts the results that are folded.
func (m *markdown) passed(passes []row) string {
	t := m.all()
	s := wording.Thousands(t.pass) + " pass"
	if t.improved > 0 {
		s += fmt.Sprintf(", %s of them improved", wording.Thousands(t.improved))
	}
	if t.minor > 0 {
		s += fmt.Sprintf("; %s at a distance of the CPUs that does not decide", wording.Thousands(t.minor))
	}
	return s
}

// head is the verdict and what was compared.
func (m *markdown) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### Benchmarks: %s\n\n", MarkdownMark, m.Outcome())
	if summary := m.summary(); summary != "" {
		fmt.Fprintf(&b, "%s.\n\n", capital(summary))
	}
	var on []string
	if m.Base != "" || m.Head != "" {
		on = append(on, fmt.Sprintf("Base %s, head %s", wording.Code(wording.Elide(wording.Clean(m.Base), 200)), wording.Code(wording.Elide(wording.Clean(m.Head), 200))))
	}
	on = append(on, m.cost())
	fmt.Fprintf(&b, "%s.\n\n", strings.Join(on, "; "))
	return b.String()
}

// capital returns s with a capital first letter.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// table returns the rows that fit, and says what was left out.
func (m *markdown) table(rows []row, room *int) string {
	const rest = 600 // for the lines after the rows
	margins := slices.ContainsFunc(rows, func(res row) bool { return m.margin(res) != "" })
	heads := []string{"benchmark", "unit", "old", "new", "change", m.confidence() + " interval", "spread", "n", "margin", "verdict"}
	rules := []string{"---", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "---"}
	if !margins {
		heads, rules = slices.Delete(heads, 8, 9), slices.Delete(rules, 8, 9)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n|%s|\n", strings.Join(heads, " | "), strings.Join(rules, "|"))
	var hidden, shown []row
	reasons := 0 // bytes
	for i, res := range rows {
		before := len(m.reasons)
		cells := m.row(res)
		if !margins {
			cells = slices.Delete(cells, 8, 9)
		}
		line := "| " + strings.Join(cells, " | ") + " |\n"
		for _, why := range m.reasons[before:] {
			reasons += len(m.reasonLine(why))
		}
		if b.Len()+len(line)+reasons+rest > *room {
			hidden = rows[i:]
			break
		}
		b.WriteString(line)
		shown = append(shown, res)
	}
	if s := left(hidden); s != "" {
		fmt.Fprintf(&b, "\n… and %s: not shown, since a comment must not be longer.\n", s)
	}
	if lines := m.reasonsOf(shown); lines != "" {
		fmt.Fprintf(&b, "\n%s", lines)
	}
	*room -= b.Len()
	return b.String()
}

// reasonsOf explains the numbers of reasons in the rows.
func (m *markdown) reasonsOf(rows []row) string {
	var b strings.Builder
	said := make(map[string]bool)
	for _, res := range rows {
		if why := wording.Clean(res.Why); res.explained() && m.reason[why] > 0 && !said[why] {
			said[why] = true
			b.WriteString(m.reasonLine(why))
		}
	}
	return b.String()
}

func (m *markdown) reasonLine(why string) string {
	return fmt.Sprintf("<sup>%d</sup> %s  \n", m.reason[why], wording.Prose(wording.Elide(why, 300)))
}

func (m *markdown) row(res row) []string {
	verdict := res.word()
	switch {
	case res.Minor:
		verdict = "(" + verdict + ")"
	case res.Verdict == gate.Regressed:
		verdict = "**" + verdict + "**"
	}
	if why := wording.Clean(res.Why); res.explained() && why != "" {
		if m.reason[why] == 0 {
			m.reasons = append(m.reasons, why)
			m.reason[why] = len(m.reasons)
		}
		verdict += fmt.Sprintf(" <sup>%d</sup>", m.reason[why])
	}
	return []string{
		wording.Code(wording.Elide(res.label(m.names), 200)),
		wording.Prose(wording.Elide(wording.Clean(res.Unit), 100)),
		res.value(res.Old), res.value(res.Becomes()), res.change(), res.interval(), res.apart(), res.pairs(), m.margin(res), verdict,
	}
}

// foot says how reliable the numbers are, and how to measure them again.
func (m *markdown) foot(command string) string {
	const most = 10 // lines of a kind
	var b strings.Builder
	if s := m.machine(); s != "" {
		fmt.Fprintf(&b, "%s\n\n", s)
	}
	var lines []string
	for i, w := range m.Warnings {
		if i == most {
			lines = append(lines, fmt.Sprintf("%d more warnings", len(m.Warnings)-most))
			break
		}
		lines = append(lines, "warning: "+wording.Prose(wording.Elide(wording.Clean(w), 300)))
	}
	for _, s := range slices.Concat(m.same(most), m.advice(m.names, most)) {
		lines = append(lines, wording.Prose(s))
	}
	if s := m.notJudged(); s != "" {
		lines = append(lines, wording.Prose(s))
	}
	for _, s := range lines {
		fmt.Fprintf(&b, "- %s\n", s)
	}
	if len(lines) > 0 {
		b.WriteByte('\n')
	}
	if command != "" {
		fmt.Fprintf(&b, "<sub>Measured by %s</sub>\n", wording.Code(wording.Elide(wording.Clean(command), 1000)))
	}
	return b.String()
}

// machine says how many readings there are, and how much they differ.
func (m *markdown) machine() string {
	var s []string
	fewest, most := math.MaxInt, 0   // pairs
	least, largest := math.MaxInt, 0 // samples
	var spreads []float64
	var widest *gate.Result
	var all []row
	for i := range m.Results {
		res := row{&m.Results[i]}
		all = append(all, res)
		if res.Exact || res.Minor || res.N == 0 {
			continue
		}
		if res.Unpaired {
			least, largest = min(least, res.N), max(largest, res.N)
			continue
		}
		fewest, most = min(fewest, res.N), max(most, res.N)
		if math.IsNaN(res.Spread) || math.IsInf(res.Spread, 0) {
			continue
		}
		spreads = append(spreads, res.Spread)
		if widest == nil || res.Spread > widest.Spread {
			widest = res.Result
		}
	}
	switch {
	case most == 0:
	case fewest == most:
		s = append(s, fmt.Sprintf("Readings, each of a pair of binaries: %d each.", most))
	default:
		s = append(s, fmt.Sprintf("Readings, each of a pair of binaries: %d to %d.", fewest, most))
	}
	switch {
	case largest == 0:
	case least == largest:
		s = append(s, fmt.Sprintf("Samples of the smaller side: %d each.", largest))
	default:
		s = append(s, fmt.Sprintf("Samples of the smaller side: %d to %d.", least, largest))
	}
	if widest != nil {
		s = append(s, fmt.Sprintf("Spread, of the changes of single pairs of binaries: ±%s in the middle of %s, at most ±%s (%s).",
			wording.Percent(gate.Median(spreads)), wording.Plural(len(spreads), "result"), wording.Percent(widest.Spread), wording.Code(wording.Elide(row{widest}.label(m.names), 200))))
	}
	if most > 0 || largest > 0 {
		s = append(s, fmt.Sprintf("Margin: %s, unless the row has another.", wording.Share(m.Rules.WithDefaults().Margin)))
	}
	if why := unpaired(all); why != "" {
		s = append(s, "`?`: "+why+".")
	}
	return strings.Join(s, " ")
}
