package qspinlock_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/qspinlock"
)

// A Lock has four bytes, so it fits next to the data that it guards.
func ExampleLock() {
	type bucket struct {
		mu qspinlock.Lock
		n  uint32 // guarded by mu
	}
	var buckets [16]bucket
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			b := &buckets[i%len(buckets)]
			b.mu.Lock()
			b.n++
			b.mu.Unlock()
		})
	}
	group.Wait()
	fmt.Println(buckets[5].n)
	// Output: 4
}

// The word of a kernel's spinlock from a crash dump, decoded.
func ExampleDecode() {
	fmt.Println(qspinlock.Decode(0x00100101))
	// Output: locked, pending, tail CPU 3, context 0
}
