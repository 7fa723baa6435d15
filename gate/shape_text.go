package gate

import (
	"fmt"
	"math"
	"strings"
)

// A ShapeResult is a finding of package shape: what became of one demand, for one
// lock in one scenario at one distance.
type ShapeResult struct {
	Shape  string // the spec's name
	Place  string // where it is said
	Kind   string // scaling, crossover, floor or ceiling
	Demand string // such as "sigma ≤ 0.1"

	Lock  string
	Where string // the scenario and the distance, for people

	Verdict Verdict
	Why     string

	// Value is what was found, in Unit, and Lo and Hi bound it with the
	// confidence asked for. They are infinite where there are too few
	// samples, and where a crossover is beyond what was measured. Value is
	// NaN if nothing could be found.
	Value, Lo, Hi float64
	Unit          string

	N      int  // rounds that it rests on; of several numbers, the least
	Points int  // CPU counts, shares of reads or numbers of workers
	Left   int  // samples left out: the distance changed, or too few CPUs
	Minor  bool // there is more of it at another distance, which decides
}

// ShapesVerdict returns the verdict on all findings: the worst that counts. It is
// CannotTell if there are none.
func ShapesVerdict(fs []ShapeResult) Verdict {
	if len(fs) == 0 {
		return CannotTell
	}
	v := Pass
	for _, f := range fs {
		if !f.Minor {
			v = max(v, f.Verdict)
		}
	}
	return v
}

// writeShapes writes the results as a table for a terminal, shape by shape, that
// with the worst verdict first.
func writeShapes(b *strings.Builder, rs []ShapeResult) {
	for i, of := range byShape(rs) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(b, "%s (%s)\n", clean(of[0].Shape), clean(of[0].Place))
		rows := [][]string{{"lock", "where", "demand", "found", "interval", "n", "verdict"}}
		for i := range of {
			rows = append(rows, of[i].cells())
		}
		var table strings.Builder
		writeColumns(&table, rows, "<<<>>><")
		for k, line := range strings.Split(strings.TrimSuffix(table.String(), "\n"), "\n") {
			fmt.Fprintf(b, "  %s\n", line)
			if k > 0 && of[k-1].explained() {
				fmt.Fprintf(b, "    %s\n", clean(of[k-1].Why))
			}
		}
	}
}

// shapesMarkdown returns the results as a table in Markdown, with the reasons in
// its last column. It ends early where there is no more room, and says so.
func shapesMarkdown(rs []ShapeResult, room int) string {
	var b strings.Builder
	rows := 0
	b.WriteString("| shape | lock | where | demand | found | interval | n | verdict |\n|---|---|---|---|---:|---:|---:|---|\n")
	for _, of := range byShape(rs) {
		for _, r := range of {
			cells := append([]string{clean(r.Shape)}, r.cells()...)
			if r.explained() {
				cells[len(cells)-1] += ": " + clean(r.Why)
			}
			for i, c := range cells {
				cells[i] = prose(c)
			}
			if last := &cells[len(cells)-1]; r.Verdict != Pass && !r.Minor {
				*last = "**" + *last + "**"
			}
			row := fmt.Sprintf("| %s |\n", strings.Join(cells, " | "))
			if b.Len()+len(row)+100 > room {
				return b.String() + fmt.Sprintf("\n… and %d more: not shown, since a comment must not be longer.\n", len(rs)-rows)
			}
			b.WriteString(row)
			rows++
		}
	}
	return b.String()
}

// explained reports whether the verdict rests on more than one sees.
func (r ShapeResult) explained() bool {
	return r.Why != "the whole interval is within the limit" && r.Why != "the whole interval is beyond the limit"
}

// byShape puts the results of one shape together, in the order given.
func byShape(rs []ShapeResult) (shapes [][]ShapeResult) {
	at := make(map[string]int)
	for _, r := range rs {
		i, ok := at[r.Place]
		if !ok {
			i = len(shapes)
			at[r.Place] = i
			shapes = append(shapes, nil)
		}
		shapes[i] = append(shapes[i], r)
	}
	return shapes
}

// cells returns what a table has of r, but for the shape.
func (r ShapeResult) cells() []string {
	verdict := r.Verdict.String()
	if r.Minor {
		verdict = "(" + verdict + ")"
	}
	return []string{clean(r.Lock), clean(r.Where), clean(r.Demand), r.found(), r.interval(), fmt.Sprint(r.N), verdict}
}

// found writes the value.
func (r ShapeResult) found() string {
	switch {
	case math.IsInf(r.Value, +1):
		return "∞"
	case math.IsInf(r.Value, -1):
		return "none"
	}
	return number(r.Value)
}

// interval writes the bounds.
func (r ShapeResult) interval() string {
	switch lo, hi := math.IsInf(r.Lo, 0), math.IsInf(r.Hi, 0); {
	case lo && hi:
		return "-"
	case hi:
		return "≥ " + number(r.Lo)
	case lo:
		return "≤ " + number(r.Hi)
	}
	return "[" + number(r.Lo) + ", " + number(r.Hi) + "]"
}
