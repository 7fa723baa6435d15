package ticket_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/ticket"
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
	b.Run("lock=ticket/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l ticket.Lock
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=ticket-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l ticket.Lock
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
	b.Run("lock=ticket-pb/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l ticket.Proportional
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=ticket-pb-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l ticket.Proportional
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
}
