package blocking_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/blocking"
)

// A Semaphore bounds how much memory the image decoders use at a time.
func ExampleSemaphore() {
	memory := blocking.NewSemaphore(64) // MB
	var group sync.WaitGroup
	for _, mb := range []int{10, 60, 30, 24} {
		group.Go(func() {
			memory.DownN(mb)
			defer memory.UpN(mb)
			// … decode an image of that size
		})
	}
	group.Wait()
	fmt.Println(memory)
	// Output: 0 of 64 permits held
}

// If a Semaphore shrinks below the number of permits that are out, it gives out none
// until enough have come back.
func ExampleSemaphore_Resize() {
	workers := blocking.NewSemaphore(4)
	workers.DownN(3)
	workers.Resize(2)
	fmt.Println(workers.TryDown(), workers)
	workers.UpN(2)
	fmt.Println(workers.TryDown(), workers)
	// Output:
	// false 3 of 2 permits held
	// true 2 of 2 permits held
}

// A wait can have a deadline. A waiter that gave up holds no permit, and does not
// delay other waiters.
func ExampleSemaphore_DownContext() {
	s := blocking.NewSemaphore(1)
	s.Down()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(s.DownContext(ctx))
	// Output: blocking: waiting for Semaphore: context deadline exceeded
}

// An RWSem guards data that is read often and seldom written.
func ExampleRWSem() {
	var (
		mu     blocking.RWSem
		config = map[string]string{"mode": "goroutine"} // guarded by mu
		group  sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			mu.RLock()
			defer mu.RUnlock()
			_ = config["mode"]
		})
	}
	group.Go(func() {
		mu.Lock()
		defer mu.Unlock()
		config["mode"] = "pinned"
	})
	group.Wait()
	fmt.Println(config["mode"], mu.State().Readers)
	// Output: pinned 0
}

// A writer that turns into a reader lets no other writer in between.
func ExampleRWSem_Downgrade() {
	var mu blocking.RWSem
	var table []string // guarded by mu
	mu.Lock()
	table = append(table, "entry")
	mu.Downgrade()
	fmt.Println(mu.TryRLock(), mu.TryLock())
	fmt.Println(table, &mu)
	// Output:
	// true false
	// [entry] 2 readers
}

// The word of a kernel's rw_semaphore from a crash dump, or of an RWSem from a
// debugger, decoded.
func ExampleDecodeRWSem() {
	fmt.Println(blocking.DecodeRWSem(0x302))
	// Output: 3 readers, others wait
}
