package primitives_test

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A gate of one word. The waiter paces its loop with a Spin.
func ExampleSpin() {
	var open primitives.Bool
	primitives.Go(func() { open.StoreRelease(true) })

	var spin primitives.Spin
	for !open.Load() {
		spin.Once()
	}
	fmt.Println("open")
	// Output: open
}

// A wake-up that comes before the wait is kept.
func ExampleParker() {
	var p primitives.Parker
	p.Unpark()
	p.Park()
	fmt.Println("awake")
	// Output: awake
}

// A counter whose increments never share a cache line.
func ExamplePerCPU() {
	var hits primitives.PerCPU[primitives.Uint64]

	cpu := primitives.Pin()
	hits.At(cpu).Add(1)
	primitives.Unpin()

	var total uint64
	for cpu := range 64 {
		total += hits.At(cpu).Load()
	}
	fmt.Println(total)
	// Output: 1
}

// Each field has its own cache line, wherever the struct begins.
func ExampleCacheLine() {
	type counters struct {
		_      primitives.CacheLine
		reads  primitives.Uint64
		_      primitives.CacheLine
		writes primitives.Uint64
		_      primitives.CacheLine
	}
	var c counters
	c.reads.Add(2)
	c.writes.Add(1)
	fmt.Println(c.reads.Load(), c.writes.Load())
	// Output: 2 1
}
