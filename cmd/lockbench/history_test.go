package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// writeRuns writes runs into results/history, of which the last eight are slower
// by 10 %.
func writeRuns(t *testing.T, runs int) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("results/history", 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range runs {
		ns := 1000 + (i*i*7)%10
		if i >= runs-8 {
			ns += 100
		}
		text := fmt.Sprintf("# date: 2026-10-%02d\npkg: example.org/p\nBenchmarkSum-2\t1000\t%d ns/op\t1 allocs/op\nPASS\n", i+1, ns)
		if err := os.WriteFile(fmt.Sprintf("results/history/%02d.txt", i), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHistory(t *testing.T) {
	writeRuns(t, 30)
	if err := os.MkdirAll("bad", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("bad/1.txt", []byte("BenchmarkA 1 fast ns/op\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("odd/1.txt", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command   string
		code      int
		out, errs string // parts of the output
	}{
		{"history", exitOK, "Sum-2      ns/op  2026-10-23", ""},
		{"history --unit allocs/op", exitOK, "no change point in 1 trend", ""},
		{"history --bench p.Sum --format markdown results/history", exitOK, "| `Sum-2` | ns/op | 2026-10-23 |", ""},
		{"history --plots pictures", exitOK, "+10", "2 pictures in pictures"},
		{"history --fail", exitFailed, "regressed", "lockbench: regressed: example.org/p.Sum-2 ns/op within the last 10 runs"},
		{"history --fail --last 7", exitOK, "regressed", ""},
		{"history bad", exitUsage, "", "bad/1.txt:1: "},
		{"history odd", exitUsage, "", "odd/1.txt:1: "}, // a directory
		{"history none", exitUsage, "", "none: no such file or directory (lockbench gate --history writes such files)"},
		{"history --bench None", exitUsage, "", "'None' matches no benchmark"},
		{"history --fdr 0 --last 0 --format x --bench (", exitUsage, "", "--bench"},
	} {
		var out, errs strings.Builder
		code := run(strings.Fields(test.command), &out, &errs)
		if code != test.code || !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.errs) || test.errs == "" && errs.Len() > 0 {
			t.Errorf("$ lockbench %s\n%s%sexit status %d, want %d with %q and %q", test.command, &out, &errs, code, test.code, test.out, test.errs)
		}
	}
	var out, errs strings.Builder
	if run([]string{"history", "--format", "json"}, &out, &errs) != exitOK || !json.Valid([]byte(out.String())) {
		t.Errorf("got %s%s", &out, &errs)
	}
}
