package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/lockbench/lockbench/plots/report"
)

// A report is written into a directory that is made if it is not there, and replaces one.
func TestReportInNewDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "BenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=0s-1\t1000\t10 ns/op\n"
	if err := os.WriteFile("r.txt", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var out, errs bytes.Buffer
		if code := run([]string{"report", "r.txt", "--out", "new/dir/r.html"}, &out, &errs); code != exitOK {
			t.Fatalf("exit status %d: %s", code, &errs)
		}
		page, err := os.ReadFile("new/dir/r.html")
		if err != nil || !bytes.Contains(page, []byte(report.Mark)) {
			t.Errorf("%d bytes, error %v: want a report", len(page), err)
		}
	}
}
