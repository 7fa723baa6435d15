package rwlock_test

import (
	"fmt"
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
