package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/wording"
)

// Shapes writes the findings on shapes alone as a table for a terminal, shape by shape,
// in the order given.
func Shapes(w io.Writer, fs []shape.Finding) error {
	var b strings.Builder
	writeShapes(&b, fs)
	_, err := io.WriteString(w, b.String())
	return err
}

// A finding is a finding on a shape, as a table shows it.
type finding struct{ shape.Finding }

// writeShapes writes the findings as a table for a terminal, shape by shape, the worst
// verdict first.
func writeShapes(b *strings.Builder, fs []shape.Finding) {
	for i, of := range byShape(fs) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%s (%s)\n", wording.Clean(of[0].Shape), wording.Clean(of[0].Place))
		rows := [][]string{{"lock", "where", "demand", "found", "interval", "n", "verdict"}}
		for i := range of {
			rows = append(rows, of[i].cells())
		}
		var table strings.Builder
		wording.Columns(&table, rows, "<<<>>><")
		for k, line := range strings.Split(strings.TrimSuffix(table.String(), "\n"), "\n") {
			fmt.Fprintf(b, "  %s\n", line)
			if k > 0 && !of[k-1].Plain() {
				fmt.Fprintf(b, "    %s\n", wording.Clean(of[k-1].Why))
			}
		}
	}
}

// shapesMarkdown returns the findings as a table in Markdown, with the reasons in
// its last column. It ends early where there is no more room, and says so.
func shapesMarkdown(fs []shape.Finding, room int) string {
	var b strings.Builder
	rows := 0
	b.WriteString("| shape | lock | where | demand | found | interval | n | verdict |\n|---|---|---|---|---:|---:|---:|---|\n")
	for _, of := range byShape(fs) {
		for _, r := range of {
			cells := append([]string{wording.Clean(r.Shape)}, r.cells()...)
			if !r.Plain() {
				cells[len(cells)-1] += ": " + wording.Clean(r.Why)
			}
			for i, c := range cells {
				cells[i] = wording.Prose(c)
			}
			if last := &cells[len(cells)-1]; r.Verdict != gate.Pass && !r.Minor {
				*last = "**" + *last + "**"
			}
			row := fmt.Sprintf("| %s |\n", strings.Join(cells, " | "))
			if b.Len()+len(row)+100 > room {
				return b.String() + fmt.Sprintf("\n… and %d more: not shown, since a comment must not be longer.\n", len(fs)-rows)
			}
			b.WriteString(row)
			rows++
		}
	}
	return b.String()
}

// byShape puts the findings of one shape together, in the order given.
func byShape(fs []shape.Finding) (shapes [][]finding) {
	at := make(map[string]int)
	for _, r := range fs {
		i, ok := at[r.Place]
		if !ok {
			i = len(shapes)
			at[r.Place] = i
			shapes = append(shapes, nil)
		}
		shapes[i] = append(shapes[i], finding{r})
	}
	return shapes
}

// cells returns the cells of a row, without the shape.
func (f finding) cells() []string {
	verdict := f.Verdict.String()
	if f.Minor {
		verdict = "(" + verdict + ")"
	}
	return []string{wording.Clean(f.Lock), wording.Clean(f.Where), wording.Clean(f.Demand), f.found(), f.interval(), fmt.Sprint(f.N), verdict}
}

// found writes the value.
func (f finding) found() string {
	switch {
	case math.IsInf(f.Value, +1):
		return "∞"
	case math.IsInf(f.Value, -1):
		return "none"
	}
	return wording.Number(f.Value)
}

// interval writes the bounds.
func (f finding) interval() string {
	switch lo, hi := math.IsInf(f.Lo, 0), math.IsInf(f.Hi, 0); {
	case lo && hi:
		return "-"
	case hi:
		return "≥ " + wording.Number(f.Lo)
	case lo:
		return "≤ " + wording.Number(f.Hi)
	}
	return "[" + wording.Number(f.Lo) + ", " + wording.Number(f.Hi) + "]"
}
