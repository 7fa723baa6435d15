// Package wording writes numbers, changes, names and tables the way that all
// reports of the gate write them, in text, in Markdown and in JSON; and numbers of
// things, for all packages.
package wording

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Noun returns the word for n of what: round for 1, otherwise rounds.
func Noun(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// Count writes n of what: 1 round, 1200 rounds.
func Count(n int, what string) string { return strconv.Itoa(n) + " " + Noun(n, what) }

// Plural is Count with commas, as the reports of the gate have them: 1,200 rounds.
func Plural(n int, what string) string { return Thousands(n) + " " + Noun(n, what) }

// Is returns the verb for n of something: is for 1, otherwise are.
func Is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Thousands writes n with commas: 12,345.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Duration writes a duration with few digits, for people.
func Duration(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return strings.TrimSuffix(d.Round(time.Second).String(), "m0s") + map[bool]string{true: "m"}[d.Round(time.Second)%time.Minute == 0]
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// Clean returns s without characters that would disturb a line of text: control
// characters, line ends, and characters that change the direction of the following
// text.
func Clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t' || c == '\n' || c == '\r':
			return ' '
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return -1
		}
		return c
	}, s)
}

// Lines is Clean for a text of several lines.
func Lines(s string) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	for i, line := range all {
		all[i] = strings.TrimRight(Clean(strings.ReplaceAll(line, "\t", "    ")), " ")
	}
	return strings.Join(all, "\n")
}

// FirstLine returns the first line of s.
func FirstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return Clean(s)
}

// Elide shortens s to most characters, and leaves out its middle.
func Elide(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	head := (most - 1) / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(most-1-head):])
}
