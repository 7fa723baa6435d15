// Package script runs the commands in the package comment of a command.
package script

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// PackageComment runs the commands in the comment in doc.go, of which there must be at
// least least: each line after "$" and the program's name is a command, and the lines
// below it are its output, to stdout or stderr. Three dots match any text, and a line
// of them any lines. run is the program.
func PackageComment(t *testing.T, program string, least int, run func(args []string, stdout, stderr io.Writer) int) {
	comment := packageComment(t)
	t.Chdir(t.TempDir())
	commands := 0
	// The output of a command may have blank lines: only text ends it.
	for block := range strings.SplitSeq(strings.ReplaceAll(comment, "\n\n\t", "\n\t\n\t"), "\n\n") {
		for step := range strings.SplitSeq("\n"+block, "\n\t$ ") {
			command, want, _ := strings.Cut(step, "\n")
			args := strings.Fields(command)
			if len(args) == 0 || args[0] != program {
				continue
			}
			commands++
			var out bytes.Buffer
			if code := run(args[1:], &out, &out); code != 0 {
				fmt.Fprintf(&out, "exit status %d\n", code)
			}
			want = strings.TrimRight(strings.ReplaceAll("\n"+want, "\n\t", "\n"), "\n") + "\n"
			if !pattern(want).MatchString("\n" + out.String()) {
				t.Errorf("$ %s\ngot:%s\nwant:%s", command, indent(out.String()), want)
			}
		}
	}
	if commands < least {
		t.Errorf("ran %d commands of the package comment, want all", commands)
	}
}

func packageComment(t *testing.T) string {
	path, err := filepath.Abs("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return file.Doc.Text()
}

// pattern returns an expression that matches text with its dots.
func pattern(text string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(text)
	quoted = strings.ReplaceAll(quoted, "\n"+regexp.QuoteMeta("...")+"\n", "\n(?:.*\n)*")
	return regexp.MustCompile("^" + strings.ReplaceAll(quoted, regexp.QuoteMeta("..."), ".*") + "$")
}

func indent(s string) string { return "\n\t" + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n\t") }

// Words splits a command line as a shell does. Only single quotes are supported.
func Words(line string) (words []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}
