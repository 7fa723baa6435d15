package primitives_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/primitives"
)

// No value has two users at a time, and a value comes back as it was put.
func TestPool(t *testing.T) {
	type value struct{ used, uses int }
	var p primitives.Pool[value]
	if v := p.Get(); v == nil || *v != (value{}) {
		t.Fatalf("Get from an empty Pool = %v, want a zero value", v)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var reused primitives.Uint32
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, worker))
			var out []*value
			for range 5000 {
				if len(out) > 0 && random.IntN(2) == 0 {
					v := out[len(out)-1]
					out = out[:len(out)-1]
					v.used--
					p.Put(v)
					continue
				}
				v := p.Get()
				if v.used++; v.used != 1 {
					t.Errorf("a value with %d users", v.used)
					return
				}
				if v.uses++; v.uses > 1 {
					reused.Add(1)
				}
				out = append(out, v)
			}
		})
	}
	wg.Wait()
	if reused.Load() == 0 {
		t.Error("no value ever came back")
	}
}
