package main

import (
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/results"
)

// against returns a table in ns/op with ratios to a reference.
func against(reference string) []results.Table {
	return []results.Table{{Reference: reference, Unranked: []string{floorName, results.Empty}}}
}

// parts are what can be measured, and in how many rounds.
var parts = []part{
	{name: "cost", rounds: 20, measure: cost, tables: against("")},

	{name: "alone", rounds: 100, measure: running(200_000, []int{1},
		benchmarks{"spinlock", `^BenchmarkLock$`},
		benchmarks{"ticket", `^BenchmarkLock$`},
		benchmarks{"mcs", `^BenchmarkLock$`},
		benchmarks{"qspinlock", `^BenchmarkLock$`},
		benchmarks{"seqlock", `^BenchmarkLock$`},
		benchmarks{"blocking", `^Benchmark(Lock|Semaphore|RWSem)$/lock/reads=0$/workers=1$/hold/think=0s$`},
		benchmarks{"rwlock", `^BenchmarkLock$/lock/reads=0$`},
	), tables: against("sync.Mutex")},

	{name: "reads", rounds: 60, measure: running(1_000_000, []int{1, 2},
		benchmarks{"rwlock", `^BenchmarkReaders$`},
		benchmarks{"blocking", `^BenchmarkRWSem$/lock/reads=100$/workers=(1|2)$/hold/think=0s$`},
	), tables: against("sync.RWMutex")},

	{name: "seq", rounds: 60, measure: beyond(results.Empty, running(2_000_000, []int{1, 2},
		benchmarks{"seqlock", `^BenchmarkRead$`},
	)), tables: []results.Table{
		{Reference: "gvisor.SeqCount", Unranked: []string{results.Empty}},
		{Unit: overUnit, Reference: "gvisor.SeqCount"},
	}},

	{
		name: "pair", rounds: 200, tables: against("sync.Mutex"),
		locks:  []string{"tas", "ttas", "backoff", "ticket", "ticket-pb", "mcs", "clh", "qspinlock", "mutex", "sync.Mutex"},
		sweeps: []harness.Sweep{{Subjects: withFloor, CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{0}, Think: briefly}},
	},
	{
		name: "crowd", rounds: 20, tables: against("sync.Mutex"),
		locks:  []string{"ttas", "ticket", "mcs", "clh", "qspinlock", "ticket-pinned", "mcs-pinned", "qspinlock-pinned", "mutex", "sync.Mutex"},
		sweeps: []harness.Sweep{among(2, 350*time.Millisecond), among(1, 350*time.Millisecond)},
	},
	{
		// The scheduler's time slices are 10 ms, so a turn of all takes 640 ms of CPU:
		// the window spans several.
		name: "shares", rounds: 6, tables: []results.Table{{Unit: "share-min-max"}},
		locks:  []string{"ttas", "sync.Mutex"},
		sweeps: []harness.Sweep{among(2, 2500*time.Millisecond), among(1, 5*time.Second)},
	},
	{
		name: "waits", rounds: 10, tables: []results.Table{{Unit: "write-max-ns"}, {Unit: "cpu-ns/op"}, {Unit: "share-min-max"}},
		locks:  []string{"mutex", "semaphore", "rwsem", "sync.Mutex"},
		sweeps: []harness.Sweep{latency(among(2, time.Second))},
	},
	{
		name: "idle", rounds: 10, tables: []results.Table{{Unit: "cpu-ns/op"}, {Unit: "ns/op"}},
		locks: []string{"mutex", "semaphore", "rwsem", "sync.Mutex"},
		sweeps: []harness.Sweep{{
			CPUs: []int{2}, WorkersPerCPU: []int{32}, Reads: []int{0}, Hold: []time.Duration{time.Millisecond},
			Duration: 300 * time.Millisecond,
		}},
	},
	{
		name: "permits", rounds: 100, tables: against("semaphore.Weighted"),
		locks:  []string{"semaphore", "semaphore.Weighted"},
		sweeps: []harness.Sweep{{CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{0}}},
	},
	{
		name: "mix", rounds: 100, tables: against("sync.RWMutex"),
		locks: []string{"rw-*", "!*-pinned", "rwsem", "xsync.RBMutex", "sync.RWMutex"},
		sweeps: []harness.Sweep{
			{Subjects: biased, CPUs: []int{1, 2}, WorkersPerCPU: []int{1}, Reads: []int{0, 90, 99, 100}},
			{Subjects: biased, CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{90, 99}, Think: briefly},
		},
	},
	{
		// On two CPUs one reads while the other wants to write.
		name: "starve", rounds: 20, tables: []results.Table{{Unit: "write-p99-ns", Reference: "rw-readerpref"}},
		locks: []string{"rw-*", "!*-pinned", "rwsem", "sync.RWMutex"},
		sweeps: []harness.Sweep{latency(harness.Sweep{
			CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{99}, Hold: []time.Duration{time.Microsecond},
			Duration: 100 * time.Millisecond,
		})},
	},

	{name: "rcu-read", rounds: 100, measure: readCosts, tables: []results.Table{
		{Unit: overUnit, Reference: "pinned"},
		{Unit: "ops/s", Reference: "sync.RWMutex"},
		{Unit: "updates/s", Reference: "sync.RWMutex"},
	}},
	{name: "rcu-sync", rounds: 50, measure: gracePeriods, tables: []results.Table{{Reference: "qsbr"}, {Unit: "updates/s"}}},
	{name: "rcu-call", rounds: 30, measure: calls, tables: []results.Table{{Reference: "domain"}, {Unit: "waiting"}}},
}
