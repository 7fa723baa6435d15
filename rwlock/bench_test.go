package rwlock_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/rwlock"
)

// A bench runs one section of one lock again and again. It knows the type of the
// lock, so calls inline as they do for a user. sync.RWMutex and the lock of xsync are
// references: compare with them only within one run.
type bench struct {
	lock        string
	read, write func(b *testing.B)
	reads       func(pb *testing.PB) // shared by all goroutines
}

func benches() []bench {
	var (
		mutex       sync.RWMutex
		readerPref  rwlock.ReaderPref
		queued      rwlock.Queued
		phaseFair   rwlock.PhaseFair
		distributed rwlock.Distributed
		biased      = rwlock.NewBiased(new(rwlock.Queued))
		xsyncs      = xsync.NewRBMutex()
	)
	return []bench{
		{"sync.RWMutex", func(b *testing.B) {
			for b.Loop() {
				mutex.RLock()
				mutex.RUnlock()
			}
		}, func(b *testing.B) {
			for b.Loop() {
				mutex.Lock()
				mutex.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				mutex.RLock()
				mutex.RUnlock()
			}
		}},
		{"xsync.RBMutex", func(b *testing.B) {
			for b.Loop() {
				token := xsyncs.RLock()
				xsyncs.RUnlock(token)
			}
		}, func(b *testing.B) {
			for b.Loop() {
				xsyncs.Lock()
				xsyncs.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				token := xsyncs.RLock()
				xsyncs.RUnlock(token)
			}
		}},
		{"rw-readerpref", func(b *testing.B) {
			for b.Loop() {
				readerPref.RLock()
				readerPref.RUnlock()
			}
		}, func(b *testing.B) {
			for b.Loop() {
				readerPref.Lock()
				readerPref.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				readerPref.RLock()
				readerPref.RUnlock()
			}
		}},
		{"rw-queued", func(b *testing.B) {
			for b.Loop() {
				queued.RLock()
				queued.RUnlock()
			}
		}, func(b *testing.B) {
			for b.Loop() {
				queued.Lock()
				queued.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				queued.RLock()
				queued.RUnlock()
			}
		}},
		{"rw-phasefair", func(b *testing.B) {
			for b.Loop() {
				phaseFair.RLock()
				phaseFair.RUnlock()
			}
		}, func(b *testing.B) {
			for b.Loop() {
				phaseFair.Lock()
				phaseFair.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				phaseFair.RLock()
				phaseFair.RUnlock()
			}
		}},
		{"rw-distributed", func(b *testing.B) {
			for b.Loop() {
				distributed.RLock()
				distributed.RUnlock()
			}
		}, func(b *testing.B) {
			for b.Loop() {
				distributed.Lock()
				distributed.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				distributed.RLock()
				distributed.RUnlock()
			}
		}},
		{"rw-biased", func(b *testing.B) {
			for b.Loop() {
				biased.RLock()
				biased.RUnlock()
			}
		}, func(b *testing.B) {
			for b.Loop() {
				biased.Lock()
				biased.Unlock()
			}
		}, func(pb *testing.PB) {
			for pb.Next() {
				biased.RLock()
				biased.RUnlock()
			}
		}},
	}
}

// BenchmarkLock is one section without contention, called without an interface.
func BenchmarkLock(b *testing.B) {
	for _, c := range benches() {
		b.Run(fmt.Sprintf("lock=%s/reads=0/workers=1/hold=0s/think=0s", c.lock), c.write)
		b.Run(fmt.Sprintf("lock=%s/reads=100/workers=1/hold=0s/think=0s", c.lock), c.read)
	}
}

// BenchmarkReaders is read sections on all CPUs at once: time per section, so
// that a lock whose readers scale halves from one CPU (GOMAXPROCS=1) to two.
func BenchmarkReaders(b *testing.B) {
	for _, c := range benches() {
		b.Run(fmt.Sprintf("lock=%s/reads=100/workers=%d/hold=0s/think=0s", c.lock, runtime.GOMAXPROCS(0)), func(b *testing.B) { b.RunParallel(c.reads) })
	}
}

// BenchmarkMix is read and write sections on all CPUs at once, with something
// in them to read and write, by one goroutine a CPU and by 32. It calls through
// an interface, as the harness does.
func BenchmarkMix(b *testing.B) {
	for _, c := range []struct {
		lock string
		new  func() locktest.Readers
	}{
		{"sync.RWMutex", func() locktest.Readers { return new(sync.RWMutex) }},
		{"rw-readerpref", func() locktest.Readers { return new(rwlock.ReaderPref) }},
		{"rw-queued", func() locktest.Readers { return new(rwlock.Queued) }},
		{"rw-phasefair", func() locktest.Readers { return new(rwlock.PhaseFair) }},
		{"rw-distributed", func() locktest.Readers { return new(rwlock.Distributed) }},
		{"rw-biased-readerpref", func() locktest.Readers { return rwlock.NewBiased(new(rwlock.ReaderPref)) }},
		{"rw-biased", func() locktest.Readers { return rwlock.NewBiased(new(rwlock.Queued)) }},
		{"rw-biased-phasefair", func() locktest.Readers { return rwlock.NewBiased(new(rwlock.PhaseFair)) }},
	} {
		for _, reads := range []int{50, 90, 99} {
			for _, crowd := range []int{1, 32} {
				b.Run(fmt.Sprintf("lock=%s/reads=%d/crowd=%d/hold=0s/think=0s", c.lock, reads, crowd), func(b *testing.B) {
					b.SetParallelism(crowd)
					mix(b, c.new(), reads)
				})
			}
		}
	}
}

func mix(b *testing.B, l locktest.Readers, reads int) {
	var shared int // guarded by l
	b.RunParallel(func(pb *testing.PB) {
		var isRead [1024]bool // drawn before the clock starts
		for i := range isRead {
			isRead[i] = rand.IntN(100) < reads
		}
		sum := 0
		for i := 0; pb.Next(); i++ {
			if isRead[i%len(isRead)] {
				l.RLock()
				sum += shared
				l.RUnlock()
			} else {
				l.Lock()
				shared++
				l.Unlock()
			}
		}
		_ = sum
	})
}
