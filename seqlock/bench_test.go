package seqlock_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

type (
	b8   [1]uint64
	b16  struct{ a, b uint64 }
	b64  [8]uint64
	b256 [32]uint64
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
		parallel(b, func() uint64 { return lo.Load() + hi.Load() })
	})
	b.Run("lock=sync.RWMutex/bytes=16/reads=100", func(b *testing.B) {
		var mu sync.RWMutex
		var v b16 // guarded by mu
		parallel(b, func() uint64 {
			mu.RLock()
			got := v
			mu.RUnlock()
			return got.a + got.b
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
	readValue[b8](b)
	readValue[b16](b)
	readValue[b64](b)
	readValue[b256](b)
}

func keep(sum uint64) {
	if sum == 1<<63+1 {
		sink = sum
	}
}

func parallel(b *testing.B, read func() uint64) {
	b.RunParallel(func(pb *testing.PB) {
		var sum uint64
		for pb.Next() {
			sum += read()
		}
		keep(sum)
	})
}

func readValue[T any](b *testing.B) {
	var v seqlock.Value[b16]
	var v2 seqlock.Value[b64]
	b.Run("one", func(b *testing.B) {
		var sum uint64
		for b.Loop() {
			x := v.Load()
			sum += x.a + x.b
		}
		keep(sum)
	})
	b.Run("eight", func(b *testing.B) {
		var sum uint64
		for range b.N {
			x := v2.Load()
			sum += x[0] + x[7]
		}
		keep(sum)
	})
	b.Run("eightTo", func(b *testing.B) {
		var sum uint64
		var x b64
		for range b.N {
			v2.LoadTo(&x)
			sum += x[0] + x[7]
		}
		keep(sum)
	})
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
		}
	})
	b.Run("iN", func(b *testing.B) {
		var sum uint64
		for range b.N {
			x := v.Load()
			sum += x.a + x.b
		}
		keep(sum)
	})

}
