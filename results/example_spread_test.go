package results_test

import (
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/lockbench/lockbench/results"
)

// How long operations waited is added up over all samples.
func ExampleDistribution() {
	ticket := results.Cell{Lock: "ticket", Workers: 2, CPUs: 2}
	waits := func(counts ...results.Count) results.Sample {
		return results.Sample{Cell: ticket, Waits: []results.Wait{{Role: "write", Counts: counts}}}
	}
	samples := []results.Sample{
		waits(results.Count{NS: 24, N: 90}, results.Count{NS: 400, N: 10}),
		waits(results.Count{NS: 24, N: 95}, results.Count{NS: 800, N: 5}),
	}
	for _, d := range results.Distributions(samples) {
		fmt.Println(d.Lock, d.Operations(), d.Quantile(0.5), d.Quantile(0.95), d.Quantile(0.99))
	}
	// Output: ticket 200 24 400 800
}

// Two processes of one binary differ by more than the samples of either, so more samples
// of one process would say little more.
func ExampleSpread() {
	var samples []results.Sample
	for fork, ns := range [][]float64{{100, 101, 102}, {120, 121, 122}} {
		for _, v := range ns {
			samples = append(samples, results.Sample{
				Cell:   results.Cell{Lock: "ticket", Workers: 2, CPUs: 2},
				Fork:   fork + 1,
				Values: []results.Value{{Unit: "ns/op", Value: v}},
			})
		}
	}
	for _, s := range results.Spreads(samples, "ns/op") {
		fmt.Println(s.Lock, s.Forks, s.N, s.Between > s.Within)
	}
	// Output: ticket 2 6 true
}

// The part of a table that fits on a screen.
func ExampleDigest() {
	file, err := results.ReadFile("testdata/sweep.txt")
	if err != nil {
		log.Fatal(err)
	}
	alone := slices.DeleteFunc(file.Samples, func(s results.Sample) bool { return s.CPUs > 1 })
	if err := (results.Digest{Width: 100}).Write(os.Stdout, alone); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 1 CPU, 1 worker, hold 0s, think 100ns
	//  READS  FASTEST                      IN SYNC                  LIMIT  NOT TOLD APART FROM THE FASTEST
	//     0%  backoff 118 ±8%              Mutex 124 ×1.04            115  qspinlock
	//
	// ns/op, less is better; ± 95% interval of the median; × times the fastest, round by round; LIMIT is
	// none: no lock at all
}
