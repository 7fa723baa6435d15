package blocking_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/blocking"
)

// BenchmarkRWSem is the lock taken and released with nothing in between, by
// one goroutine alone and by one for each CPU. Its reference is sync.RWMutex:
// compare with it only within one run.
func BenchmarkRWSem(b *testing.B) {
	b.Run("lock=sync.RWMutex/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l sync.RWMutex
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=rwsem/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l blocking.RWSem
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=sync.RWMutex/reads=100/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l sync.RWMutex
		for b.Loop() {
			l.RLock()
			l.RUnlock()
		}
	})
	b.Run("lock=rwsem/reads=100/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l blocking.RWSem
		for b.Loop() {
			l.RLock()
			l.RUnlock()
		}
	})
	b.Run("lock=sync.RWMutex/reads=100/workers=cpus/hold=0s/think=0s", func(b *testing.B) {
		var l sync.RWMutex
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				l.RLock()
				l.RUnlock()
			}
		})
	})
	b.Run("lock=rwsem/reads=100/workers=cpus/hold=0s/think=0s", func(b *testing.B) {
		var l blocking.RWSem
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				l.RLock()
				l.RUnlock()
			}
		})
	})
}
