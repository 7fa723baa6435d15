package seqlock_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

// A call is what one goroutine did to a register of two equal numbers.
type call struct {
	op  string // "load", "store" or "update", which adds one
	arg uint64
}

var register = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, input, output any) (bool, any) {
		now, c, got := state.(uint64), input.(call), output.([2]uint64)
		switch c.op {
		case "store":
			now = c.arg
		case "update":
			now++
		}
		return c.op == "store" || got == [2]uint64{now, now}, now
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprint(input, " ", output) },
}

// A cell is a Value or a Latch as a history uses it.
type cell interface {
	Load() [2]uint64
	Store([2]uint64)
	Update(func([2]uint64) [2]uint64) [2]uint64
}

// wideCell is a cell of many words, so that its reads and writes take longer.
type wideCell struct{ store[wide] }

func (c wideCell) Load() [2]uint64 {
	w := c.store.Load()
	for i, n := range w {
		if n != w[0] {
			return [2]uint64{w[0], w[i]}
		}
	}
	return [2]uint64{w[0], w[0]}
}
func (c wideCell) Store(p [2]uint64) { c.store.Store(wideOf(p[0])) }
func (c wideCell) Update(f func([2]uint64) [2]uint64) [2]uint64 {
	w := c.store.Update(func(w wide) wide { return wideOf(f([2]uint64{w[0], w[0]})[0]) })
	return [2]uint64{w[0], w[len(w)-1]}
}

// pinnedCell writes with preemption off.
type pinnedCell struct{ *seqlock.Value[[2]uint64] }

func (c pinnedCell) Store(p [2]uint64)                            { c.StorePinned(p) }
func (c pinnedCell) Update(f func([2]uint64) [2]uint64) [2]uint64 { return c.UpdatePinned(f) }

// history lets workers use a cell at random, and returns what they saw.
func history(c cell, seed uint64) []porcupine.Operation {
	const workers, each = 4, 60
	did := make([][]porcupine.Operation, workers)
	var ready, wg sync.WaitGroup
	begin := make(chan bool)
	ready.Add(workers)
	for id := range workers {
		rng := rand.New(rand.NewPCG(seed, uint64(id)))
		wg.Go(func() {
			var seen primitives.Uint32
			ready.Done()
			<-begin
			for n := range each {
				op := porcupine.Operation{ClientId: id}
				what := call{op: "load"}
				switch draw := rng.IntN(8); {
				case draw < 2:
					what = call{"store", uint64(id*each+n+1) << 32}
				case draw < 3:
					what.op = "update"
				}
				op.Input = what
				op.Call = primitives.Nanotime()
				var out [2]uint64
				switch what.op {
				case "load":
					out = c.Load()
				case "store":
					c.Store([2]uint64{what.arg, what.arg})
				case "update":
					out = c.Update(func(p [2]uint64) [2]uint64 { return [2]uint64{p[0] + 1, p[1] + 1} })
				}
				seen.Add(0) // a fence: a write returns while its last stores are on their way
				op.Return = primitives.Nanotime()
				op.Output = out
				did[id] = append(did[id], op)
				if rng.IntN(16) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	ready.Wait()
	close(begin)
	wg.Wait()
	var all []porcupine.Operation
	for _, ops := range did {
		all = append(all, ops...)
	}
	return all
}

// linearizable reports whether a number of histories of fresh cells are linearizable.
func linearizable(t *testing.T, fresh func() cell, histories int) bool {
	seed := uint64(time.Now().UnixNano())
	for i := range histories {
		ops := history(fresh(), seed+uint64(i))
		if !porcupine.CheckOperations(register, ops) {
			t.Logf("seed %d: no order of these explains what was read: %v", seed+uint64(i), ops)
			return false
		}
	}
	return true
}

// The operations of goroutines on a Value or a Latch have an order that explains
// what each saw, and in which an operation that ended before another began comes
// first. A write has ended once it is seen.
func TestLinearizable(t *testing.T) {
	for name, fresh := range map[string]func() cell{
		"Value":          func() cell { return new(seqlock.Value[[2]uint64]) },
		"ValueImpatient": func() cell { return &seqlock.Value[[2]uint64]{Tries: 1} },
		"ValuePinned":    func() cell { return pinnedCell{new(seqlock.Value[[2]uint64])} },
		"ValueWide":      func() cell { return wideCell{new(seqlock.Value[wide])} },
		"Latch":          func() cell { return new(seqlock.Latch[[2]uint64]) },
		"LatchWide":      func() cell { return wideCell{new(seqlock.Latch[wide])} },
	} {
		t.Run(name, func(t *testing.T) {
			if !linearizable(t, fresh, 50) {
				t.Error("a history is not linearizable")
			}
		})
	}
}

// A torn cell excludes its writers, but its readers do not look twice.
type torn struct {
	mu     sync.Mutex
	lo, hi primitives.Uint64
}

func (c *torn) Load() [2]uint64 {
	lo := c.lo.Load()
	runtime.Gosched()
	return [2]uint64{lo, c.hi.Load()}
}

func (c *torn) Store(p [2]uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lo.Store(p[0])
	runtime.Gosched()
	c.hi.Store(p[1])
}

func (c *torn) Update(f func([2]uint64) [2]uint64) [2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := f([2]uint64{c.lo.Load(), c.hi.Load()})
	c.lo.Store(p[0])
	c.hi.Store(p[1])
	return p
}

// A stale cell returns whole values, but to every second read the value before.
type stale struct {
	mu          sync.Mutex
	now, before [2]uint64 // guarded by mu
	loads       int
}

func (c *stale) Load() [2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loads++; c.loads%2 == 0 {
		return c.before
	}
	return c.now
}

func (c *stale) Store(p [2]uint64) {
	c.Update(func([2]uint64) [2]uint64 { return p })
}

func (c *stale) Update(f func([2]uint64) [2]uint64) [2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before, c.now = c.now, f(c.now)
	return c.now
}

// A checker must be seen to fail.
func TestNotLinearizable(t *testing.T) {
	for name, fresh := range map[string]func() cell{
		"torn":  func() cell { return new(torn) },
		"stale": func() cell { return new(stale) },
	} {
		if linearizable(t, fresh, 1000) {
			t.Errorf("a thousand histories of a %s cell passed as linearizable", name)
		}
	}
}
