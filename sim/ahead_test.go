//go:build virtual

package sim_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

// A CPU may be ahead of the others on a word of its own; one that then reads the word does
// not see what happens later than it reads it, and sees what has happened before.
func TestAhead(t *testing.T) {
	for seed := range uint64(10) {
		var of struct {
			_    primitives.CacheLine
			word primitives.Uint64
			_    primitives.CacheLine
		}
		var at []int64 // when word became one more
		type read struct {
			n             uint64
			before, after int64
		}
		var reads []read
		run(t, sim.Config{Machine: machine(t, "xeon-8176-8s"), CPUs: 4, Seed: seed}, func() {
			ready := new(primitives.Parker)
			primitives.Go(func() {
				ready.Unpark()
				for range 3000 {
					of.word.Add(1)
					at = append(at, primitives.Nanotime())
				}
			})
			ready.Park()
			for i := range 5 {
				primitives.Sleep(time.Duration(12_345+100*i) * time.Nanosecond)
				before := primitives.Nanotime()
				n := of.word.Load()
				reads = append(reads, read{n, before, primitives.Nanotime()})
			}
		})
		for _, r := range reads {
			if r.n > 0 && at[r.n-1]-25 > r.after { // the clock takes 25 ns
				t.Errorf("seed %d: read %d before %d, and that came at %d", seed, r.n, r.after, at[r.n-1])
			}
			if r.n < 3000 && at[r.n] < r.before {
				t.Errorf("seed %d: read %d after %d, and one more came at %d", seed, r.n, r.before, at[r.n])
			}
		}
		if len(at) != 3000 || of.word.Load() != 3000 {
			t.Errorf("%d and %d additions, want 3000", len(at), of.word.Load())
		}
	}
}

// A CPU that is ahead does not get a store to memory before it has made it.
func TestStoresAhead(t *testing.T) {
	var of struct {
		_    primitives.CacheLine
		data primitives.Uint32
		_    primitives.CacheLine
		flag primitives.Uint32
		_    primitives.CacheLine
		own  primitives.Uint32
		_    primitives.CacheLine
	}
	made, seen := int64(0), int64(0)
	run(t, sim.Config{Machine: machine(t, "xeon-8176-8s"), CPUs: 4}, func() {
		ready := new(primitives.Parker)
		primitives.Go(func() {
			of.data.Store(1)
			ready.Unpark()
			for spin := (primitives.Spin{Pinned: true}); of.flag.Load() == 0; {
				spin.OnceFor(time.Nanosecond)
			}
			seen = primitives.Nanotime()
		})
		ready.Park()
		of.own.Store(1)
		primitives.Sleep(20 * time.Microsecond)
		of.data.StoreRelease(2) // stays in the buffer for a while
		for range 400 {
			of.own.Load() // takes a nanosecond
		}
		made = primitives.Nanotime()
		of.flag.StoreRelease(1)
	})
	if late := seen - made; late < 0 || late > 500 {
		t.Errorf("a store made at %d was seen at %d, want that a little later", made, seen)
	}
}

// A worker that waits is not resumed while what it waits for is as it was, and its CPU reads it
// again all the same.
func TestReadsAgain(t *testing.T) {
	for name, test := range map[string]func(*primitives.Uint32) bool{
		"load": func(w *primitives.Uint32) bool { return w.Load() != 0 },
		"swap": func(w *primitives.Uint32) bool { return w.Swap(1) == 2 },
		"CAS":  func(w *primitives.Uint32) bool { return w.CompareAndSwap(2, 3) },
	} {
		var of struct {
			_           primitives.CacheLine
			word, other primitives.Uint32
			_           primitives.CacheLine
		}
		if name == "swap" {
			of.word.Store(1)
		}
		looks, changed, went := 0, int64(0), int64(0)
		r := run(t, sim.Config{Machine: machine(t, "xeon-8176-8s"), CPUs: 2}, func() {
			primitives.Go(func() {
				for spin := (primitives.Spin{}); !test(&of.word); spin.Once() {
					looks++
				}
				went = primitives.Nanotime()
			})
			primitives.Sleep(50 * time.Microsecond)
			for range 100 {
				of.other.Add(1)
				primitives.Busy(time.Microsecond)
			}
			changed = primitives.Nanotime()
			of.word.Store(2)
		})
		if late := went - changed; late < 0 || late > 1000 {
			t.Errorf("%s: the worker went on %d ns after the change, want a pause of 200 and a few hops", name, late)
		}
		if looks < 2 || looks > 10 {
			t.Errorf("%s: the worker looked %d times, want a few", name, looks)
		}
		if n := r.Total().Lines[sim.Cluster]; n < 90 {
			t.Errorf("%s: the line came %d times from a CPU to the other, want at least one for each of 100 changes", name, n)
		}
		if n := min(r.CPUs[0].Operations, r.CPUs[1].Operations); n < 90 {
			t.Errorf("%s: a CPU did %d operations, want one for each of 100 changes", name, n)
		}
		if spun := r.Total().Spin; spun < 100*time.Microsecond || spun > 200*time.Microsecond {
			t.Errorf("%s: spun for %v, want about 150µs", name, spun)
		}
	}
}

// A worker that leaves by Goexit, as a test that fails, has the caller of Run leave too.
func TestGoexit(t *testing.T) {
	unwound, ended := 0, make(chan bool, 1)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		sim.Config{Machine: machine(t, "graviton2"), CPUs: 4}.Run(func() {
			for i := range 6 {
				primitives.Go(func() {
					defer func() { unwound++ }()
					primitives.Sleep(time.Microsecond)
					if i == 3 {
						runtime.Goexit()
					}
					for {
						primitives.Sleep(time.Microsecond)
					}
				})
			}
			primitives.Sleep(time.Millisecond)
		})
		returned = true
	}()
	if <-ended {
		t.Error("Run returned")
	}
	if unwound != 6 {
		t.Errorf("%d workers of 6 were unwound", unwound)
	}
	run(t, sim.Config{Machine: machine(t, "graviton2")}, func() {}) // it can run again
}
