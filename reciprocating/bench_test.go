package reciprocating_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/reciprocating"
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
	b.Run("lock=reciprocating/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l reciprocating.Lock
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=reciprocating-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l reciprocating.Lock
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
}
