package anderson_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/anderson"
)

// BenchmarkLock is Lock and Unlock by one goroutine alone. sync.Mutex is the reference:
// compare with it only within one run.
func BenchmarkLock(b *testing.B) {
	b.Run("lock=sync.Mutex/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l sync.Mutex
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=anderson/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l anderson.Lock
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=anderson-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l anderson.Lock
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
}
