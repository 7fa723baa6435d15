package seqlock_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

// A Value of one word, of two or of more holds what was stored last, whatever its
// Tries is.
func TestValueModel(t *testing.T) {
	t.Run("1", func(t *testing.T) { valueModel(t, func(n uint64) [1]uint64 { return [1]uint64{n} }) })
	t.Run("2", func(t *testing.T) { valueModel(t, func(n uint64) [2]uint64 { return [2]uint64{n, ^n} }) })
	t.Run("3", func(t *testing.T) { valueModel(t, func(n uint64) [3]uint64 { return [3]uint64{n, ^n, n} }) })
}

func valueModel[T comparable](t *testing.T, of func(n uint64) T) {
	rapid.Check(t, func(t *rapid.T) {
		var v seqlock.Value[T]
		actions := storeModel(&v, of, v.StorePinned, v.UpdatePinned)
		actions["Tries"] = func(t *rapid.T) { v.Tries = rapid.Int32Range(-1, 3).Draw(t, "tries") }
		actions["Load within a Store"] = func(t *rapid.T) {
			val := of(rapid.Uint64().Draw(t, "value"))
			rest := v.StoreHalf(val)
			done := make(chan T)
			go func() { done <- v.Load() }()
			if v.Tries >= 0 {
				locktest.Until(func() bool { return v.Sharing() == 1 })
			}
			rest()
			if got := <-done; got != val {
				t.Fatalf("Load within a Store = %v, want what it stores, %v", got, val)
			}
			if n := v.Sharing(); n != 0 {
				t.Fatalf("%d readers keep writers out, want none", n)
			}
			actions["is"](t) // updates the model
		}
		t.Repeat(actions)
	})
}

func TestLatchModel(t *testing.T) {
	of := func(n uint64) [2]uint64 { return [2]uint64{n, ^n} }
	rapid.Check(t, func(t *rapid.T) {
		var l seqlock.Latch[[2]uint64]
		actions := storeModel(&l, of, l.Store, l.Update)
		actions["Load within a Store"] = func(t *rapid.T) {
			before, val, half := l.Load(), of(rapid.Uint64().Draw(t, "value")), rapid.IntRange(0, 1).Draw(t, "copy")
			rest := l.StoreHalf(half, val)
			if got, want := l.Load(), [][2]uint64{before, val}[half]; got != want {
				t.Fatalf("Load while copy %d is half written = %v, want %v", half, got, want)
			}
			rest()
			if got := l.Load(); got != val {
				t.Fatalf("Load after a Store = %v, want %v", got, val)
			}
			actions["is"](t)
		}
		t.Repeat(actions)
	})
}

// storeModel returns the actions on s, which holds the zero T. "is" makes the model
// hold what s holds.
func storeModel[T comparable](s store[T], of func(n uint64) T, storePinned func(T), updatePinned func(func(T) T) T) map[string]func(*rapid.T) {
	var model T
	update := func(t *rapid.T, update func(func(T) T) T) {
		val := of(rapid.Uint64().Draw(t, "value"))
		var saw T
		got := update(func(v T) T { // may run pinned, so it must not call t
			saw = v
			return val
		})
		if saw != model || got != val {
			t.Fatalf("Update of %v to %v was called with %v and returned %v", model, val, saw, got)
		}
		model = val
	}
	return map[string]func(*rapid.T){
		"Store": func(t *rapid.T) {
			model = of(rapid.Uint64().Draw(t, "value"))
			s.Store(model)
		},
		"StorePinned": func(t *rapid.T) {
			model = of(rapid.Uint64().Draw(t, "value"))
			storePinned(model)
		},
		"Update":       func(t *rapid.T) { update(t, s.Update) },
		"UpdatePinned": func(t *rapid.T) { update(t, updatePinned) },
		"Update that panics": func(t *rapid.T) {
			defer func() {
				if recover() == nil {
					t.Fatalf("Update of f that panics did not panic")
				}
			}()
			s.Update(func(T) T { panic("f") })
		},
		"is": func(*rapid.T) { model = s.Load() },
		"": func(t *rapid.T) {
			var to T
			s.LoadTo(&to)
			if got := s.Load(); got != model || to != model {
				t.Fatalf("Load = %v, LoadTo = %v, want %v", got, to, model)
			}
		},
	}
}

// TestLockModel calls methods that need not wait: a Lock admits one writer, its
// readers notice each write, and Read runs its function as often as Tries says.
func TestLockModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l seqlock.Lock
		locked, writes := false, 0
		var begun []struct { // reads
			seq    uint64
			writes int // that had begun
		}
		t.Repeat(map[string]func(*rapid.T){
			"Tries": func(t *rapid.T) { l.Tries = rapid.Int32Range(-1, 3).Draw(t, "tries") },
			"Lock": func(t *rapid.T) {
				if locked {
					t.Skip("it would wait")
				}
				if rapid.Bool().Draw(t, "pinned") {
					l.LockPinned()
					primitives.Unpin() // rapid may block
				} else {
					l.Lock()
				}
				locked = true
				writes++
			},
			"TryLock": func(t *rapid.T) {
				var got bool
				if rapid.Bool().Draw(t, "pinned") {
					if got = l.TryLockPinned(); got {
						primitives.Unpin()
					}
				} else {
					got = l.TryLock()
				}
				if got == locked {
					t.Fatalf("TryLock with locked %v = %v", locked, got)
				}
				if got {
					locked = true
					writes++
				}
			},
			"Unlock": func(t *rapid.T) {
				if !locked {
					defer func() {
						if recover() == nil {
							t.Fatalf("Unlock of unlocked lock did not panic")
						}
					}()
					l.Unlock()
					return
				}
				if rapid.Bool().Draw(t, "pinned") {
					primitives.Pin()
					l.UnlockPinned()
				} else {
					l.Unlock()
				}
				locked = false
			},
			"Begin": func(t *rapid.T) {
				if locked {
					t.Skip("it would wait")
				}
				begun = append(begun, struct {
					seq    uint64
					writes int
				}{l.Begin(), writes})
			},
			"Retry": func(t *rapid.T) {
				for _, b := range begun {
					if got, want := l.Retry(b.seq), b.writes != writes; got != want {
						t.Fatalf("Retry after %d writes = %v, want %v", writes-b.writes, got, want)
					}
				}
			},
			"Read": func(t *rapid.T) {
				if locked {
					t.Skip("it would wait")
				}
				disturbances := rapid.IntRange(0, 12).Draw(t, "disturbances")
				want, keepsOut := disturbances+1, false
				if tries := int(l.Tries); tries >= 0 {
					if tries == 0 {
						tries = seqlock.DefaultTries
					}
					keepsOut = disturbances >= tries
					want = min(want, tries+1)
				}
				runs, keptOut := 0, false
				l.Read(func() {
					runs++
					if keptOut = !l.TryLock(); keptOut {
						return
					}
					if runs <= disturbances {
						writes++
						l.Unlock()
						return
					}
					// The reader must not notice: no write took place.
					l.Abandon()
				})
				if runs != want || keptOut != keepsOut {
					t.Fatalf("Read disturbed %d times, Tries %d: %d runs, the last with writers kept out %v; want %d, %v", disturbances, l.Tries, runs, keptOut, want, keepsOut)
				}
			},
			"": func(t *rapid.T) {
				if n := l.Sharing(); n != 0 {
					t.Fatalf("%d readers keep writers out, want none", n)
				}
			},
		})
	})
}
