// Package report writes what came of a gate: as text for a terminal, as Markdown for
// a pull request, as GitHub's annotations, as JSON and as JUnit's XML. Each is one
// document, with what became of the demands on shapes in it.
package report

import (
	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/shape"
)

// A Document is what a report says: what came of a comparison, and of shapes.
type Document struct {
	*gate.Report
	Shapes []shape.Finding // of the head's sweep
}

// Outcome returns the verdict on all that there is: that of the comparison, and of
// the shapes if there are any.
func (d Document) Outcome() gate.Verdict {
	v := d.Report.Outcome()
	if len(d.Shapes) > 0 {
		v = max(v, shape.Verdict(d.Shapes))
	}
	return v
}

// A row is a result as the documents have it.
type row struct{ *gate.Result }

// bad turns a change, a share, so that more of it is worse.
func (r row) bad(change float64) float64 { return -float64(r.Better) * change }
