package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	tables    = "tools/twins/testdata" // has a table of the twins of each package
	page      = "docs/verification.md" // has some of them
	beginning = "<!-- twins: go run ./tools/twins writes these rows -->\n"
	end       = "<!-- end of twins -->\n"
)

// tableFile is where the table of a package is.
func tableFile(pkg string) string { return tables + "/" + strings.ReplaceAll(pkg, "/", "-") + ".md" }

// tableHead is what a table of verdicts begins with.
const tableHead = "| package | fault | caught as | by | on schedule | stress under `-race` |\n|---|---|---|---|--:|---|\n"

// table returns the verdicts as a table.
func table(verdicts []*verdict) string {
	var b strings.Builder
	b.WriteString(tableHead)
	for _, v := range verdicts {
		b.WriteString(v.row())
	}
	return b.String()
}

// row is the line of the table.
func (v *verdict) row() string {
	return fmt.Sprintf("| `%s` | %s | %s | %s | %d | %s |\n", v.pkg, v.fault, v.kind, v.by(), v.schedules, cmp.Or(v.stress, notTried))
}

// notTried is the table's cell for a twin that the stress tests have not tried.
const notTried = "-"

// by is the table's cell for the test that caught v.
func (v *verdict) by() string { return "`" + strings.TrimPrefix(v.test, "TestModel") + "`" }

// rewrite writes the tables of the packages that the verdicts are of, and on the page
// the rows that it has of them. It keeps the stress results that the verdicts lack.
func rewrite(verdicts []*verdict) error {
	root, err := root()
	if err != nil {
		return err
	}
	of := make(map[string][]*verdict)
	now := make(map[string]string) // rows
	for _, v := range verdicts {
		of[v.pkg] = append(of[v.pkg], v)
	}
	for pkg, verdicts := range of {
		name := filepath.Join(root, tableFile(pkg))
		old, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		known := rows(string(old))
		for _, v := range verdicts {
			if row := known[v.String()]; v.stress == "" && row != nil {
				v.stress = row[5]
			}
			now[v.String()] = v.row()
		}
		if err := os.WriteFile(name, []byte(table(verdicts)), 0o666); err != nil {
			return err
		}
	}
	return splice(page, beginning, end, func(old string) string {
		var b strings.Builder
		for line := range strings.Lines(old) {
			for name := range rows(line) {
				line = cmp.Or(now[name], line)
			}
			b.WriteString(line)
		}
		return b.String()
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
	for line := range strings.Lines(strings.ReplaceAll(table, tableHead, "")) {
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
