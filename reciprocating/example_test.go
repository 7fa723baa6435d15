package reciprocating_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/reciprocating"
)

// A Lock is a sync.Locker that bounds how often a waiter is overtaken.
func ExampleLock() {
	var (
		mu    reciprocating.Lock
		words = make(map[string]int) // guarded by mu
		group sync.WaitGroup
	)
	for _, text := range []string{"to be or", "not to be"} {
		group.Go(func() {
			var word string
			for n := 0; n < len(text); n += len(word) + 1 {
				fmt.Sscan(text[n:], &word)
				mu.Lock()
				words[word]++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	fmt.Println(words)
	// Output: map[be:2 not:1 or:1 to:2]
}
