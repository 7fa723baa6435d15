package rwlock_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/rwlock"
)

// A Distributed replaces a sync.RWMutex where nearly all accesses are reads and
// many CPUs make them: readers share no cache line.
func ExampleDistributed() {
	var (
		mu    rwlock.Distributed
		rates = map[string]float64{"EUR": 1} // guarded by mu
		group sync.WaitGroup
	)
	for range 4 {
		group.Go(func() {
			for range 100 {
				mu.RLock()
				_ = rates["EUR"]
				mu.RUnlock()
			}
		})
	}
	group.Go(func() {
		mu.Lock()
		rates["USD"] = 1.08
		mu.Unlock()
	})
	group.Wait()
	fmt.Println(rates["USD"], &mu)
	// Output: 1.08 unlocked
}

// A Queued has eight bytes, and neither its readers nor its writers starve.
func ExampleQueued() {
	var mu rwlock.Queued
	mu.RLock()
	mu.RLock()
	fmt.Println(&mu)
	fmt.Println(mu.TryLock())
	mu.RUnlock()
	mu.RUnlock()
	fmt.Println(mu.TryLock(), &mu)
	// Output:
	// 2 readers
	// false
	// true write-locked
}

// A PhaseFair is for readers whose wait must be bounded: a reader waits for one
// writer, however many are in line.
func ExamplePhaseFair() {
	var (
		mu       rwlock.PhaseFair
		position [3]float64 // guarded by mu
	)
	mu.LockPinned() // nothing in here blocks
	position[2] = 3
	mu.UnlockPinned()

	mu.RLockPinned()
	z := position[2]
	mu.RUnlockPinned()
	fmt.Println(z)
	// Output: 3
}

// Read sections of a ReaderPref nest: it does not turn a reader away for a
// writer that only waits. That is why its writers can starve.
func ExampleReaderPref() {
	var mu rwlock.ReaderPref
	r := mu.RLocker()
	r.Lock()
	go mu.Lock()
	r.Lock()
	fmt.Println("inside twice")
	r.Unlock()
	r.Unlock()
	// Output: inside twice
}

// A fair lock whose readers scale while writers are rare.
func ExampleNewBiased() {
	mu := rwlock.NewBiased(new(rwlock.PhaseFair))
	mu.RLock()
	fmt.Println(mu)
	mu.RUnlock()
	// Output: 1 reader, biased
}

// The word of a kernel's qrwlock from a crash dump, decoded.
func ExampleDecode() {
	fmt.Println(rwlock.Decode(0x700))
	// Output: 3 readers, a writer waits
}

// A section that mostly only reads: it looks while others read, and becomes the writer
// if there is something to write. No writer comes between the two.
func ExampleUpgradable() {
	var (
		mu    rwlock.Upgradable
		cache = map[string]int{} // guarded by mu
	)
	length := func(word string) int {
		mu.ULock()
		if n, ok := cache[word]; ok {
			mu.UUnlock()
			return n
		}
		mu.Upgrade()
		cache[word] = len(word)
		mu.Downgrade()
		defer mu.RUnlock()
		return cache[word] // as written: no writer came between
	}
	fmt.Println(length("lock"), length("lock"), &mu)
	// Output: 4 4 unlocked
}
