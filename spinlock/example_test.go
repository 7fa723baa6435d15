package spinlock_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/spinlock"
)

// A TTAS guards a few words for a few nanoseconds.
func ExampleTTAS() {
	var (
		mu    spinlock.TTAS
		hits  = map[string]int{} // guarded by mu
		group sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			mu.Lock()
			hits["/"]++
			mu.Unlock()
		})
	}
	group.Wait()
	fmt.Println(hits["/"])
	// Output: 4
}

// With preemption off the holder always runs, so no waiter waits for a goroutine that
// has lost its CPU. Nothing in the section may block.
func ExampleTTAS_LockPinned() {
	var (
		mu       spinlock.TTAS
		min, max int // guarded by mu
	)
	note := func(n int) {
		mu.LockPinned()
		if n < min {
			min = n
		}
		if n > max {
			max = n
		}
		mu.UnlockPinned()
	}
	note(7)
	note(-3)
	fmt.Println(min, max)
	// Output: -3 7
}

// A Backoff is for CPUs that are far apart: its waiters seldom touch the lock's line.
func ExampleBackoff() {
	var mu spinlock.Backoff
	mu.Lock()
	fmt.Println(mu.TryLock())
	mu.Unlock()
	// Output: false
}

// Every lock of the package is a sync.Locker.
func ExampleTAS() {
	var mu spinlock.TAS
	ready := false // guarded by mu
	cond := sync.NewCond(&mu)

	go func() {
		mu.Lock()
		ready = true
		mu.Unlock()
		cond.Signal()
	}()

	mu.Lock()
	for !ready {
		cond.Wait()
	}
	mu.Unlock()
	fmt.Println("ready")
	// Output: ready
}
