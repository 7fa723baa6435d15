package ticket_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/ticket"
)

// Nobody overtakes: a goroutine waits for those that came before it and for
// no others.
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

// Where many CPUs wait for sections of one length, waiters that know their
// place stay off the line until it is nearly their turn.
func ExampleProportional() {
	var mu ticket.Proportional
	mu.Lock()
	fmt.Println(mu.TryLock())
	mu.Unlock()
	// Output: false
}
