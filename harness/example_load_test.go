package harness_test

import (
	"context"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/lockbench/lockbench/harness"
)

// Each side of a situation that is not the default is in the name of its results.
func ExampleScenario() {
	s := harness.Scenario{
		Subject: harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }},
		CPUs:    2,
		Workers: 2,
		Think:   100 * time.Nanosecond,
		Work:    harness.MemoryL1, // think reads and writes memory
		Mode:    harness.Thread,   // each worker has a thread, and each thread a CPU
		Place:   harness.Compact,  // of one core, if there are such
		GC:      harness.GCOff,
	}
	fmt.Println(s.Cell())
	// Output: Lock/lock=mine/reads=0/workers=2/hold=0s/think=100ns/work=memory-l1/mode=thread/gc=off/place=compact-2
}

// Requests come on a schedule, whatever the lock does, and waits count from the time for
// which a request was scheduled.
func ExampleArrivals() {
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject:  harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }},
		CPUs:     1,
		Workers:  2,
		Hold:     time.Microsecond,
		Arrivals: harness.Arrivals{Rate: 50_000}, // a second
	})
	if err != nil {
		log.Fatal(err)
	}
	p99, _ := sample.Value("write-p99-ns")
	fmt.Println(sample.Load, p99 > 0)
	// Output: 50k-per-s true
}

// A lock that cannot be held with preemption off is left out of that mode, and named.
func ExampleSweep_LeftOut() {
	sweep := harness.Sweep{
		Subjects:      []harness.Subject{{Name: "sync.Mutex", New: func() sync.Locker { return new(sync.Mutex) }}},
		CPUs:          []int{1},
		WorkersPerCPU: []int{1},
		Reads:         []int{0},
		Hold:          []time.Duration{0},
		Think:         []time.Duration{0},
		Modes:         []harness.Mode{harness.Goroutine, harness.Pinned},
		Count:         1,
	}
	for _, out := range sweep.LeftOut() {
		fmt.Println(out.Locks, out.Why)
	}
	fmt.Println(len(sweep.Scenarios()), "scenario is left")
	// Output:
	// [sync.Mutex] cannot be held pinned, want another mode
	// 1 scenario is left
}

// What can be counted depends on the machine and on what its kernel allows.
func ExampleCounter() {
	var counted []string
	for _, c := range harness.Counters() {
		if c.Err == nil { // otherwise it says why
			counted = append(counted, c.Unit)
		}
	}
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject:  harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }},
		CPUs:     1,
		Workers:  1,
		Counters: len(counted) > 0,
	})
	for _, unit := range counted {
		if _, ok := sample.Value(unit); !ok {
			fmt.Println(unit, "was not counted")
		}
	}
	fmt.Println(err)
	// Output: <nil>
}
