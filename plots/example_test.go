package plots_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// Draw all figures of a results file, here one of go test.
func ExampleWrite() {
	const file = `
goos: linux
goarch: amd64
BenchmarkSweep/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1   1000  110 ns/op
BenchmarkSweep/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2   1000   61 ns/op
BenchmarkSweep/lock=mcs/reads=0/workers=1/hold=0s/think=100ns-1      1000  114 ns/op
BenchmarkSweep/lock=mcs/reads=0/workers=2/hold=0s/think=100ns-2      1000   64 ns/op
`
	var samples []results.Sample
	for s, err := range results.Read(strings.NewReader(file), "example") {
		if err != nil {
			log.Fatal(err)
		}
		samples = append(samples, s)
	}
	dir, err := os.MkdirTemp("", "figures")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	files, skipped, err := plots.Write(dir, results.Summarize(samples), plots.Options{Formats: []string{"svg"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("wrote", filepath.Base(files[0].Path))
	fmt.Println("no", skipped[0])
	// Output:
	// wrote throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns.svg
	// no throughput over reads: only one percentage of reads: run with --reads 0,50,90,99,100
}

// Take a figure apart, and give it a title of your own.
func ExampleThroughput() {
	sums := results.Summarize([]results.Sample{
		{Cell: results.Cell{Lock: "ticket", Workers: 2, CPUs: 2}, Values: []results.Value{{Unit: "ns/op", Value: 61}}},
		{Cell: results.Cell{Lock: "mcs", Workers: 2, CPUs: 2}, Values: []results.Value{{Unit: "ns/op", Value: 64}}},
	})
	figures, _ := plots.Throughput(sums, plots.Options{})
	f := figures[0]
	fmt.Println(strings.ReplaceAll(f.Title, "\u00a0", " "))

	f.Title = "Two queues, one line"
	svg, err := f.Encode("svg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(string(svg), ">Two queues, one line</text>"))
	// Output:
	// Throughput at 2 CPUs: too few samples to tell which lock is fastest
	// true
}
