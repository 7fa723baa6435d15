package wording

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Wrap writes a line, broken at spaces where it has more characters than width;
// what follows the first break is indented.
func Wrap(b *strings.Builder, line, indent string, width int) {
	at := 0
	for i, word := range strings.Split(line, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+n > width && at > len(indent):
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}

// Columns writes rows with their cells below each other. align has a character for each
// column: "<" means flush left, any other flush right. Lines have no spaces at their
// end.
func Columns(b *strings.Builder, rows [][]string, align string) {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			pad := strings.Repeat(" ", wide[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line += "  "
			}
			if i < len(align) && align[i] == '<' {
				line += cell + pad
			} else {
				line += pad + cell
			}
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}
