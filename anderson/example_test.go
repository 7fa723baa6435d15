package anderson_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/anderson"
)

// One lock that all CPUs contend for: each waiter watches a cache line of its own, so
// a release disturbs one of them.
func ExampleLock() {
	var (
		mu      anderson.Lock
		total   int // guarded by mu
		workers sync.WaitGroup
	)
	for range 3 {
		workers.Go(func() {
			for range 100 {
				mu.LockPinned() // at most as many waiters as CPUs
				total++
				mu.UnlockPinned()
			}
		})
	}
	workers.Wait()
	fmt.Println(total, &mu)
	// Output: 300 unlocked, ticket 300 is next
}
