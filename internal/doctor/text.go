package doctor

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// width is the width of the report, in characters.
const width = 80

// Text writes the report for people, in lines of at most 80 characters.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	wording.Wrap(&b, fmt.Sprintf("%s, %s/%s", cmp.Or(wording.Clean(r.CPU), "CPU of unknown model"), r.GOOS, r.GOARCH), "", width)
	b.WriteByte('\n')
	count := make(map[Grade]int)
	const indent = "                       "
	for _, f := range r.Findings {
		count[f.Grade]++
		wording.Wrap(&b, fmt.Sprintf("%-7s  %-12s  %s", f.Grade, f.Name, wording.Clean(f.Says)), indent, width)
		if f.Do != "" {
			wording.Wrap(&b, indent+"→ "+f.Do, indent+"  ", width)
		}
	}
	if len(r.Noise) > 0 {
		b.WriteString("\nThe same code against itself, 20 samples a side: 95 of 100 comparisons differ\nby less than this, if the sides take turns or one follows the other; and the\nleast margin of a gate for such code.\n\n")
		rows := [][]string{{"CELLS", "LOCK", "CPUS", "PAIRS", "IN TURNS", "APART", "MARGIN"}}
		for _, n := range r.Noise {
			rows = append(rows, []string{n.Cells, n.Lock, said(n.Distance), strconv.Itoa(n.Pairs), share(n.InTurns), share(n.Apart), atMost(n.Margin)})
		}
		wording.Columns(&b, rows, "<<<")
		b.WriteString("\n")
		wording.Wrap(&b, "This is one binary in one process, so the margins are the least: two binaries of the same code often differ by more, by their layout alone. Counts of instructions and allocations need no margin.", "", width)
	}
	b.WriteByte('\n')
	switch r.Grade {
	case Good:
		b.WriteString("good: fit to measure on\n")
	case Poor:
		wording.Wrap(&b, fmt.Sprintf("poor: usable%s; %s above, marked poor, %s worth a look", r.margins(), wording.Count(count[Poor], "finding"), wording.Is(count[Poor])), "", width)
	default:
		fmt.Fprintf(&b, "bad: not fit to measure on; %s above, marked bad, %s to be mended first\n", wording.Count(count[Bad], "finding"), wording.Is(count[Bad]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// margins says which margins a gate can use; nothing if they are not known.
func (r *Report) margins() string {
	least, most := math.Inf(+1), 0.0
	for _, n := range r.Noise {
		if m := float64(n.Margin); !math.IsNaN(m) {
			least, most = min(least, m), max(most, m)
		}
	}
	switch {
	case most == 0:
		return ""
	case least == most:
		return fmt.Sprintf(", with a margin of %s for a gate", wording.Share(most))
	}
	return fmt.Sprintf(", with margins of %s to %s for a gate", wording.Share(least), wording.Share(most))
}

// said returns a distance in words.
func said(d results.Distance) string {
	switch d {
	case results.Local:
		return "one"
	case results.Unknown:
		return "unknown"
	}
	return string(d)
}

// share writes a share, "few" if there were too few samples for it.
func share(v wording.JSONNumber) string {
	if math.IsNaN(float64(v)) {
		return "few"
	}
	return wording.Percent(float64(v))
}

// atMost writes a margin.
func atMost(v wording.JSONNumber) string {
	switch {
	case math.IsNaN(float64(v)):
		return "-"
	case math.IsInf(float64(v), 0):
		return "none"
	}
	return wording.Share(float64(v))
}
