package history_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/lockbench/lockbench/gate/history"
)

// A directory has the output of go test -bench, a file for each run. From the eleventh
// on the benchmark is slower.
func Example() {
	dir, err := os.MkdirTemp("", "history")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for run := range 20 {
		ns := 100 + float64(run%3)
		if run >= 10 {
			ns *= 1.2
		}
		text := fmt.Sprintf("# date: 2026-10-%02d\npkg: example.org/p\nBenchmarkSum 1000 %.1f ns/op\n", 1+run, ns)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.txt", run)), []byte(text), 0o666); err != nil {
			fmt.Println(err)
			return
		}
	}

	h, err := history.Read(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	h.Find(0.05)
	for _, f := range h.Found() {
		fmt.Printf("%v %s since %v: %+.0f%%\n", f.Benchmark, f.Unit, h.Runs[f.Run], 100*f.Change)
	}
	// Output:
	// example.org/p.Sum ns/op since 2026-10-11: +20%
}
