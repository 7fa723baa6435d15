//go:build amd64 || arm64

package main

import (
	"context"
	"runtime"
	"sync"

	gvisor "gvisor.dev/gvisor/pkg/sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/seqlock"
)

// pairOfWords is the value that readers read: 16 bytes.
type pairOfWords struct{ a, b uint64 }

// seqReads read 16 bytes, or as many as their name says, and keep the compiler from
// dropping the reads. "loop" reads nothing.
var seqReads = []loop{
	{"loop", func() func(int) {
		return func(n int) {
			var sum uint64
			for i := range n {
				sum += uint64(i)
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"gvisor.SeqCount", func() func(int) {
		v := alone[struct {
			count  gvisor.SeqCount
			lo, hi primitives.Uint64
		}]()
		return func(n int) {
			var sum uint64
			for range n {
				for {
					epoch := v.count.BeginRead()
					got := v.lo.Load() + v.hi.Load()
					if v.count.ReadOk(epoch) {
						sum += got
						break
					}
				}
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Count", func() func(int) {
		v := alone[struct {
			count  seqlock.Count
			lo, hi primitives.Uint64
		}]()
		return func(n int) {
			var sum uint64
			for range n {
				for {
					seq := v.count.Begin()
					got := v.lo.Load() + v.hi.Load()
					if !v.count.Retry(seq) {
						sum += got
						break
					}
				}
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Value", func() func(int) {
		v := alone[seqlock.Value[pairOfWords]]()
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got.a + got.b
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Latch", func() func(int) {
		v := alone[seqlock.Latch[pairOfWords]]()
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got.a + got.b
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"no-lock", func() func(int) {
		v := alone[struct{ lo, hi primitives.Uint64 }]()
		return func(n int) {
			var sum uint64
			for range n {
				sum += v.lo.Load() + v.hi.Load()
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"atomic.Pointer", func() func(int) {
		v := alone[primitives.Pointer[pairOfWords]]()
		v.Store(new(pairOfWords))
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got.a + got.b
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Lock.Read", func() func(int) {
		v := alone[struct {
			lock   seqlock.Lock
			lo, hi primitives.Uint64
		}]()
		return func(n int) {
			var sum uint64
			for range n {
				v.lock.Read(func() { sum += v.lo.Load() + v.hi.Load() })
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Value:8", func() func(int) {
		v := alone[seqlock.Value[uint64]]()
		return func(n int) {
			var sum uint64
			for range n {
				sum += v.Load()
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Value:64", func() func(int) {
		v := alone[seqlock.Value[[8]uint64]]()
		v.Store([8]uint64{})
		return func(n int) {
			var sum uint64
			for range n {
				got := v.Load()
				sum += got[0] + got[7]
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"seqlock.Value:64.LoadTo", func() func(int) {
		v := alone[seqlock.Value[[8]uint64]]()
		v.Store([8]uint64{})
		return func(n int) {
			var sum uint64
			var got [8]uint64
			for range n {
				v.LoadTo(&got)
				sum += got[0] + got[7]
			}
			runtime.KeepAlive(sum)
		}
	}},
	{"sync.RWMutex", func() func(int) {
		v := alone[struct {
			lock sync.RWMutex
			pairOfWords
		}]()
		return func(n int) {
			var sum uint64
			for range n {
				v.lock.RLock()
				sum += v.a + v.b
				v.lock.RUnlock()
			}
			runtime.KeepAlive(sum)
		}
	}},
}

// seqWrites write 16 bytes.
var seqWrites = []loop{
	{"sync.Mutex", func() func(int) {
		v := alone[struct {
			lock sync.Mutex
			pairOfWords
		}]()
		return func(n int) {
			for i := range uint64(n) {
				v.lock.Lock()
				v.a, v.b = i, i
				v.lock.Unlock()
			}
		}
	}},
	{"seqlock.Count", func() func(int) {
		v := alone[struct {
			lock   seqlock.Count
			lo, hi primitives.Uint64
		}]()
		return func(n int) {
			for i := range uint64(n) {
				v.lock.BeginWrite()
				v.lo.StoreRelease(i)
				v.hi.StoreRelease(i)
				v.lock.EndWrite()
			}
		}
	}},
	{"seqlock.Lock", func() func(int) {
		v := alone[struct {
			lock   seqlock.Lock
			lo, hi primitives.Uint64
		}]()
		return func(n int) {
			for i := range uint64(n) {
				v.lock.Lock()
				v.lo.StoreRelease(i)
				v.hi.StoreRelease(i)
				v.lock.Unlock()
			}
		}
	}},
	{"seqlock.Lock.Pinned", func() func(int) {
		v := alone[struct {
			lock   seqlock.Lock
			lo, hi primitives.Uint64
		}]()
		return func(n int) {
			for i := range uint64(n) {
				v.lock.LockPinned()
				v.lo.StoreRelease(i)
				v.hi.StoreRelease(i)
				v.lock.UnlockPinned()
			}
		}
	}},
	{"seqlock.Value", func() func(int) {
		v := alone[seqlock.Value[pairOfWords]]()
		return func(n int) {
			for i := range uint64(n) {
				v.Store(pairOfWords{i, i})
			}
		}
	}},
	{"seqlock.Value.Pinned", func() func(int) {
		v := alone[seqlock.Value[pairOfWords]]()
		return func(n int) {
			for i := range uint64(n) {
				v.StorePinned(pairOfWords{i, i})
			}
		}
	}},
	{"seqlock.Latch", func() func(int) {
		v := alone[seqlock.Latch[pairOfWords]]()
		return func(n int) {
			for i := range uint64(n) {
				v.Store(pairOfWords{i, i})
			}
		}
	}},
}

// seqReaders measures reads of a seqlock on one CPU and on two, without a writer, and
// writes without a reader.
func seqReaders(ctx context.Context, j *judge, rounds int) error {
	one, err := inTurn(ctx, j, seqReads, rounds)
	if err != nil {
		return err
	}
	// What a read costs over the loop around it, in each round.
	const over = "ns over a loop"
	empty := map[int]float64{}
	for _, s := range one {
		if s.Lock == "loop" {
			empty[s.Round], _ = s.Value("ns/op")
		}
	}
	for i, s := range one {
		ns, _ := s.Value("ns/op")
		one[i].Values = append(s.Values, results.Value{Unit: over, Value: ns - empty[s.Round]})
	}
	j.title("A read of 16 bytes, or as many as it says, on one CPU, over an empty loop")
	var claims []claim
	for _, l := range seqReads[1:] {
		c := claim{lock: l.lock, against: "gvisor.SeqCount", unit: over, distance: results.Local, absolute: true}
		if l.lock == "seqlock.Count" || l.lock == "seqlock.Value" {
			c.limit = 1
		}
		claims = append(claims, c)
	}
	j.claims(one, claims)

	two, err := atOnce(ctx, j, seqReads, []int{2}, rounds)
	if err != nil {
		return err
	}
	j.title("A read of 16 bytes on 2 CPUs, against gvisor.SeqCount")
	for _, d := range told(two) {
		claims = nil
		for _, l := range seqReads[2:] {
			c := claim{lock: l.lock, against: "gvisor.SeqCount", unit: "ns/op", distance: d}
			if l.lock == "seqlock.Count" || l.lock == "seqlock.Value" {
				c.limit = 0.6
			}
			claims = append(claims, c)
		}
		j.claims(two, claims)
	}

	writes, err := inTurn(ctx, j, seqWrites, rounds)
	if err != nil {
		return err
	}
	j.title("A write of 16 bytes on one CPU, against sync.Mutex around two plain stores")
	claims = nil
	for _, l := range seqWrites[1:] {
		claims = append(claims, claim{lock: l.lock, unit: "ns/op", distance: results.Local})
	}
	j.claims(writes, claims)
	return nil
}
