//go:build amd64 || arm64

package seqlock_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
// call. lock=none is the empty loop, lock=words the same loads without a sequence;
// gvisor.SeqCount, sync.RWMutex and a snapshot behind an atomic.Pointer are references.
var readers = []struct {
	name string
	loop func() func(n int)
}{
	{"lock=none/bytes=16", func() func(int) {
		return func(n int) {
			for range n {
			}
		}
	}},
	{"lock=words/bytes=16", func() func(int) {
		var lo, hi primitives.Uint64
		return func(n int) {
			var sum uint64
			for range n {
				sum += lo.Load() + hi.Load()
			}
			keep(sum)
		}
	}},
	{"lock=gvisor.SeqCount/bytes=16", func() func(int) {
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
	{"lock=sync.RWMutex/bytes=16", func() func(int) {
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
	{"lock=atomic.Pointer/bytes=16", func() func(int) {
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
	{"lock=seqlock.Count/bytes=16", func() func(int) {
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
	{"lock=seqlock.Lock/bytes=16", func() func(int) {
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
	{"lock=seqlock.Value/bytes=16", func() func(int) {
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
	{"lock=seqlock.Latch/bytes=16", func() func(int) {
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
	{"lock=seqlock.Value/bytes=8", func() func(int) {
		var v seqlock.Value[uint64]
		return func(n int) {
			var sum uint64
			for range n {
				sum += v.Load()
			}
			keep(sum)
		}
	}},
	{"lock=seqlock.Value/bytes=64", func() func(int) {
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
	{"lock=seqlock.Value/bytes=64/into=memory", func() func(int) {
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

// side runs a loop of n on each CPU, and returns how long it took.
func side(n int, loop func(n int)) time.Duration {
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
	began := time.Now()
	close(begin)
	wg.Wait()
	return time.Since(began)
}

// BenchmarkRead is one read by as many readers as CPUs (-cpu 1,2), with no
// writer.
func BenchmarkRead(b *testing.B) {
	for _, r := range readers {
		b.Run(r.name+"/reads=100", func(b *testing.B) { side(b.N/runtime.GOMAXPROCS(0), r.loop()) })
	}
}

// BenchmarkReadPaired measures all readers of 16 bytes in each round, in random
// order, so that they can be compared. For each it reports the median time of one
// read beyond the empty loop (…-over-ns), and of its ratio to gVisor's SeqCount
// (…-of-gvisor). A round takes some milliseconds: run 100 of them (-benchtime 100x
// -cpu 1,2).
func BenchmarkReadPaired(b *testing.B) {
	const reads = 200_000
	var names []string
	var loops []func(n int)
	for _, r := range readers {
		if name, ok := strings.CutSuffix(strings.TrimPrefix(r.name, "lock="), "/bytes=16"); ok {
			names, loops = append(names, name), append(loops, r.loop())
		}
	}
	none, reference := slices.Index(names, "none"), slices.Index(names, "gvisor.SeqCount")
	over, ratios := make([][]float64, len(loops)), make([][]float64, len(loops))
	for range b.N {
		ns := make([]float64, len(loops))
		for _, i := range rand.Perm(len(loops)) {
			ns[i] = float64(side(reads, loops[i])) / reads
		}
		for i := range ns {
			over[i] = append(over[i], ns[i]-ns[none])
			ratios[i] = append(ratios[i], ns[i]/ns[reference])
		}
	}
	for i, name := range names {
		b.ReportMetric(median(over[i]), name+"-over-ns")
		b.ReportMetric(median(ratios[i]), name+"-of-gvisor")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
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
