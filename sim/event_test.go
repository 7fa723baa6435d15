package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Events come in their order, in which ever they were pushed.
func TestEvents(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		var h events
		var want []event
		for i := range n {
			e := event{at: picos(rng.IntN(10)), order: uint64(rng.IntN(3))<<32 | uint64(i)}
			h.push(e)
			want = append(want, e)
		}
		slices.SortFunc(want, func(a, b event) int {
			if a.before(&b) {
				return -1
			}
			return 1
		})
		var got []event
		for len(h) > 0 {
			if first := h.first(); first != want[len(got)].at {
				t.Fatalf("%d events: first at %v, want %v", n, first, want[len(got)].at)
			}
			got = append(got, h.pop())
		}
		if !slices.Equal(got, want) || h.first() != never {
			t.Fatalf("%d events: %v, then %v, want %v and never", n, got, h.first(), want)
		}
	}
}
