package advice_test

import (
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/lockbench/lockbench/advice"
	"github.com/lockbench/lockbench/results"
)

// file is what lockbench run might have measured: times at 0 and at 90 % reads.
func file() *results.File {
	var b strings.Builder
	b.WriteString("machine: host\ndistance: near\n")
	for round := 1; round <= 8; round++ {
		fmt.Fprintf(&b, "# round: %d\n", round)
		for _, m := range []struct {
			lock  string
			reads int
			ns    float64
		}{
			{"sync.Mutex", 0, 100}, {"sync.RWMutex", 0, 120}, {"ticket", 0, 60}, {"mine", 0, 70},
			{"sync.Mutex", 90, 100}, {"sync.RWMutex", 90, 40}, {"ticket", 90, 80}, {"mine", 90, 80},
		} {
			fmt.Fprintf(&b, "BenchmarkLock/lock=%s/reads=%d/workers=2/hold=0s/think=100ns-2 1000 %g ns/op 0.99 jain\n", m.lock, m.reads, m.ns+float64(round)/10)
		}
	}
	f, err := results.ReadAll(strings.NewReader(b.String()), "results.txt")
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// known is what the program knows about the locks.
var known = []advice.Lock{
	{Name: "sync.Mutex", Parks: true, Standard: true},
	{Name: "sync.RWMutex", Parks: true, Standard: true},
	{Name: "ticket", FIFO: true},
}

// Writers only: the ticket lock is the fastest, until most operations are reads.
func ExampleQuestion_Ask() {
	question := advice.Question{
		Cell:   results.Cell{CPUs: 2, Workers: 2, Think: 100 * time.Nanosecond},
		Margin: 0.05,
		Locks:  known,
	}
	answers, err := question.Ask(file().Samples)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range answers {
		fmt.Printf("%s: take %s, surely faster than package sync's: %t\n", a.Distance, a.Take, a.Surely)
		for _, e := range a.Ranked {
			fmt.Printf("  %-13s %.0f ns/op, ×%.2f, Jain %g\n", e.Lock, e.NS, e.Times, e.Jain)
		}
		for _, f := range a.Flips {
			fmt.Printf("  at %d%% reads: %s, ×%.2f\n", f.Cell.Reads, f.Lock, f.Times)
		}
	}
	// Output:
	// near: take ticket, surely faster than package sync's: true
	//   ticket        60 ns/op, ×1.00, Jain 0.99
	//   mine          70 ns/op, ×1.17, Jain 0.99
	//   sync.Mutex    100 ns/op, ×1.66, Jain 0.99
	//   sync.RWMutex  120 ns/op, ×1.99, Jain 0.99
	//   at 90% reads: sync.RWMutex, ×0.50
}

// Between two shares of reads the answer is interpolated; what is not known to be fair is
// left out, with the reason.
func ExampleAnswer() {
	question := advice.Question{
		Cell:  results.Cell{CPUs: 2, Workers: 2, Reads: 45, Think: 100 * time.Nanosecond},
		Fair:  true,
		Locks: known,
	}
	answers, err := question.Ask(file().Samples)
	if err != nil {
		log.Fatal(err)
	}
	a := answers[0]
	fmt.Printf("take %s, %.0f ns/op\n", a.Take, a.Ranked[0].NS)
	for _, c := range a.Cells {
		fmt.Println("from", c.Reads, "% reads")
	}
	for _, l := range a.LeftOut {
		fmt.Println("not", l.Lock+":", l.Why)
	}
	// Output:
	// take ticket, 70 ns/op
	// from 0 % reads
	// from 90 % reads
	// not mine: not known to serve in order
	// not sync.Mutex: does not serve in order
	// not sync.RWMutex: does not serve in order
}

// Nothing is extrapolated.
func ExampleNoDataError() {
	question := advice.Question{Cell: results.Cell{CPUs: 8, Workers: 8, Think: 100 * time.Nanosecond}}
	_, err := question.Ask(file().Samples)
	var missing *advice.NoDataError
	fmt.Println(errors.As(err, &missing), missing.Axis, missing.Have)
	fmt.Println(err)
	// Output:
	// true cpus [2]
	// no samples around cpus 8: have 2
}
