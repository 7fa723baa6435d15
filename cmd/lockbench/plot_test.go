package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// What was measured and what was simulated is in the same figures, in whatever order the
// files come; two hosts are not.
func TestPlotMachines(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, f := range map[string]struct {
		machine string
		cpus    []int
	}{
		"host.txt": {"host", []int{1, 2}}, "sim.txt": {"sim:milan-2s", []int{1, 2, 8}}, "more.txt": {"sim:milan-2s", []int{64}}, "other.txt": {"sim:graviton2", []int{1, 2}},
	} {
		text := "machine: " + f.machine + "\n"
		for _, n := range f.cpus {
			text += fmt.Sprintf("BenchmarkLock/lock=ticket/reads=0/workers=%d/hold=0s/think=100ns-%d\t1000\t%d ns/op\n", n, n, 10*n)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ files, want, not string }{
		{"sim.txt host.txt more.txt", ">ticket< >ticket (milan-2s)< >64<", "graviton2"},
		{"sim.txt other.txt", ">ticket< >ticket (graviton2)<", "(milan-2s)"},
		{"sim.txt more.txt", ">ticket< >64<", "ticket ("},
	} {
		var out, errs bytes.Buffer
		if code := run(append(strings.Fields("plot --format svg --plots out"), strings.Fields(test.files)...), &out, &errs); code != exitOK {
			t.Fatalf("plot %s: exit status %d: %s", test.files, code, &errs)
		}
		svg, err := os.ReadFile("out/throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns.svg")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range strings.SplitAfter(test.want, "< ") {
			if !bytes.Contains(svg, []byte(strings.TrimSpace(want))) {
				t.Errorf("plot %s: no %s in the figure", test.files, want)
			}
		}
		if bytes.Contains(svg, []byte(test.not)) {
			t.Errorf("plot %s: want no %q in the figure", test.files, test.not)
		}
		table, err := os.ReadFile("out/table.txt")
		if other := strings.Contains(test.want, "ticket ("); err != nil || strings.Contains(string(table), "\nsim:") != other {
			t.Errorf("plot %s: %v, table of another machine wanted %t:\n%s", test.files, err, other, table)
		}
	}
}
