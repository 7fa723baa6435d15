package gate

import "github.com/lockbench/lockbench/internal/wording"

// How the reports of this package write things.
var (
	clean        = wording.Clean
	lines        = wording.Lines
	firstLine    = wording.FirstLine
	elide        = wording.Elide
	plural       = wording.Plural
	thousands    = wording.Thousands
	number       = wording.Number
	percent      = wording.Percent
	round        = wording.Share
	short        = wording.Duration
	code         = wording.Code
	prose        = wording.Prose
	writeWrapped = wording.Wrap
	writeColumns = wording.Columns
)

type jsonNumber = wording.JSONNumber
