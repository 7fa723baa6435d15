//go:build amd64 || arm64

package seqlock_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	gvisor "gvisor.dev/gvisor/pkg/sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

type (
	b16 struct{ a, b uint64 }
	b64 [8]uint64
)

var sink uint64

// readers make loops of n reads of a value with a number of bytes, without an interface
// call. none is the empty loop, words the same loads without a sequence;
// gvisor.SeqCount, sync.RWMutex and a snapshot behind an atomic.Pointer are references.
var readers = []struct {
	lock, workload string
	loop           func() func(n int)
}{
	{"none", "16B", func() func(int) {
		return func(n int) {
			for range n {
			}
		}
	}},
	{"words", "16B", func() func(int) {
		var lo, hi primitives.Uint64
		return func(n int) {
			var sum uint64
			for range n {
				sum += lo.Load() + hi.Load()
			}
			keep(sum)
		}
	}},
	{"gvisor.SeqCount", "16B", func() func(int) {
		var c gvisor.SeqCount
		var lo, hi primitives.Uint64
		return func(n int) {
			var sum uint64
			for range n {
				for {
					epoch := c.BeginRead()
					x := lo.Load() + hi.Load()
					if c.ReadOk(epoch) {
						sum += x
						break
					}
				}
			}
			keep(sum)
		}
	}},
	{"sync.RWMutex", "16B", func() func(int) {
		var mu sync.RWMutex
		var v b16 // guarded by mu
		return func(n int) {
			var sum uint64
			for range n {
				mu.RLock()
				got := v
				mu.RUnlock()
				sum += got.a + got.b
			}
			keep(sum)
		}
	}},
	{"atomic.Pointer", "16B", func() func(int) {
		var p atomic.Pointer[b16]
		p.Store(new(b16))
		return func(n int) {
			var sum uint64
			for range n {
				got := p.Load()
				sum += got.a + got.b
			}
			keep(sum)
		}
	}},
	{"seqlock.Count", "16B", func() func(int) {
		var c seqlock.Count
		var lo, hi primitives.Uint64
		return func(n int) {
			var sum uint64
			for range n {
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
		}
	}},
	{"seqlock.Lock", "16B", func() func(int) {
		var l seqlock.Lock
		var lo, hi primitives.Uint64
		return func(n int) {
			var sum uint64
			for range n {
				var x, y uint64
				l.Read(func() { x, y = lo.Load(), hi.Load() })
				sum += x + y
			}
			keep(sum)
		}
	}},
	{"seqlock.Value", "16B", func() func(int) {
		var v seqlock.Value[b16]
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got.a + got.b
			}
			keep(sum)
		}
	}},
	{"seqlock.Latch", "16B", func() func(int) {
		var v seqlock.Latch[b16]
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got.a + got.b
			}
			keep(sum)
		}
	}},
	{"seqlock.Value", "8B", func() func(int) {
		var v seqlock.Value[uint64]
		return func(n int) {
			var sum uint64
			for range n {
				sum += v.Load()
			}
			keep(sum)
		}
	}},
	{"seqlock.Value", "64B", func() func(int) {
		v := seqlock.NewValue(b64{})
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got[0] + got[7]
			}
			keep(sum)
		}
	}},
	{"seqlock.Value", "64B-in-memory", func() func(int) {
		v := seqlock.NewValue(b64{})
		return func(n int) {
			var sum uint64
			var got b64
			for range n {
				v.LoadTo(&got)
				sum += got[0] + got[7]
			}
			keep(sum)
		}
	}},
}

// together runs a loop of n on each CPU.
func together(n int, loop func(n int)) {
	cpus := runtime.GOMAXPROCS(0)
	var ready, wg sync.WaitGroup
	begin := make(chan bool)
	ready.Add(cpus)
	for range cpus {
		wg.Go(func() {
			ready.Done()
			<-begin
			loop(n)
		})
	}
	ready.Wait()
	close(begin)
	wg.Wait()
}

// BenchmarkRead is one read by as many readers as CPUs, with no writer. Beyond the loop
// around it, it is too short for two runs to be compared: go run ./tools/targets -part
// seq compares within one.
func BenchmarkRead(b *testing.B) {
	cpus := runtime.GOMAXPROCS(0)
	for _, r := range readers {
		b.Run(fmt.Sprintf("lock=%s/reads=100/workers=%d/hold=0s/think=0s/workload=%s", r.lock, cpus, r.workload), func(b *testing.B) {
			together(b.N/runtime.GOMAXPROCS(0), r.loop())
		})
	}
}

// keep keeps the compiler from dropping what a loop has read.
func keep(sum uint64) {
	if sum == 1<<63+1 {
		sink = sum
	}
}

// BenchmarkLock is one write of 16 bytes without contention. sync.Mutex is the
// reference: compare with it only within one run.
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
