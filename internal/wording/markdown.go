package wording

import (
	"fmt"
	"strings"
)

// Code returns s as code that is also valid in a table's cell.
func Code(s string) string {
	switch {
	case s == "":
		return ""
	case strings.ContainsAny(s, "`|\\") || s != strings.TrimSpace(s):
		return "<code>" + Prose(s) + "</code>"
	}
	return "`" + s + "`"
}

// Prose returns s escaped, so that no character has a meaning in Markdown.
func Prose(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune("\\`*_{}[]<>#|~$@&!", c) {
			fmt.Fprintf(&b, "&#%d;", c)
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}
