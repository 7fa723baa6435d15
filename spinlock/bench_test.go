package spinlock_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/spinlock"
)

// BenchmarkLock is Lock and Unlock by one goroutine alone, called directly so that
// they can inline. sync.Mutex is the reference: compare with it only within one
// run.
func BenchmarkLock(b *testing.B) {
	b.Run("lock=sync.Mutex/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l sync.Mutex
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=tas/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l spinlock.TAS
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=tas-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l spinlock.TAS
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
	b.Run("lock=ttas/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l spinlock.TTAS
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=ttas-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l spinlock.TTAS
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
	b.Run("lock=backoff/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l spinlock.Backoff
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=backoff-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l spinlock.Backoff
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
}
