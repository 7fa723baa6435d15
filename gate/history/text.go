package history

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// WriteText writes the change points as a table for a terminal, the worst first.
func (h *History) WriteText(w io.Writer, width int) error {
	if width == 0 {
		width = 100
	}
	var b strings.Builder
	wording.Wrap(&b, h.title(), "  ", width)
	if rows := h.rows(); len(rows) > 1 {
		b.WriteByte('\n')
		wording.Columns(&b, rows, "<<<>>>>>><")
	}
	if lines := h.notes(); len(lines) > 0 {
		b.WriteByte('\n')
		for _, line := range lines {
			wording.Wrap(&b, line, "  ", width)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes the change points as a table in Markdown.
func (h *History) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", wording.Prose(h.title()))
	if rows := h.rows(); len(rows) > 1 {
		fmt.Fprintf(&b, "\n| %s |\n|---|---|---|---:|---:|---:|---:|---:|---|\n", strings.Join(rows[0], " | "))
		for _, row := range rows[1:] {
			row[0] = wording.Code(row[0])
			for i := range row[1:] {
				row[i+1] = wording.Prose(row[i+1])
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		}
	}
	for _, line := range h.notes() {
		fmt.Fprintf(&b, "\n%s\n", wording.Prose(line))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// title says what the history has, and what was found.
func (h *History) title() string {
	s := fmt.Sprintf("%s: %s", wording.Clean(h.Dir), wording.Plural(len(h.Runs), "run"))
	if n := len(h.Runs); n > 1 {
		s += fmt.Sprintf(", %s to %s", wording.Clean(h.Runs[0].String()), wording.Clean(h.Runs[n-1].String()))
	}
	found := len(h.Found())
	switch of := len(h.Trends) - len(h.few()); {
	case of == 0:
		s += "; too few to conclude anything"
	case found == 0:
		s += fmt.Sprintf("; no change point in %s", wording.Plural(of, "trend"))
	default:
		s += fmt.Sprintf("; %s in %s", wording.Plural(found, "change point"), wording.Plural(of, "trend"))
	}
	return s
}

// rows returns the table, beginning with its head.
func (h *History) rows() [][]string {
	rows := [][]string{{"benchmark", "unit", "from this run on", "from", "to", "change", "95% interval", "n", "p", ""}}
	names := h.names()
	for _, f := range h.Found() {
		c := wording.Change{From: f.From, By: f.Change, Lo: f.Lo, Hi: f.Hi, Signed: f.Signed, Exact: f.Lo == f.Hi}
		rows = append(rows, []string{
			h.label(f.Trend, names), wording.Clean(f.Unit), wording.Clean(h.Runs[f.Run].String()),
			c.Value(f.From), c.Value(f.Becomes()), c.String(), c.Interval(), fmt.Sprintf("%d+%d", f.Before, f.After),
			probability(f.P), f.Trend.word(f.ChangePoint),
		})
	}
	return rows
}

// probability writes a p-value.
func probability(p float64) string {
	switch {
	case p < 1e-9:
		return "<1e-9"
	case p < 0.0001:
		return fmt.Sprintf("%.0e", p)
	}
	return fmt.Sprintf("%.4f", p)
}

// word says what a change is, with a mark if it may be a drift.
func (t *Trend) word(c ChangePoint) string {
	s := "changed"
	switch change := float64(t.Better) * c.Change; {
	case change < 0:
		s = "regressed"
	case change > 0:
		s = "improved"
	}
	if t.Drifts() {
		s += "~"
	}
	return s
}

// names returns short names of the benchmarks.
func (h *History) names() map[gate.Benchmark]string {
	var all []gate.Benchmark
	for _, t := range h.Trends {
		all = append(all, t.Benchmark)
	}
	return gate.Names(all)
}

// label returns the name of a trend, with the distance and the machine if another trend
// has the same name.
func (h *History) label(t *Trend, names map[gate.Benchmark]string) string {
	name := names[t.Benchmark]
	if t.Distance != results.Local && t.Distance != results.Unknown {
		name += " " + string(t.Distance)
	}
	for _, other := range h.Trends {
		if other.Benchmark == t.Benchmark && other.Unit == t.Unit && other.Distance == t.Distance && other.Machine != t.Machine {
			return name + " (" + wording.Clean(t.Machine) + ")"
		}
	}
	return name
}

// few returns the trends that have too few points.
func (h *History) few() (few []*Trend) {
	for _, t := range h.Trends {
		if t.Few() {
			few = append(few, t)
		}
	}
	return few
}

// notes returns remarks on the table, one per line.
func (h *History) notes() (lines []string) {
	found := h.Found()
	if len(found) > 0 {
		lines = append(lines,
			fmt.Sprintf("of the change points at most %s are false on average, as long as runs are independent of each other", wording.Share(h.FDR)),
			fmt.Sprintf("n: runs since the change before, and up to the next or to the last; with less than %d on either side there is none", leastSegment))
	}
	for _, f := range found {
		if f.Drifts() {
			lines = append(lines, "~ a run is like the one before: the machine drifts, and the change may be its own")
			break
		}
	}
	if few := h.few(); len(few) > 0 {
		names := h.names()
		var some []string
		for _, t := range few[:min(len(few), 3)] {
			some = append(some, fmt.Sprintf("%s %s with %d", h.label(t, names), wording.Clean(t.Unit), len(t.Points)))
		}
		more := ""
		if n := len(few) - len(some); n > 0 {
			more = fmt.Sprintf(" and %s more", wording.Thousands(n))
		}
		lines = append(lines, fmt.Sprintf("too few to conclude, with less than %d runs: %s (%s%s)", LeastRuns, wording.Plural(len(few), "trend"), strings.Join(some, ", "), more))
	}
	for _, s := range h.Warnings {
		lines = append(lines, "warning: "+wording.Clean(s))
	}
	return lines
}

// JSONVersion is the version of what [History.WriteJSON] writes. It changes when a
// field changes its meaning or is removed, not when one is added.
const JSONVersion = 2

// WriteJSON writes the change points as JSON, with the same names as the gate's report.
func (h *History) WriteJSON(w io.Writer) error {
	type run struct {
		File   string `json:"file"`
		Date   string `json:"date"` // "" if it is not known
		Commit string `json:"commit"`
	}
	type trend struct {
		Pkg      string `json:"package"`
		Name     string `json:"name"`
		Unit     string `json:"unit"`
		Better   string `json:"better"`
		Distance string `json:"distance"`
		Machine  string `json:"machine"`
		Runs     int    `json:"runs"`
		Few      bool   `json:"too_few"`
		Drifts   bool   `json:"drifts"`
	}
	type changePoint struct {
		trend
		Index  int                `json:"run"` // index in runs of the first after the change
		Before int                `json:"before"`
		After  int                `json:"after"`
		From   wording.JSONNumber `json:"from"`
		To     wording.JSONNumber `json:"to"`
		Change wording.JSONNumber `json:"change"`
		Lo     wording.JSONNumber `json:"lo"`
		Hi     wording.JSONNumber `json:"hi"`
		P      wording.JSONNumber `json:"p"`
		Worse  bool               `json:"regression"`
	}
	of := func(t *Trend) trend {
		return trend{t.Pkg, t.Name, t.Unit, results.Direction(t.Better), string(t.Distance), t.Machine, len(t.Points), t.Few(), t.Drifts()}
	}
	out := struct {
		Version  int                `json:"schema_version"`
		Dir      string             `json:"dir"`
		FDR      wording.JSONNumber `json:"fdr"`
		Runs     []run              `json:"runs"`
		Changes  []changePoint      `json:"change_points"` // the worst first
		Trends   []trend            `json:"trends"`
		Warnings []string           `json:"warnings"`
	}{JSONVersion, h.Dir, wording.JSONNumber(h.FDR), []run{}, []changePoint{}, []trend{}, append([]string{}, h.Warnings...)}
	for _, r := range h.Runs {
		date := ""
		if !r.Date.IsZero() {
			date = r.Date.UTC().Format("2006-01-02T15:04:05Z")
		}
		out.Runs = append(out.Runs, run{r.File, date, r.Commit})
	}
	for _, f := range h.Found() {
		out.Changes = append(out.Changes, changePoint{of(f.Trend), f.Run, f.Before, f.After,
			wording.JSONNumber(f.From), wording.JSONNumber(f.Becomes()), wording.JSONNumber(f.Change), wording.JSONNumber(f.Lo), wording.JSONNumber(f.Hi), wording.JSONNumber(f.P), f.Regression(f.ChangePoint)})
	}
	for _, t := range h.Trends {
		out.Trends = append(out.Trends, of(t))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(out)
}
