package show

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	tableWidth = 160
	leastCell  = 14
)

// WriteTable writes the table that check.Failure.WriteTable describes.
func (f *Schedule) WriteTable(w io.Writer) error {
	out := bufio.NewWriter(w)
	workers, rows := f.acting(), f.rows()

	lane := make(map[int]int) // worker to column
	widths := make([]int, len(workers))
	for c, worker := range workers {
		lane[worker] = c
		widths[c] = utf8.RuneCountInString(f.Workers[worker])
	}
	places := 0
	for _, r := range rows {
		if s := &f.Steps[r.step]; r.steps == 1 {
			c := lane[s.Worker]
			widths[c] = max(widths[c], utf8.RuneCountInString(s.String()))
			places = max(places, utf8.RuneCountInString(s.At.String())+2+len(shortFunc(s.At.Func)))
		}
	}
	total := func() int {
		sum := 8 + places
		for _, width := range widths {
			sum += 3 + width
		}
		return sum
	}
	for total() > tableWidth { // take from the widest
		widest := 0
		for c := range widths {
			if widths[c] > widths[widest] {
				widest = c
			}
		}
		if widths[widest] <= leastCell {
			break
		}
		widths[widest]--
	}

	line := func(number string, column int, text, place string) {
		var b strings.Builder
		fmt.Fprintf(&b, "%6s ", number)
		for c, width := range widths {
			cell := ""
			if c == column {
				cell = fit(text, width)
			}
			fmt.Fprintf(&b, " │ %s%s", cell, strings.Repeat(" ", width-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintf(&b, " │ %s", place)
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}

	fmt.Fprintf(out, "%6s ", "step")
	for c, worker := range workers {
		name := fit(f.Workers[worker], widths[c])
		fmt.Fprintf(out, " │ %s%s", name, strings.Repeat(" ", widths[c]-utf8.RuneCountInString(name)))
	}
	fmt.Fprintf(out, " │ source\n───────")
	for _, width := range widths {
		fmt.Fprintf(out, "─┼─%s", strings.Repeat("─", width))
	}
	fmt.Fprintf(out, "─┼─%s\n", strings.Repeat("─", max(places, len("source"))))
	for _, r := range rows {
		if r.steps > 1 {
			fmt.Fprintf(out, "%6s  │ %s\n", "⋮", r.says())
			continue
		}
		s := &f.Steps[r.step]
		number := fmt.Sprint(r.step + 1)
		if s.Failed {
			number = "✗ " + number
		}
		place := s.At.String()
		if fn := shortFunc(s.At.Func); place != "" && fn != "" {
			place += "  " + fn
		}
		line(number, lane[s.Worker], s.String(), place)
	}
	return out.Flush()
}

// fit cuts text to a width.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}
