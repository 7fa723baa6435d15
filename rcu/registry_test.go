package rcu_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/rcu"
)

// Whichever readers register and unregister, before and during a walk, the walk ends
// and comes once to each reader that is there from its beginning to its end. It
// comes to no reader that had gone before, and to none twice.
func TestRegistry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		defer rcu.SetAtATime(rapid.IntRange(1, 4).Draw(t, "at a time"))()
		var g rcu.Registry
		there, given := map[int]bool{}, 0
		change := func() (added, removed []int) {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				if len(there) == 0 || rapid.Bool().Draw(t, "add") {
					given++
					g.Add(given)
					there[given] = true
					added = append(added, given)
					continue
				}
				n := rapid.IntRange(1, given).Draw(t, "remove")
				if got := g.Remove(n); got != there[n] {
					t.Fatalf("remove(%d) = %v, want %v", n, got, there[n])
				}
				if there[n] {
					delete(there, n)
					removed = append(removed, n)
				}
			}
			return added, removed
		}
		for range rapid.IntRange(1, 5).Draw(t, "walks") {
			for range 5 {
				change()
			}
			visit, been := map[int]bool{}, map[int]bool{}
			for n := range there {
				visit[n] = true
			}
			first := len(there)
			for n := range g.Walk {
				if been[n] {
					t.Fatalf("a walk came to %d twice", n)
				}
				if n > given || len(been) > first {
					t.Fatalf("a walk over %d readers came to %d, after %d others", first, n, len(been))
				}
				been[n] = true
				_, removed := change()
				for _, n := range removed {
					delete(visit, n)
				}
			}
			for n := range visit {
				if !been[n] {
					t.Fatalf("a walk did not come to %d, which was there all the time; it came to %v", n, been)
				}
			}
		}
	})
}

// BenchmarkUnregister is a Register and an Unregister among many other readers.
func BenchmarkUnregister(b *testing.B) {
	for _, others := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("flavour=registered/readers=%d", others), func(b *testing.B) {
			r := rcu.NewRegistered(rcu.Config{})
			for range others {
				r.Register()
			}
			for b.Loop() {
				r.Register().Unregister()
			}
		})
		// The readers in the first half of the list unregister: they came early.
		b.Run(fmt.Sprintf("flavour=qsbr/readers=%d", others), func(b *testing.B) {
			q := rcu.NewQSBR(rcu.Config{})
			readers := make([]*rcu.QuiescentReader, others+1)
			for i := range readers {
				readers[i] = q.Register()
			}
			for i := 0; b.Loop(); i = (i + 1) % len(readers) {
				readers[i].Unregister()
				readers[i] = q.Register()
			}
		})
	}
}
