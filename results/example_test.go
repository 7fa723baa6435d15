package results_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lockbench/lockbench/results"
)

func ExampleCell() {
	cell := results.Cell{
		Lock:    "ticket",
		Workers: 2,
		Think:   100 * time.Nanosecond,
		CPUs:    2,
	}
	fmt.Println(cell)
	// Output:
	// Lock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns/work=registers-2
}

func ExampleParseCell() {
	cell, err := results.ParseCell("BenchmarkSweep/lock=sync.RWMutex/reads=90/workers=8/hold=0s/think=1µs-4")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cell.Lock, cell.Reads, cell.Workers, cell.CPUs)

	_, err = results.ParseCell("BenchmarkSweep/lock=sync.RWMutex/writes=10-4")
	fmt.Println(err)
	// Output:
	// sync.RWMutex 90 8 4
	// benchmark "BenchmarkSweep/lock=sync.RWMutex/writes=10-4": unknown key "writes" (known: lock, reads, workers, readers, writers, hold, think, workload, work, mode, load, gc, place)
}

func ExampleRead() {
	const output = `
goos: linux
cpu: AMD EPYC
BenchmarkSweep/lock=ticket/reads=0/workers=2/hold=0s/think=0s-2   	  240112	        10.20 ns/op
BenchmarkSweep/lock=mcs/reads=0/workers=2/hold=0s/think=0s-2      	  301876	       fast ns/op
BenchmarkSweep/lock=ttas/reads=0/workers=2/hold=0s/think=0s-2     	  199120	        12.30 ns/op
PASS
`
	for sample, err := range results.Read(strings.NewReader(output), "bench.txt") {
		if err != nil {
			fmt.Println(err)
			continue
		}
		ns, _ := sample.Value("ns/op")
		fmt.Println(sample.Lock, ns)
	}
	// Output:
	// ticket 10.2
	// bench.txt:5: parsing measurement: invalid syntax: want "BenchmarkName operations value unit ...", have "BenchmarkSweep/lock=mcs/reads=0/workers=2/hold=0s/think=0s-2      \t  301876\t       fast ns/op"
	// ttas 12.3
}

// A run that was killed continues where it was.
func ExampleResume() {
	dir, err := os.MkdirTemp("", "results")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "out.txt")
	facts := results.Facts{GOOS: "linux", GOARCH: "amd64", Machine: "host"}
	sample := results.Sample{
		Cell:     results.Cell{Lock: "ticket", Workers: 2, CPUs: 2},
		Round:    1,
		Distance: results.Near,
		Ops:      49176,
		Values:   []results.Value{{Unit: "ns/op", Value: 61}},
	}

	w, err := results.Create(name, facts)
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Write(sample); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	// What a kill, or a full disk, may leave behind:
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(f, "BenchmarkLock/lock=tick")
	f.Close()

	w, held, err := results.Resume(name, facts)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	fmt.Println("samples:", held.Done()[sample.Cell])
	fmt.Println("dropped:", held.Torn)
	// Output:
	// samples: 1
	// dropped: BenchmarkLock/lock=tick
}

func ExampleSummarize() {
	file, err := results.ReadFile("testdata/sweep.txt")
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range results.Summarize(file.Samples) {
		if s.Lock == "ticket" && s.Unit == "ns/op" && !s.Oversubscribed {
			fmt.Printf("%-5s n=%d median %.1f [%.1f, %.1f] %v\n", s.Distance, s.N, s.Median, s.Lo, s.Hi, s.Warnings)
		}
	}
	// Output:
	// local n=6 median 120.4 [110.3, 122.6] []
	// near  n=4 median 64.8 [-Inf, +Inf] [need >= 6 samples for confidence interval at level 0.95, have 4]
	// far   n=2 median 371.6 [-Inf, +Inf] [need >= 6 samples for confidence interval at level 0.95, have 2]
}

// The median of the ticket lock is known to 10 %, because the machine drifted;
// its ratio to sync.Mutex, round by round, to 2 %.
func ExampleRatios() {
	file, err := results.ReadFile("testdata/sweep.txt")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results.Ratios(file.Samples, "sync.Mutex", "ns/op") {
		if r.Lock == "ticket" && r.Distance == results.Local {
			fmt.Printf("%.3f of %s [%.3f, %.3f]\n", r.Median, r.Reference, r.Lo, r.Hi)
		}
	}
	// Output:
	// 0.977 of sync.Mutex [0.961, 0.990]
}

func ExampleTable() {
	file, err := results.ReadFile("testdata/sweep.txt")
	if err != nil {
		log.Fatal(err)
	}
	alone := file.Samples[:0]
	for _, s := range file.Samples {
		if s.CPUs == 1 {
			alone = append(alone, s)
		}
	}
	table := results.Table{Unranked: []string{"none"}}
	if err := table.Write(os.Stdout, alone); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ns/op, less is better
	//
	// hold 0s, think 100ns, 0% reads
	//                           1 CPU
	//                        1 worker
	// none             115  ±9% 0.93
	// backoff          118* ±8% 0.96
	// qspinlock        120*±10% 0.97
	// ticket           120  ±8% 0.98
	// mcs              123 ±10% 0.99
	// sync.Mutex       124 ±10%
	// sync.RWMutex     137  ±9% 1.11
	// xsync.Semaphore  151 ±10% 1.23
	//
	// * best, or not told apart from it by the rounds
	// ± 95% interval of the median
	// last number: ratio to sync.Mutex, by pairs of one round
}
