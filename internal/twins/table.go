package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	tableFile = "internal/twins/testdata/twins.md" // has all twins
	page      = "docs/verification.md"             // has some of them
	beginning = "<!-- twins: go run ./internal/twins writes these rows -->\n"
	end       = "<!-- end of twins -->\n"
)

// tableHead is what a table of verdicts begins with.
const tableHead = "| package | fault | caught as | by | on schedule | stress under `-race` |\n|---|---|---|---|--:|---|\n"

// table returns the verdicts as a table.
func table(verdicts []*verdict) string {
	var b strings.Builder
	b.WriteString(tableHead)
	for _, v := range verdicts {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %d | %s |\n", v.pkg, v.fault, v.kind, v.by(), v.schedules, cmp.Or(v.stress, notTried))
	}
	return b.String()
}

// notTried is the table's cell for a twin that the stress tests have not tried.
const notTried = "-"

// by is the table's cell for the test that caught v.
func (v *verdict) by() string { return "`" + strings.TrimPrefix(v.test, "TestModel") + "`" }

// rewrite writes the table to its file, and on the page the rows that it has. It keeps
// the stress results that the verdicts do not have.
func rewrite(verdicts []*verdict) error {
	root, err := root()
	if err != nil {
		return err
	}
	name := filepath.Join(root, tableFile)
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	known := rows(string(old))
	for _, v := range verdicts {
		if row := known[v.String()]; v.stress == "" && row != nil {
			v.stress = row[5]
		}
	}
	if err := os.WriteFile(name, []byte(table(verdicts)), 0o666); err != nil {
		return err
	}
	return splice(page, beginning, end, func(old string) string {
		shown := rows(old)
		return table(slices.DeleteFunc(slices.Clone(verdicts), func(v *verdict) bool { return shown[v.String()] == nil }))
	})
}

// splice replaces the text between two lines of a page.
func splice(page, beginning, end string, other func(old string) string) error {
	root, err := root()
	if err != nil {
		return err
	}
	name := filepath.Join(root, page)
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), beginning)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: want the lines %q and %q, one after the other", page, beginning, end)
	}
	return os.WriteFile(name, []byte(before+beginning+other(old)+end+after), 0o666)
}

// rows returns the cells of each row in a table, except those of its head, by the name
// of its verdict.
func rows(table string) map[string][]string {
	known := make(map[string][]string)
	for line := range strings.Lines(strings.Replace(table, tableHead, "", 1)) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		if len(cells) != 6 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		known[strings.Trim(cells[0], "`")+"/"+cells[1]] = cells
	}
	return known
}
