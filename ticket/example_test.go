package ticket_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/ticket"
)

// No goroutine is overtaken: it waits only for those that came before it.
func ExampleLock() {
	var (
		mu      ticket.Lock
		balance int // guarded by mu
		tellers sync.WaitGroup
	)
	for range 3 {
		tellers.Go(func() {
			for range 100 {
				mu.Lock()
				balance++
				mu.Unlock()
			}
		})
	}
	tellers.Wait()
	fmt.Println(balance, &mu)
	// Output: 300 unlocked, ticket 300 is next
}

// A Proportional is for many CPUs that wait for critical sections of one length: a
// waiter knows its place, and does not touch the lock's cache line until it is nearly
// its turn.
func ExampleProportional() {
	var mu ticket.Proportional
	mu.Lock()
	fmt.Println(mu.TryLock())
	mu.Unlock()
	// Output: false
}
