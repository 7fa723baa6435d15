package results_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// benchstat runs the tool that go.mod names over files, and returns what it
// prints. It fails the test if the tool complains.
func benchstat(t *testing.T, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs benchstat")
	}
	if out, err := exec.Command("go", "tool", "-n", "benchstat").CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED AGAINST benchstat, which cannot be built here: %v\n%s", err, out)
	}
	var stdout, stderr strings.Builder
	cmd := exec.Command("go", append([]string{"tool", "benchstat"}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("benchstat %q: %v\n%s", args, err, stderr.String())
	}
	return stdout.String()
}

// file writes samples to a new file with the given date.
func file(t *testing.T, name, date string, samples []results.Sample) string {
	t.Helper()
	f := facts
	f.Notes = []results.Note{{Key: "date", Text: date}, {Key: "go", Text: "go1." + date[:4]}}
	path := filepath.Join(t.TempDir(), name)
	w, err := results.Create(path, f)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// Near and far, and each kind of unit, have separate tables.
func TestBenchstatReadsAFile(t *testing.T) {
	samples := sweep(18, []int{0})
	for i := range samples {
		samples[i].Values = append(samples[i].Values,
			results.Value{Unit: "read-p99-ns", Value: 210},
			results.Value{Unit: "cpu-ns/op", Value: 118},
			results.Value{Unit: "allocs/op", Value: 0},
		)
	}
	out := benchstat(t, file(t, "a.txt", "2026", samples))
	for _, want := range []string{
		"goos: linux", "cpu: AMD EPYC", "machine: host",
		"distance: local", "distance: near", "distance: far", "oversubscribed: true",
		"sec/op", "ops/s", "jain", "read-p99-sec", "cpu-sec/op", "allocs/op",
		"Lock/lock=sync.Mutex/reads=0/workers=2/hold=0s/think=100ns/work=registers-2",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("benchstat does not print %q:\n%s", want, out)
		}
	}
	for _, row := range []string{"date", "need >= 6"} { // a comment taken for a key; a table with too few samples
		if strings.Contains(out, row) {
			t.Errorf("benchstat prints %q:\n%s", row, out)
		}
	}
	// Two locks side by side, near only, from the keys in the names.
	out = benchstat(t, "-filter", "distance:near /workers:2 .unit:ns/op", "-row", "/reads", "-col", "/lock", file(t, "a.txt", "2026", samples))
	if !strings.Contains(out, "ticket") || strings.Contains(out, "far") {
		t.Errorf("benchstat -col /lock prints\n%s", out)
	}
}

// Two files of two days are compared, cell by cell and near with near.
func TestBenchstatComparesFiles(t *testing.T) {
	before := sweep(18, []int{0})
	after := sweep(18, []int{0})
	for i := range after {
		if after[i].Lock == "ticket" && after[i].Distance == results.Far {
			for j, v := range after[i].Values {
				if v.Unit == "ns/op" {
					after[i].Values[j].Value = 2 * v.Value
				}
			}
		}
	}
	a, b := file(t, "a.txt", "2026", before), file(t, "b.txt", "2027", after)
	out := benchstat(t, "-filter", ".unit:ns/op", a, b)
	if got, want := strings.Count(out, "vs base"), 5; got != want {
		t.Errorf("%d tables compare the files, want %d: local, near and far, the latter two also oversubscribed:\n%s", got, want, out)
	}
	for line := range strings.Lines(out) {
		ticket := strings.HasPrefix(line, "Lock/lock=ticket/")
		slower := strings.Contains(line, "+100.00%")
		far := distanceOf(out, line) == "far"
		if slower != (ticket && far) && !strings.HasPrefix(line, "geomean") {
			t.Errorf("in the %s table, want only the ticket lock, far, to be slower: %s", distanceOf(out, line), line)
		}
	}
}

// distanceOf returns the distance of the table that line is in.
func distanceOf(out, line string) string {
	above := out[:strings.Index(out, line)]
	_, value, _ := strings.Cut(above[max(0, strings.LastIndex(above, "distance: ")):], "distance: ")
	value, _, _ = strings.Cut(value, "\n")
	return value
}

// The tests above can fail: a date in a key splits the files.
func TestBenchstatSplitsOnKeys(t *testing.T) {
	a := file(t, "a.txt", "2026", sweep(6, []int{0}))
	b := file(t, "b.txt", "2027", sweep(6, []int{0}))
	for _, path := range []string{a, b} {
		text := strings.Replace(contents(t, path), "# date", "date", 1)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if out := benchstat(t, a, b); strings.Contains(out, "vs base") {
		t.Errorf("benchstat compares files that differ in a key:\n%s", out)
	}
}
