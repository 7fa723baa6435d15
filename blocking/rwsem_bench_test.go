package blocking_test

import (
	"fmt"
	"runtime"
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
	for _, reads := range []int{0, 90, 100} {
		for _, crowd := range []int{1, 32} { // workers for each CPU
			together(b, "sync.RWMutex", new(sync.RWMutex), reads, crowd)
			together(b, "rwsem", new(blocking.RWSem), reads, crowd)
		}
	}
}

type rwLocker interface {
	sync.Locker
	RLock()
	RUnlock()
}

// together benchmarks the lock shared by crowd workers for each CPU.
func together(b *testing.B, name string, l rwLocker, reads, crowd int) {
	workers := crowd * runtime.GOMAXPROCS(0)
	b.Run(fmt.Sprintf("lock=%s/reads=%d/workers=%d/hold=0s/think=0s", name, reads, workers), func(b *testing.B) {
		b.SetParallelism(crowd)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i = (i + 37) % 100 { // reads and writes well mixed
				if i < reads {
					l.RLock()
					l.RUnlock()
				} else {
					l.Lock()
					l.Unlock()
				}
			}
		})
	})
}
