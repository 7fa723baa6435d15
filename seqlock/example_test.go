package seqlock_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

// A clock of 128 bits: no reader sees the seconds of one tick with the fraction of
// another, and no reader delays a tick.
func ExampleValue() {
	type instant struct {
		seconds  uint64
		fraction uint64 // of a second, in units of 2⁻⁶⁴
	}
	const quarter = 1 << 62
	var clock seqlock.Value[instant]
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			var last instant
			for last.seconds < 1000 {
				now := clock.Load()
				if now.seconds < last.seconds || now.seconds == last.seconds && now.fraction < last.fraction {
					fmt.Println("the clock went back")
				}
				last = now
			}
		})
	}
	for range 4000 {
		clock.Update(func(now instant) instant {
			now.fraction += quarter
			if now.fraction == 0 {
				now.seconds++
			}
			return now
		})
	}
	readers.Wait()
	fmt.Println(clock.Load().seconds)
	// Output: 1000
}

// A signal handler or a profiler must not wait for the goroutine that it has
// interrupted, so it reads a Latch.
func ExampleLatch() {
	type position struct{ x, y, z float64 }
	at := seqlock.NewLatch(position{1, 2, 3})
	at.Update(func(p position) position {
		fmt.Println("meanwhile", at.Load()) // half-way through a write, and it does not wait
		p.z++
		return p
	})
	fmt.Println("then", at.Load())
	// Output:
	// meanwhile {1 2 3}
	// then {1 2 4}
}

// A Lock is for data that is not a single value: here readers read one row of a
// table that is written in place.
func ExampleLock_Read() {
	var (
		mu    seqlock.Lock
		table [8]struct{ key, value primitives.Uint64 }
	)
	mu.Lock()
	table[3].key.StoreRelease(17)
	table[3].value.StoreRelease(42)
	mu.Unlock()

	var value uint64
	var found bool
	mu.Read(func() { // may run more than once, so it sets both each time
		value, found = 0, false
		for i := range table {
			if table[i].key.Load() == 17 {
				value, found = table[i].value.Load(), true
			}
		}
	})
	fmt.Println(value, found)
	// Output: 42 true
}

// A Count goes with a lock that the writers hold anyway.
func ExampleCount() {
	var (
		mu       sync.Mutex
		seq      seqlock.Count
		from, to primitives.Uint64
	)
	move := func(n uint64) {
		mu.Lock()
		defer mu.Unlock()
		seq.BeginWrite()
		from.Store(from.Load() - n)
		to.Store(to.Load() + n)
		seq.EndWrite()
	}
	sum := func() uint64 {
		for {
			began := seq.Begin()
			n := from.Load() + to.Load()
			if !seq.Retry(began) {
				return n
			}
		}
	}
	from.Store(100)
	move(30)
	fmt.Println(sum())
	// Output: 100
}
