package seqlock_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

type (
	b16 struct{ a, b uint64 }
	b64 [8]uint64
)

var sink uint64

// BenchmarkRead is one read of a value of so many bytes, by as many readers as
// CPUs (-cpu 1,2), with no writer and no interface between. lock=none is the
// empty loop, lock=words the same loads without a sequence, and
// sync.RWMutex the reference: compare with it only within one run.
func BenchmarkRead(b *testing.B) {
	b.Run("lock=none/bytes=16/reads=100", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
			}
		})
	})
	b.Run("lock=words/bytes=16/reads=100", func(b *testing.B) {
		var lo, hi primitives.Uint64
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				sum += lo.Load() + hi.Load()
			}
			keep(sum)
		})
	})
	b.Run("lock=sync.RWMutex/bytes=16/reads=100", func(b *testing.B) {
		var mu sync.RWMutex
		var v b16 // guarded by mu
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				mu.RLock()
				got := v
				mu.RUnlock()
				sum += got.a + got.b
			}
			keep(sum)
		})
	})
	b.Run("lock=seqlock.Count/bytes=16/reads=100", func(b *testing.B) {
		var c seqlock.Count
		var lo, hi primitives.Uint64
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				for {
					seq := c.Begin()
					x := lo.Load() + hi.Load()
					if !c.Retry(seq) {
						sum += x
						break
					}
				}
			}
			keep(sum)
		})
	})
	b.Run("lock=seqlock.Lock/bytes=16/reads=100", func(b *testing.B) {
		var l seqlock.Lock
		var lo, hi primitives.Uint64
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				var x, y uint64
				l.Read(func() { x, y = lo.Load(), hi.Load() })
				sum += x + y
			}
			keep(sum)
		})
	})
	b.Run("lock=seqlock.Value/bytes=16/reads=100", func(b *testing.B) {
		var v seqlock.Value[b16]
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				got := v.Load()
				sum += got.a + got.b
			}
			keep(sum)
		})
	})
	b.Run("lock=seqlock.Latch/bytes=16/reads=100", func(b *testing.B) {
		var v seqlock.Latch[b16]
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				got := v.Load()
				sum += got.a + got.b
			}
			keep(sum)
		})
	})
	b.Run("lock=seqlock.Value/bytes=64/reads=100", func(b *testing.B) {
		v := seqlock.NewValue(b64{})
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			for pb.Next() {
				got := v.Load()
				sum += got[0] + got[7]
			}
			keep(sum)
		})
	})
	b.Run("lock=seqlock.Value/bytes=64/reads=100/into=memory", func(b *testing.B) {
		v := seqlock.NewValue(b64{})
		b.RunParallel(func(pb *testing.PB) {
			var sum uint64
			var got b64
			for pb.Next() {
				v.LoadTo(&got)
				sum += got[0] + got[7]
			}
			keep(sum)
		})
	})
}

// keep keeps the compiler from dropping what a loop has read.
func keep(sum uint64) {
	if sum == 1<<63+1 {
		sink = sum
	}
}

// BenchmarkLock is one write of 16 bytes when nobody contends. sync.Mutex is
// the reference: compare with it only within one run.
func BenchmarkLock(b *testing.B) {
	b.Run("lock=sync.Mutex/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l sync.Mutex
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=seqlock.Lock/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l seqlock.Lock
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=seqlock.Lock-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l seqlock.Lock
		for b.Loop() {
			l.LockPinned()
			l.UnlockPinned()
		}
	})
	b.Run("lock=seqlock.Count/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var c seqlock.Count
		for b.Loop() {
			c.BeginWrite()
			c.EndWrite()
		}
	})
	b.Run("lock=seqlock.Value/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var v seqlock.Value[b16]
		for b.Loop() {
			v.Store(b16{1, 2})
		}
	})
	b.Run("lock=seqlock.Value-pinned/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var v seqlock.Value[b16]
		for b.Loop() {
			v.StorePinned(b16{1, 2})
		}
	})
	b.Run("lock=seqlock.Latch/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l seqlock.Latch[b16]
		for b.Loop() {
			l.Store(b16{1, 2})
		}
	})
}
