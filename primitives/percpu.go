package primitives

import (
	"math/bits"
	"sync/atomic"
)

// A PerCPU holds a T for each CPU, each on cache lines of its own. The zero
// PerCPU is ready for use, whatever GOMAXPROCS is or becomes.
// A PerCPU must not be copied after first use.
type PerCPU[T any] struct {
	// chunks[k] holds the 2^k slots of CPUs 2^k-1 to 2^(k+1)-2. A chunk is
	// published once, whole, and never moves. To the engines it is
	// no word: slots are just there.
	chunks [15]atomic.Pointer[[]slot[T]]
}

type slot[T any] struct {
	value T
	_     [2]CacheLine // two: the adjacent-line prefetcher moves lines in pairs
}

// MaxCPUs is the number of slots a [PerCPU] can hold.
const MaxCPUs = 1<<15 - 1

// At returns the slot of cpu, in [0, MaxCPUs). The first use of a slot may
// allocate, so a pinned caller that cannot afford that calls At beforehand.
func (p *PerCPU[T]) At(cpu int) *T {
	k := bits.Len(uint(cpu+1)) - 1
	chunk := p.chunks[k].Load()
	if chunk == nil {
		chunk = p.grow(k)
	}
	return &(*chunk)[cpu+1-1<<k].value
}

// grow publishes chunk k, if nobody else was faster.
func (p *PerCPU[T]) grow(k int) *[]slot[T] {
	fresh := make([]slot[T], 1<<k)
	p.chunks[k].CompareAndSwap(nil, &fresh)
	return p.chunks[k].Load()
}
