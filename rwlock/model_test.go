package rwlock_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rwlock"
)

// TestAgainstModel calls methods of each lock that need not wait, as rapid draws them,
// in one goroutine or in others, one after the other. The lock must agree with its
// spec: a number of readers, or a writer.
func TestAgainstModel(t *testing.T) {
	bases := []struct {
		name  string
		fresh func() rwlock.Lock
	}{
		{"ReaderPref", func() rwlock.Lock { return new(rwlock.ReaderPref) }},
		{"Queued", func() rwlock.Lock { return new(rwlock.Queued) }},
		{"PhaseFair", func() rwlock.Lock { return new(rwlock.PhaseFair) }},
		{"Distributed", func() rwlock.Lock { return new(rwlock.Distributed) }},
	}
	for _, b := range bases {
		t.Run(b.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { obeys(t, b.fresh()) })
		})
		t.Run("Biased/"+b.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { obeys(t, rwlock.NewBiased(b.fresh())) })
		})
	}
}

// obeys asserts that l, which is unlocked, behaves as its spec does.
func obeys(t *rapid.T, l rwlock.Lock) {
	var model rwlock.State
	biased, _ := l.(*rwlock.Biased)
	bias, due := biased != nil, false // whether it is biased, and whether the next writer biases it

	// The goroutine that locks and the one that unlocks can differ, and so can
	// their CPUs.
	call := func(t *rapid.T, f func()) {
		if !rapid.Bool().Draw(t, "elsewhere") {
			f()
			return
		}
		done := make(chan bool)
		go func() {
			defer close(done)
			f()
		}()
		<-done
	}
	// No step leaves its goroutine pinned, because rapid may block.
	pinned := func(lock func()) func() {
		return func() {
			lock()
			primitives.Unpin()
		}
	}
	tryPinned := func(try func() bool) func() bool {
		return func() bool {
			ok := try()
			if ok {
				primitives.Unpin()
			}
			return ok
		}
	}
	unpinning := func(unlock func()) func() {
		return func() {
			primitives.Pin()
			unlock()
		}
	}
	either := func(t *rapid.T, plain, pinned func()) {
		if rapid.Bool().Draw(t, "pinned") {
			call(t, pinned)
		} else {
			call(t, plain)
		}
	}
	tries := func(t *rapid.T, what string, try func() bool, want bool) {
		var got bool
		call(t, func() { got = try() })
		if got != want {
			t.Fatalf("%s of a lock with %v = %v, want %v", what, model, got, want)
		}
	}
	unlock := func(t *rapid.T) {
		if biased != nil {
			biased.SetCredit(rapid.IntRange(1, 10).Draw(t, "credit"))
			switch rapid.SampledFrom([]string{"", "lose", "due"}).Draw(t, "bias") {
			case "lose":
				biased.LoseBias()
				bias = false
			case "due":
				biased.SetDue(true)
				due = true
			}
			if !bias && due {
				bias, due = true, false
			}
		}
		either(t, l.Unlock, unpinning(l.UnlockPinned))
		model.Writer = false
	}
	runlock := func(t *rapid.T) {
		either(t, l.RUnlock, unpinning(l.RUnlockPinned))
		model.Readers--
	}
	t.Repeat(map[string]func(*rapid.T){
		"RLock": func(t *rapid.T) {
			if model.Writer {
				t.Skip("it would wait")
			}
			either(t, l.RLock, pinned(l.RLockPinned))
			model.Readers++
		},
		"Lock": func(t *rapid.T) {
			if model.Writer || model.Readers > 0 {
				t.Skip("it would wait")
			}
			either(t, l.Lock, pinned(l.LockPinned))
			model.Writer = true
		},
		"TryRLock": func(t *rapid.T) {
			try := rapid.SampledFrom([]func() bool{l.TryRLock, tryPinned(l.TryRLockPinned)}).Draw(t, "form")
			tries(t, "TryRLock", try, !model.Writer)
			if !model.Writer {
				model.Readers++
			}
		},
		"TryLock": func(t *rapid.T) {
			try := rapid.SampledFrom([]func() bool{l.TryLock, tryPinned(l.TryLockPinned)}).Draw(t, "form")
			tries(t, "TryLock", try, !model.Writer && model.Readers == 0)
			model.Writer = model.Writer || model.Readers == 0
		},
		"RUnlock": func(t *rapid.T) {
			if model.Readers == 0 {
				t.Skip("no reader is inside")
			}
			runlock(t)
		},
		"Unlock": func(t *rapid.T) {
			if !model.Writer {
				defer func() {
					if recover() == nil {
						t.Fatalf("Unlock of a lock with %v did not panic", model)
					}
				}()
				l.Unlock()
				return
			}
			unlock(t)
		},
		"bias": func(t *rapid.T) {
			if biased == nil {
				t.Skip("it has none")
			}
			biased.TryBias() // succeeds if the lock is free
			bias = bias || !model.Writer && model.Readers == 0
		},
		"": func(t *rapid.T) {
			if got := strings.TrimSuffix(l.String(), ", biased"); got != model.String() {
				t.Fatalf("String = %q, want %q", got, model)
			}
			if biased != nil && !model.Writer && biased.Biased() != bias {
				t.Fatalf("biased = %v, want %v", !bias, bias)
			}
		},
	})
	for model.Readers > 0 {
		runlock(t)
	}
	if model.Writer {
		unlock(t)
	}
	tries(t, "TryLock", l.TryLock, true)
	l.Unlock()
}
