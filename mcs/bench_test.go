package mcs_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/mcs"
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
	b.Run("lock=mcs/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.Lock
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=mcs-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.Lock
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
	b.Run("lock=cna/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.CNA
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=cna-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.CNA
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
	b.Run("lock=mcs-queue/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.Queue
		var node mcs.Node
		for b.Loop() {
			l.Lock(&node)
			l.Unlock(&node)
		}
	})
	b.Run("lock=clh/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.CLH
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=clh-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l mcs.CLH
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
}
