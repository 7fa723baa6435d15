//go:build virtual

package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var seed = flag.String("seed", "", "with -short, what chooses the twins that are tried, such as a commit")

// TestTwins checks that each twin is caught, with the right kind of failure, by the test
// that the table names. With -short it takes one in six, which the seed chooses.
func TestTwins(t *testing.T) {
	tried := func(v *verdict) bool { return sha256.Sum256([]byte(*seed + v.String()))[0]%6 == 0 }
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	listed := rows(readTables(t))
	look := func(dir string) { // so that go test does not use an older result from its cache
		if _, err := os.ReadDir(filepath.Join(root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"primitives", "check/property", "internal/locktest"} {
		look(dir)
	}
	for _, p := range packages {
		look(p.name)
		for _, twin := range p.twins {
			v := &verdict{pkg: p.name, twin: twin}
			if testing.Short() && !tried(v) {
				continue
			}
			t.Run(v.String(), func(t *testing.T) {
				t.Parallel()
				row := listed[v.String()]
				if says := v.differs(row); says != "" {
					t.Fatalf("%s %s: go run ./tools/twins", v, says)
				}
				if v.try(t.Context(), alone(row[3])); v.err != nil {
					t.Fatalf("%s: %v: go run ./tools/twins says which does, if any", row[3], v.err)
				}
				if says := v.differs(row); says != "" {
					t.Errorf("%s %s: go run ./tools/twins", v, says)
				}
				t.Logf("%s on schedule %d, by %s", v.kind, v.schedules, v.test)
			})
		}
	}
}

// alone matches the one test that the table's cell by names.
func alone(by string) string {
	levels := strings.Split("TestModel"+strings.Trim(by, "`"), "/")
	for i, level := range levels {
		levels[i] = "^" + regexp.QuoteMeta(level) + "$"
	}
	return strings.Join(levels, "/")
}

// Each twin fits the present source. This is quicker than to build it.
func TestTwinsFit(t *testing.T) {
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		for _, twin := range p.twins {
			if _, err := twin.source(filepath.Join(root, p.name, twin.file)); err != nil {
				t.Errorf("%s: %v", twin.fault, err)
			}
		}
	}
}

// Only tests of the checker have names that a twin's run matches.
func TestModelNames(t *testing.T) {
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		files, err := filepath.Glob(filepath.Join(root, p.name, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(src, []byte("\nfunc TestModel")) && !strings.HasSuffix(file, "virtual_test.go") {
				t.Errorf("%s has a TestModel…, which is for what the checker runs", file)
			}
		}
	}
}

// A twin without a fault must survive; otherwise TestTwins shows nothing.
func TestSoundTwin(t *testing.T) {
	t.Parallel()
	same := twin{file: "ttas.go", fault: "none", old: "for l.word.Load() != 0 {", new: "for l.word.Load() == 1 {"}
	v := &verdict{pkg: "spinlock", twin: same}
	if v.try(t.Context(), every); v.err == nil || v.err.Error() != "no model test notices it" {
		t.Errorf("a twin without a fault: %v, want that no model test notices it", v.err)
	}
	same.old = "no such line"
	if _, err := build(t.Context(), t.TempDir(), "spinlock", same); err == nil {
		t.Error("a twin whose old text is not there was built")
	}
}

// readTables returns the tables of all packages, one after the other.
func readTables(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		text, err := os.ReadFile(filepath.Join(root, tableFile(p.name)))
		if err != nil {
			t.Fatalf("%v: go run ./tools/twins -package %s", err, p.name)
		}
		all.Write(text)
	}
	return all.String()
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A row that differs from the result is noticed.
func TestDiffers(t *testing.T) {
	v := &verdict{twin: twin{kind: "data race"}, test: "TestModelLock/FIFO"}
	row := []string{"`p`", "f", "data race", "`Lock/FIFO`", "7", "yes, after 1.0 s"}
	if says := v.differs(row); says != "" {
		t.Errorf("a row that is right %s", says)
	}
	for i, wrong := range map[int]string{2: "deadlock", 3: "`Lock`", 5: ""} {
		changed := slices.Clone(row)
		changed[i] = wrong
		if v.differs(changed) == "" {
			t.Errorf("%q as cell %d is not noticed", wrong, i)
		}
	}
}

// The table lists every twin, and no others.
func TestTable(t *testing.T) {
	listed := rows(readTables(t))
	for _, p := range packages {
		for _, twin := range p.twins {
			v := &verdict{pkg: p.name, twin: twin}
			if says := v.differs(listed[v.String()]); says != "" {
				t.Errorf("%s %s: go run ./tools/twins", v, says)
			}
			delete(listed, v.String())
		}
	}
	for name := range listed {
		t.Errorf("%s lists %s, which is no twin: go run ./tools/twins", tables, name)
	}
}

// The page shows some rows of the table, and counts what stress tests made of all.
func TestPage(t *testing.T) {
	table, text := readTables(t), readFile(t, page)
	_, rest, begins := strings.Cut(text, beginning)
	shown, _, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no lines %q and %q", page, beginning, end)
	}
	few, found := strings.CutPrefix(shown, tableHead)
	if n := strings.Count(few, "\n"); !found || n < 8 || n > 12 {
		t.Errorf("%s shows %d twins, below its head: %t; want about ten", page, n, found)
	}
	for row := range strings.Lines(few) {
		if !strings.Contains(table, "\n"+row) {
			t.Errorf("%s shows %sThat is no row in %s: go run ./tools/twins", page, row, tables)
		}
	}
	count := map[string]int{}
	for _, row := range rows(table) {
		said, _, _ := strings.Cut(row[5], ",")
		count[said]++
	}
	says := fmt.Sprintf("Of %d twins that were tried like that, %d fail, %d hang and %d pass unseen", count["yes"]+count["hangs"]+count["no"], count["yes"], count["hangs"], count["no"])
	if !strings.Contains(strings.Join(strings.Fields(text), " "), says) {
		t.Errorf("%s does not say: %s", page, says)
	}
	says = fmt.Sprintf("%d of our %d broken locks that were stressed passed unseen", count["no"], count["yes"]+count["hangs"]+count["no"])
	if !strings.Contains(strings.Join(strings.Fields(readFile(t, "README.md")), " "), says) {
		t.Errorf("README.md does not say what the tables do: %s", says)
	}
}

// differs says in which cell a row of the table differs from v, or "".
func (v *verdict) differs(row []string) string {
	switch {
	case row == nil:
		return "is not in the table"
	case row[2] != string(v.kind):
		return fmt.Sprintf("is caught as %s, and by the table as %s", v.kind, row[2])
	case v.test != "" && row[3] != v.by():
		return fmt.Sprintf("is caught by %s, and by the table by %s", v.by(), row[3])
	case !stressSays.MatchString(row[5]):
		return fmt.Sprintf("has %q for stress in the table, want yes, no, hangs, or %s where none was tried", row[5], notTried)
	}
	return ""
}

var stressSays = regexp.MustCompile(`^(yes, after \d+\.\d s|no|hangs|-)$`)
