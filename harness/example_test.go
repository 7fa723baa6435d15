package harness_test

import (
	"context"
	"fmt"
	"log"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/harness"
)

// A MyLock is the simplest spinlock there is.
type MyLock struct{ held atomic.Bool }

func (l *MyLock) Lock() {
	for !l.held.CompareAndSwap(false, true) {
		runtime.Gosched()
	}
}
func (l *MyLock) Unlock() { l.held.Store(false) }

// Bring your own lock.
func ExampleRun() {
	mine := harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }}
	sample, err := harness.Run(context.Background(), harness.Scenario{Subject: mine, CPUs: 2, Workers: 2})
	if err != nil {
		log.Fatal(err) // it does not exclude, or a worker got stuck
	}
	ns, _ := sample.Value("ns/op")
	fmt.Println(sample.Cell, ns > 0)
	// Output: Lock/lock=mine/reads=0/workers=2/hold=0s/think=0s/work=registers-2 true
}

// Compare two locks over a mix of reads and writes.
func ExampleSweep() {
	sweep := harness.Sweep{
		Subjects: []harness.Subject{
			{Name: "mine", New: func() sync.Locker { return new(MyLock) }},
			{Name: "sync.RWMutex", New: func() sync.Locker { return new(sync.RWMutex) }},
		},
		CPUs:          []int{1, 2},
		WorkersPerCPU: []int{1},
		Reads:         []int{0, 90},
		Hold:          []time.Duration{0},
		Think:         []time.Duration{100 * time.Nanosecond},
		Count:         2,
	}
	samples := 0
	err := sweep.Run(context.Background(), func(p harness.Progress) error {
		samples++
		return nil // or write p.Sample to a results.Writer
	})
	fmt.Println(samples, err)
	// Output: 16 <nil>
}

// Bring the data that your lock is for: here two accounts between which money moves.
func ExampleWorkload() {
	transfers := harness.Workload{
		Name: "transfers",
		New:  func(workers int, seed uint64) harness.Data { return &Accounts{from: 1000} },
	}
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject:  harness.Subject{Name: "sync.Mutex", New: func() sync.Locker { return new(sync.Mutex) }},
		Workload: transfers,
		CPUs:     2,
		Workers:  2,
	})
	fmt.Println(sample.Cell, err)
	// Output: Lock/lock=sync.Mutex/reads=0/workers=2/hold=0s/think=0s/workload=transfers/work=registers-2 <nil>
}

// Accounts hold 1000 in all.
type Accounts struct{ from, to int }

func (a *Accounts) Write(worker int) { a.from--; a.to++ }
func (a *Accounts) Read(worker int)  {}
func (a *Accounts) Verify() error {
	if sum := a.from + a.to; sum != 1000 {
		return fmt.Errorf("the accounts hold %d, want 1000", sum)
	}
	return nil
}

// A broken lock has no throughput.
func ExampleBrokenError() {
	_, err := harness.Run(context.Background(), harness.Scenario{
		Subject: harness.Subject{Name: "busted", New: func() sync.Locker { return Busted{} }},
		CPUs:    1,
		Workers: 1,
	})
	fmt.Println(err)
	// Output: lock "busted" is broken: TryLock of the held lock: want false, have true
}

// Busted does nothing.
type Busted struct{}

func (Busted) Lock()         {}
func (Busted) TryLock() bool { return true }
func (Busted) Unlock()       {}
