package harness_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/primitives"
)

// BenchmarkSweep measures every lock under contention, with a worker on each
// CPU that -cpu asks for: names and units are those of lockbench run.
//
//	go test -bench Sweep -cpu 1,2 ./harness
func BenchmarkSweep(b *testing.B) {
	for _, entry := range catalog.All() {
		if entry.Name == "busted" || entry.Name == "busted-rcu" || entry.New == nil {
			continue // busted locks fail, as they should, and a map has no bare section
		}
		for _, reads := range []int{0, 90} {
			s := harness.Scenario{
				Subject: entry.Subject,
				Reads:   reads,
				Workers: runtime.GOMAXPROCS(0),
				Think:   100 * time.Nanosecond,
			}
			b.Run(s.Cell().Params(), func(b *testing.B) { harness.Bench(b, s) })
		}
	}
}

// BenchmarkReadMostly measures the locks to choose from for data that is mostly read.
//
//	go test -bench ReadMostly//////workload=map1000 -cpu 2 ./harness
func BenchmarkReadMostly(b *testing.B) {
	entries, err := catalog.Match("sync.RWMutex", "rw-distributed", "seqlock", "rcu-domain", "rcu-qsbr", "*.Map")
	if err != nil {
		b.Fatal(err)
	}
	for _, workload := range harness.Workloads() {
		if workload.NewCopy == nil && workload.NewIn == nil {
			continue
		}
		for _, entry := range entries {
			if entry.Suits(workload, harness.Goroutine) != nil {
				continue
			}
			for _, reads := range []int{50, 99} {
				s := harness.Scenario{Subject: entry.Subject, Reads: reads, Workers: runtime.GOMAXPROCS(0), Workload: workload}
				b.Run(s.Cell().Params(), func(b *testing.B) { harness.Bench(b, s) })
			}
		}
	}
}

// BenchmarkCost measures the harness itself: an operation with an empty lock.
//
//	go test -bench BenchmarkCost -cpu 1 ./harness
func BenchmarkCost(b *testing.B) {
	for _, reads := range []int{0, 50, 90, 100} {
		s := harness.Scenario{Subject: empty, Workers: 1, Reads: reads}
		b.Run(s.Cell().Params(), func(b *testing.B) { harness.Bench(b, s) })
	}
}

// BenchmarkLatencyCost measures what it costs to sample latencies.
//
//	go test -bench LatencyCost -benchtime 1000x ./harness
func BenchmarkLatencyCost(b *testing.B) {
	costOf(b, func(s *harness.Scenario, latency bool) { s.Latency = latency })
}

// BenchmarkCountersCost measures what it costs to count what the kernel can.
func BenchmarkCountersCost(b *testing.B) {
	costOf(b, func(s *harness.Scenario, counters bool) { s.Counters = counters })
}

// costOf measures what set costs: pairs of samples of 3 ms, with and without, in
// alternating order, and the median of the pairs' ratios of ns/op. It reports by how
// many percent an operation is slower with it.
func costOf(b *testing.B, set func(s *harness.Scenario, on bool)) {
	mutex := harness.Subject{Name: "sync.Mutex", New: func() sync.Locker { return new(sync.Mutex) }}
	for _, s := range []harness.Scenario{
		{Subject: empty, CPUs: runtime.GOMAXPROCS(0), Workers: 1},
		{Subject: mutex, CPUs: runtime.GOMAXPROCS(0), Workers: 1},
		{Subject: mutex, CPUs: runtime.GOMAXPROCS(0), Workers: runtime.GOMAXPROCS(0), Think: 100 * time.Nanosecond},
	} {
		b.Run(s.Cell().Params(), func(b *testing.B) {
			nsPerOp := func(on bool) float64 {
				set(&s, on)
				sample, err := harness.Run(context.Background(), s)
				if err != nil {
					b.Fatal(err)
				}
				ns, _ := sample.Value("ns/op")
				return ns
			}
			var ratios []float64
			for i := 0; b.Loop(); i++ {
				first := nsPerOp(i%2 == 0)
				second := nsPerOp(i%2 != 0)
				if i%2 == 0 {
					ratios = append(ratios, first/second)
				} else {
					ratios = append(ratios, second/first)
				}
			}
			slices.Sort(ratios)
			b.ReportMetric(100*(ratios[len(ratios)/2]-1), "%-slower")
		})
	}
}

var empty = harness.Subject{Name: "none", New: func() sync.Locker { return unlocked{} }, Counting: func(int) sync.Locker { return unlocked{} }, Unlocked: true}

type unlocked struct{}

func (unlocked) Lock()   {}
func (unlocked) Unlock() {}

// tokens is a semaphore that is a channel.
type tokens chan struct{}

func (l tokens) Lock()   { l <- struct{}{} }
func (l tokens) Unlock() { <-l }

func newTokens(permits int) sync.Locker { return make(tokens, permits) }

// BenchmarkWorkload measures the cost of the workloads themselves, with a lock that
// does nothing, and their effect on real locks.
//
//	go test -bench Workload -cpu 1,2 ./harness
func BenchmarkWorkload(b *testing.B) {
	for _, workload := range harness.Workloads() {
		for _, subject := range []harness.Subject{
			empty,
			{Name: "sync.Mutex", New: func() sync.Locker { return new(sync.Mutex) }},
			{Name: "sync.RWMutex", New: func() sync.Locker { return new(sync.RWMutex) }},
			{Name: "chan", New: func() sync.Locker { return newTokens(1) }, Counting: newTokens},
		} {
			if workload.Permits != nil && subject.Counting == nil {
				continue
			}
			for _, reads := range []int{0, 90} {
				s := harness.Scenario{Subject: subject, Reads: reads, Workers: runtime.GOMAXPROCS(0), Workload: workload}
				b.Run(s.Cell().Params(), func(b *testing.B) { harness.Bench(b, s) })
			}
		}
	}
}

// BenchmarkSerialized says whether costs add up with serialized work. It reports as
// run-ns, with its quartiles, the time of a Lock and Unlock in the harness, less that
// of an empty lock there; as alone-ns the time between two fences in a loop that does
// nothing else, less that of an empty lock there; and run-ns over that, which is 1 if
// costs add up. All are medians of N turns, in each of which the four are measured next
// to each other.
//
//	go test -run '^$' -bench Serialized -benchtime 500x ./harness
func BenchmarkSerialized(b *testing.B) {
	if !primitives.CanSerialize {
		b.Skip("instructions cannot be serialized here")
	}
	entries, err := catalog.Match("ttas", "ticket", "mcs", "qspinlock", "mutex", "sync.Mutex")
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range entries {
		for _, think := range []time.Duration{0, 100, 1000} {
			b.Run(fmt.Sprintf("lock=%s/think=%v", entry.Name, think), func(b *testing.B) {
				var alone, run []float64
				for range b.N {
					alone = append(alone, pairAlone(entry.New())-pairAlone(unlocked{}))
					run = append(run, pairInRun(b, entry.Subject, think)-pairInRun(b, empty, think))
				}
				slices.Sort(alone)
				slices.Sort(run)
				pair := alone[len(alone)/2]
				b.ReportMetric(pair, "alone-ns")
				b.ReportMetric(run[len(run)/4], "run-q1-ns")
				b.ReportMetric(run[len(run)/2], "run-ns")
				b.ReportMetric(run[len(run)*3/4], "run-q3-ns")
				b.ReportMetric(run[len(run)/2]/pair, "run/alone")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// pairAlone returns the time of a Lock and Unlock of l, with a fence at both ends.
func pairAlone(l sync.Locker) float64 {
	const pairs = 10_000
	l = harness.Fenced(l)
	began := primitives.Nanotime()
	for range pairs {
		l.Lock()
		l.Unlock()
	}
	return float64(primitives.Nanotime()-began) / pairs
}

// pairInRun returns the time of an operation of a single worker with serialized work.
func pairInRun(b *testing.B, subject harness.Subject, think time.Duration) float64 {
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject: subject, CPUs: 1, Workers: 1, Think: think, Work: harness.Serialized, Duration: 300 * time.Microsecond,
	})
	if err != nil {
		b.Fatal(err)
	}
	v, _ := sample.Value("ns/op")
	return v
}

// BenchmarkTrace tells by how much a sample is slower, in percent, if it is recorded: the
// median of pairs of samples, one recorded and one not, and a 95 % interval of it. docs/trace.md
// has what it measured: go test ./harness -run '^$' -bench Trace -benchtime 400x
func BenchmarkTrace(b *testing.B) {
	for _, entry := range catalog.All() {
		if !slices.Contains([]string{"ticket", "mcs", "sync.Mutex", "sync.RWMutex"}, entry.Name) {
			continue
		}
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("lock=%s/workers=%d", entry.Name, workers), func(b *testing.B) { traceCost(b, entry.Subject, workers) })
		}
	}
}

func traceCost(b *testing.B, lock harness.Subject, workers int) {
	var slower []float64
	for n := 0; b.Loop(); n++ {
		s := harness.Scenario{Subject: lock, CPUs: workers, Workers: workers, Think: 100, Seed: uint64(n)}
		var took [2]float64
		for i := range 2 {
			recorded := (n + i) % 2 // each comes first in turn
			if s.Trace = nil; recorded == 1 {
				s.Trace = func(harness.Timeline) {}
			}
			sample, err := harness.Run(context.Background(), s)
			if err != nil {
				b.Fatal(err)
			}
			took[recorded], _ = sample.Value("ns/op")
		}
		slower = append(slower, 100*(took[1]/took[0]-1))
	}
	slices.Sort(slower)
	n, around := len(slower), int(math.Ceil(0.98*math.Sqrt(float64(len(slower)))))
	b.ReportMetric(slower[n/2], "%-slower")
	b.ReportMetric(slower[max(0, n/2-around)], "%-low")
	b.ReportMetric(slower[min(n-1, n/2+around)], "%-high")
}
