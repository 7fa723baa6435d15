package primitives

import (
	"runtime"
	"sync/atomic"
)

// A PerCPU holds a T for each CPU, each on its own cache lines. The zero PerCPU is
// ready for use, whatever GOMAXPROCS is or becomes.
// A PerCPU must not be copied after first use.
type PerCPU[T any] struct {
	// slots has the slots made so far. It is replaced as a whole by a longer one with
	// the same slots and more: a slot does not move. It is not a word to the engines,
	// so making slots takes no steps.
	slots atomic.Pointer[[]*slot[T]]
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
	if t := p.Find(cpu); t != nil {
		return t
	}
	return p.grow(cpu)
}

// Find returns the slot of cpu, or nil if there is none yet. It inlines, where
// At does not.
func (p *PerCPU[T]) Find(cpu int) *T {
	if slots := p.slots.Load(); slots != nil && cpu < len(*slots) {
		return &(*slots)[cpu].value
	}
	return nil
}

// Len returns how many slots there are. They include the slot of each CPU for which
// [PerCPU.At] has returned.
func (p *PerCPU[T]) Len() int {
	if slots := p.slots.Load(); slots != nil {
		return len(*slots)
	}
	return 0
}

// slotsUnderEngine is how many slots there are at first under an engine, which has few
// workers. Making more would not be a step.
const slotsUnderEngine = 8

// grow makes slots, at least that of cpu, and returns it.
func (p *PerCPU[T]) grow(cpu int) *T {
	for {
		old := p.slots.Load()
		var slots []*slot[T]
		if old != nil {
			slots = *old
		}
		n := max(cpu+1, 2*len(slots))
		if old == nil {
			n = max(cpu+1, runtime.GOMAXPROCS(0))
			if current() != nil {
				n = max(n, slotsUnderEngine)
			}
		}
		fresh := make([]slot[T], n-len(slots))
		slots = slots[:len(slots):len(slots)]
		for i := range fresh {
			slots = append(slots, &fresh[i])
		}
		p.slots.CompareAndSwap(old, &slots)
		if t := p.Find(cpu); t != nil {
			return t
		}
	}
}
