package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteShapesText writes the results as a table for a terminal, shape by shape,
// that with the worst verdict first.
func WriteShapesText(w io.Writer, rs []ShapeResult) error {
	var b strings.Builder
	for _, of := range byShape(rs) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s (%s)\n", clean(of[0].Shape), clean(of[0].Place))
		rows := [][]string{{"lock", "where", "demand", "found", "interval", "n", "verdict"}}
		for i := range of {
			rows = append(rows, of[i].cells())
		}
		var table strings.Builder
		writeColumns(&table, rows, "<<<>>><")
		for k, line := range strings.Split(strings.TrimSuffix(table.String(), "\n"), "\n") {
			fmt.Fprintf(&b, "  %s\n", line)
			if k > 0 && of[k-1].explained() {
				fmt.Fprintf(&b, "    %s\n", clean(of[k-1].Why))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteShapesMarkdown writes the results as a table in Markdown, with the reasons
// in its last column.
func WriteShapesMarkdown(w io.Writer, rs []ShapeResult) error {
	var b strings.Builder
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
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// explained reports whether the verdict rests on more than one sees.
func (r ShapeResult) explained() bool { return r.Why != isWithin && r.Why != isBeyond }

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

// MarshalJSON writes r as [Report.WriteJSON] writes results.
func (r ShapeResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Shape   string     `json:"shape"`
		Place   string     `json:"place"`
		Kind    string     `json:"kind"`
		Demand  string     `json:"demand"`
		Lock    string     `json:"lock"`
		Where   string     `json:"where"`
		Verdict string     `json:"verdict"`
		Why     string     `json:"why"`
		Value   jsonNumber `json:"value"`
		Lo      jsonNumber `json:"lo"`
		Hi      jsonNumber `json:"hi"`
		Unit    string     `json:"unit"`
		N       int        `json:"n"`
		Points  int        `json:"points"`
		Left    int        `json:"left_out"`
		Minor   bool       `json:"minor"`
	}{r.Shape, r.Place, r.Kind, r.Demand, r.Lock, r.Where, r.Verdict.String(), r.Why,
		jsonNumber(r.Value), jsonNumber(r.Lo), jsonNumber(r.Hi), r.Unit, r.N, r.Points, r.Left, r.Minor})
}
