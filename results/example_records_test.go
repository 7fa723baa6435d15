package results_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/results"
)

// What any go test -bench printed can be read, too, with what it declares about units.
func ExampleRecordFile() {
	const output = `pkg: example.org/sum
Unit score better=higher
BenchmarkSum/n=10-2	5000000	61 ns/op	7 score
BenchmarkSum/n=10-2	5000000	63 ns/op	6 score
PASS
`
	file, err := results.ReadRecords(strings.NewReader(output), "bench.txt")
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range file.Records {
		ns, _ := r.Value("ns/op")
		fmt.Println(r.Pkg, r.Name, ns)
	}
	fmt.Println(file.Declared.Better("score"), file.Declared.Better("ns/op"))
	// Output:
	// example.org/sum Sum/n=10-2 61
	// example.org/sum Sum/n=10-2 63
	// 1 -1
}

// A caller can go on after an error in a line.
func ExampleSyntaxError() {
	file, err := results.ReadAll(strings.NewReader("BenchmarkSweep/lock=ticket/reads=0/workers=1/hold=0s/think=0s 10 fast ns/op\n"), "bench.txt")
	if bad, ok := errors.AsType[*results.SyntaxError](err); ok {
		fmt.Println(bad.File, bad.Line, len(file.Samples))
	}
	// Output: bench.txt 1 0
}

// Which way a unit is better is known for all that is measured.
func ExampleUnit() {
	for _, u := range results.Units() {
		if u.Better > 0 && u.Name != "ops/s" && !strings.HasSuffix(u.Name, "-ops/s") {
			fmt.Printf("%s: %s\n", u.Name, u.Means)
		}
	}
	// Output:
	// jain: Jain's fairness index over the workers: 1 if all did the same, 1/n if one did all
	// share-min-max: operations of the worker that did the fewest over those of the one that did the most
	// overlap: share of time slices in which every worker finished an operation
}

// A file begins with facts about the machine and the run. benchstat reads it.
func ExampleWriter() {
	facts := results.Facts{GOOS: "linux", GOARCH: "amd64", Machine: "host"}
	facts.Notes = []results.Note{{Key: "kernel", Text: "6.12"}}
	var text strings.Builder
	w, err := results.NewWriter(&text, facts)
	if err != nil {
		log.Fatal(err)
	}
	err = w.Write(results.Sample{
		Cell:     results.Cell{Lock: "ticket", Workers: 2, CPUs: 2},
		Round:    1,
		Distance: results.Near,
		Ops:      49176,
		Values:   []results.Value{{Unit: "ns/op", Value: 61}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "Unit ") { // which way each unit is better
			fmt.Print(line)
		}
	}
	// Output:
	// goos: linux
	// goarch: amd64
	// machine: host
	// # kernel: 6.12
	// # round: 1
	// distance: near
	// oversubscribed:
	// BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=0s/work=registers-2	49176	61 ns/op
}

// A Writer does not write to a file that is not as it left it.
func ExampleLostError() {
	dir, err := os.MkdirTemp("", "results")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "out.txt")
	w, err := results.Create(name, results.Facts{Machine: "host"})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()

	os.Remove(name) // as another program may

	err = w.Write(results.Sample{Cell: results.Cell{Lock: "ticket", Workers: 1, CPUs: 1}, Ops: 1, Values: []results.Value{{Unit: "ns/op", Value: 9}}})
	if lost, ok := errors.AsType[*results.LostError](err); ok {
		fmt.Println(filepath.Base(lost.File), lost.Why)
	}
	// Output: out.txt removed or renamed
}

// What a unit's name says of it: where its values come from, and what is better.
func ExampleKindOf() {
	for _, unit := range []string{"p99-ns", "B/s", "allocs/op", results.Instructions, "jain", "score"} {
		kind := results.KindOf(unit)
		fmt.Printf("%-15s %-7q counted exactly: %t\n", unit, kind, results.Counted(unit))
	}
	// Output:
	// p99-ns          "time"  counted exactly: false
	// B/s             "time"  counted exactly: false
	// allocs/op       "memory" counted exactly: true
	// instructions/op "events" counted exactly: false
	// jain            "index" counted exactly: false
	// score           ""      counted exactly: false
}
