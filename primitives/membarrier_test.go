package primitives_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/primitives"
)

// Dekker's protocol with the fences of both sides on one side: at least one worker sees
// the other. Without the barrier both may miss each other, more often the longer the
// first one's store waits: for earlier stores, whose lines the second has taken.
func TestMembarrier(t *testing.T) {
	if !primitives.CanMembarrier() {
		t.Skip("no membarrier here")
	}
	const rounds = 30_000
	var x, y primitives.Uint32
	var sawX, sawY primitives.Uint32
	var slow [16]struct {
		word primitives.Uint32
		_    primitives.CacheLine
	}
	var turn primitives.Uint32 // counts the workers that are done with their rounds
	meet := func(round uint32) {
		turn.Add(1)
		for looks := 0; turn.Load() < 2*round; looks++ {
			if looks > 10_000 {
				runtime.Gosched()
			}
		}
	}
	var group sync.WaitGroup
	group.Go(func() {
		for r := range uint32(rounds) {
			for i := range slow {
				slow[i].word.StoreRelease(r)
			}
			x.StoreRelease(1)
			sawY.Store(y.Load())
			meet(2*r + 1)
			meet(2*r + 2)
		}
	})
	group.Go(func() {
		for r := range uint32(rounds) {
			for range r % 512 { // so that in some rounds the first stores just now
			}
			y.Store(1)
			primitives.Membarrier()
			sawX.Store(x.Load())
			meet(2*r + 1)
			if sawX.Load()+sawY.Load() == 0 {
				t.Error("each missed the other's store")
			}
			x.Store(0)
			y.Store(0)
			for i := range slow {
				slow[i].word.StoreRelease(r)
			}
			meet(2*r + 2)
		}
	})
	group.Wait()
}
