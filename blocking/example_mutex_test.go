package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/blocking"
)

// A Mutex is for critical sections that are too long for a spinlock.
func ExampleMutex() {
	var (
		mu    blocking.Mutex
		pages = map[string]int{} // guarded by mu
		group sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			pages["/"]++
		})
	}
	group.Wait()
	fmt.Println(pages["/"])
	// Output: 4
}

// A request whose client has gone gives up its turn.
func ExampleMutex_LockContext() {
	var mu blocking.Mutex
	mu.Lock() // a holder that takes long

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := mu.LockContext(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	fmt.Println(err)
	// Output:
	// true
	// blocking: waiting for Mutex: context deadline exceeded
}

// The word of a Mutex from a core dump, decoded.
func ExampleDecodeMutex() {
	fmt.Println(blocking.DecodeMutex(0x00000305))
	// Output: locked, 3 in line, hand-off pending
}

// Three goroutines wait until the answer is there.
func ExampleCompletion() {
	var (
		ready  blocking.Completion
		answer int
		group  sync.WaitGroup
	)
	for range 3 {
		group.Go(func() {
			ready.Wait()
			fmt.Println(answer)
		})
	}
	answer = 42
	ready.CompleteAll()
	group.Wait()
	// Output:
	// 42
	// 42
	// 42
}
