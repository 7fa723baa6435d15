package mcs_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/mcs"
)

// A Lock is a sync.Locker that serves in the order of arrival.
func ExampleLock() {
	var (
		mu    mcs.Lock
		total int // guarded by mu
		group sync.WaitGroup
	)
	for i := range 4 {
		group.Go(func() {
			mu.Lock()
			total += i
			mu.Unlock()
		})
	}
	group.Wait()
	fmt.Println(total)
	// Output: 6
}

// MCS as published: each acquisition brings a node, and the lock itself is a
// single word. Here each worker has one node for all its acquisitions.
func ExampleQueue() {
	var (
		mu      mcs.Queue
		total   int // guarded by mu
		workers sync.WaitGroup
	)
	for range 4 {
		workers.Go(func() {
			var node mcs.Node
			for range 100 {
				mu.Lock(&node)
				total++
				mu.Unlock(&node)
			}
		})
	}
	workers.Wait()
	fmt.Println(total)
	// Output: 400
}

// A release of a CLH is one store, which makes it the fastest queue lock without
// contention.
func ExampleCLH() {
	var mu mcs.CLH
	mu.Lock()
	fmt.Println(mu.TryLock(), &mu)
	mu.Unlock()
	fmt.Println(&mu)
	// Output:
	// false locked, no waiters
	// unlocked
}

// A CNA is for machines with several nodes: it stays on one for a while. With one node it
// serves in the order of arrival.
func ExampleCNA() {
	var (
		mu    mcs.CNA
		total int // guarded by mu
		group sync.WaitGroup
	)
	for i := range 4 {
		group.Go(func() {
			mu.Lock()
			total += i
			mu.Unlock()
		})
	}
	group.Wait()
	fmt.Println(total)
	// Output: 6
}

// A sleeping lock lets its waiters spin in line for as long as its owner runs.
func ExampleOSQ() {
	var spinners mcs.OSQ
	ownerRuns := true
	if spinners.Lock(func() bool { return ownerRuns }) {
		fmt.Println("first in line: watch the owner")
		spinners.Unlock()
	}
	// Output: first in line: watch the owner
}
