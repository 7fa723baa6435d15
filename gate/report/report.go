// Package report writes the result of a gate: as text for a terminal, as Markdown for a
// pull request, as GitHub's annotations, as JSON and as JUnit's XML. Each is one
// document, which includes the findings on shapes.
package report

import (
	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/shape"
)

// A Document is the contents of a report: the result of a comparison, and the findings
// on shapes.
type Document struct {
	*gate.Report
	Shapes []shape.Finding // of the head's sweep
}

// Outcome returns the verdict on the whole document: that of the comparison, and of the
// shapes if there are any.
func (d Document) Outcome() gate.Verdict {
	v := d.Report.Outcome()
	if len(d.Shapes) > 0 {
		v = max(v, shape.Verdict(d.Shapes))
	}
	return v
}

// A row is a result as the documents show it.
type row struct{ *gate.Result }

// bad returns a change, a share, with the sign that makes more worse.
func (r row) bad(change float64) float64 { return -float64(r.Better) * change }
