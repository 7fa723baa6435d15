package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
)

// A benchmark is found by its function, with any sub-benchmark and number of CPUs.
func TestSourceLines(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "mod")
	for name, text := range map[string]string{
		"mod/go.mod":      "module example.org/m\n\ngo 1.24\n",
		"mod/m.go":        "package m\n",
		"mod/a_test.go":   "package m\n\nimport \"testing\"\n\nfunc BenchmarkSum(b *testing.B) {}\n\nfunc (x) BenchmarkMethod() {}\n\ntype x int\n",
		"mod/b_test.go":   "package m_test\n\nimport \"testing\"\n\nfunc BenchmarkSum2(b *testing.B) {}\n",
		"mod/c_test.go":   "package m\n\nfunc BenchmarkBroken(\n",
		"mod/p/p.go":      "package p\n",
		"mod/p/p_test.go": "package p\n\nimport \"testing\"\n\n// Slow.\nfunc BenchmarkSum(b *testing.B) {}\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const m, p, gone = "example.org/m", "example.org/m/p", "example.org/m/gone"
	want := map[gate.Benchmark]report.Line{
		{Pkg: m, Name: "Sum"}:        {File: "mod/a_test.go", Line: 5},
		{Pkg: m, Name: "Sum-2"}:      {File: "mod/a_test.go", Line: 5},
		{Pkg: m, Name: "Sum/n=10-2"}: {File: "mod/a_test.go", Line: 5},
		{Pkg: m, Name: "Sum2-4"}:     {File: "mod/b_test.go", Line: 5},
		{Pkg: p, Name: "Sum-2"}:      {File: "mod/p/p_test.go", Line: 6},
		{Pkg: m, Name: "Method"}:     {},
		{Pkg: m, Name: "Broken"}:     {},
		{Pkg: gone, Name: "Sum"}:     {},
		{Name: "Sum"}:                {}, // of an unknown package
	}
	var all []gate.Benchmark
	for b := range want {
		all = append(all, b)
	}
	got := sourceLines(t.Context(), dir, root, all)
	for b, at := range want {
		if got[b] != at {
			t.Errorf("%v: got %v, want %v", b, got[b], at)
		}
	}
	if got := sourceLines(t.Context(), dir, filepath.Join(root, "elsewhere"), all); len(got) != 0 {
		t.Errorf("below another root: got %v, want none", got)
	}
}
