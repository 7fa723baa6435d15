package main

import (
	"context"
	"runtime"

	gvisor "gvisor.dev/gvisor/pkg/sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/seqlock"
)

// pairOfWords is the value that is read: 16 bytes.
type pairOfWords struct{ a, b uint64 }

// seqReads read 16 bytes, and keep the compiler from dropping what they read.
// "loop" reads nothing.
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
}

// seqReaders is reads of a seqlock on two CPUs, with no writer.
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
	j.title("A read of 16 bytes on one CPU, over an empty loop")
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
			if l.lock != "seqlock.Latch" {
				c.limit = 0.6
			}
			claims = append(claims, c)
		}
		j.claims(two, claims)
	}
	return nil
}
