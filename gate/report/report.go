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
// shapes if there are any. Without a base it is that of the shapes.
func (d Document) Outcome() gate.Verdict {
	if d.alone() {
		return max(d.Verdict, shape.Verdict(d.Shapes))
	}
	v := d.Report.Outcome()
	if len(d.Shapes) > 0 {
		v = max(v, shape.Verdict(d.Shapes))
	}
	return v
}

// alone reports whether the document has findings on shapes and nothing else: there was
// no base to compare to.
func (d Document) alone() bool {
	compared := len(d.Results) + len(d.New) + len(d.Unchanged) + len(d.OnlyBase) + len(d.OnlyHead) + len(d.Problems)
	return d.Base == "" && len(d.Shapes) > 0 && compared == 0
}

// A row is a result as the documents show it.
type row struct{ *gate.Result }

// bad returns a change, a share, with the sign that makes more worse.
func (r row) bad(change float64) float64 { return -float64(r.Better) * change }
