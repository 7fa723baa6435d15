package rwlock_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/rwlock"
)

// A bench runs one section of one lock again and again, with the type of the
// lock known, so that what inlines for a user does so here. sync.RWMutex is
// the reference: compare with it only within one run.
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
		{"rw-reader", func(b *testing.B) {
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

// BenchmarkLock is a section when nobody contends, with no interface between.
func BenchmarkLock(b *testing.B) {
	for _, c := range benches() {
		b.Run(fmt.Sprintf("lock=%s/reads=0/workers=1/hold=0s/think=0s", c.lock), c.write)
		b.Run(fmt.Sprintf("lock=%s/reads=100/workers=1/hold=0s/think=0s", c.lock), c.read)
	}
}

// BenchmarkReaders is read sections on all CPUs at once: time per section, so
// that a lock whose readers scale halves from -cpu 1 to -cpu 2.
func BenchmarkReaders(b *testing.B) {
	for _, c := range benches() {
		b.Run(fmt.Sprintf("lock=%s/reads=100/hold=0s/think=0s", c.lock), func(b *testing.B) { b.RunParallel(c.reads) })
	}
}

// BenchmarkMix is read and write sections on all CPUs at once, with something
// in them to read and write. It calls through an interface, as the harness
// does.
func BenchmarkMix(b *testing.B) {
	type locker interface {
		sync.Locker
		RLock()
		RUnlock()
	}
	for _, reads := range []int{50, 90, 99} {
		for _, c := range []struct {
			lock string
			new  func() locker
		}{
			{"sync.RWMutex", func() locker { return new(sync.RWMutex) }},
			{"rw-reader", func() locker { return new(rwlock.ReaderPref) }},
			{"rw-queued", func() locker { return new(rwlock.Queued) }},
			{"rw-phasefair", func() locker { return new(rwlock.PhaseFair) }},
			{"rw-distributed", func() locker { return new(rwlock.Distributed) }},
			{"rw-biased-reader", func() locker { return rwlock.NewBiased(new(rwlock.ReaderPref)) }},
			{"rw-biased", func() locker { return rwlock.NewBiased(new(rwlock.Queued)) }},
			{"rw-biased-phasefair", func() locker { return rwlock.NewBiased(new(rwlock.PhaseFair)) }},
		} {
			b.Run(fmt.Sprintf("lock=%s/reads=%d/hold=0s/think=0s", c.lock, reads), func(b *testing.B) {
				l := c.new()
				var shared [8]int // guarded by l
				b.RunParallel(func(pb *testing.PB) {
					rng := rand.New(rand.NewPCG(1, rand.Uint64()))
					var kind [4096]bool
					for i := range kind {
						kind[i] = rng.IntN(100) < reads
					}
					sum := 0
					for i := 0; pb.Next(); i++ {
						if kind[i%len(kind)] {
							l.RLock()
							sum += shared[0]
							l.RUnlock()
						} else {
							l.Lock()
							shared[0]++
							l.Unlock()
						}
					}
					_ = sum
				})
			})
		}
	}
}
