package search

import (
	"math/rand/v2"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// A random search chooses each step at random.
type random struct {
	blind
	seed, n uint64
	rng     *rand.Rand
}

// NewRandom returns a search without end that chooses each step at random: the same seed,
// the same schedules.
func NewRandom(seed uint64) Plan { return &random{seed: seed} }

func (r *random) Begin() { r.rng = rand.New(rand.NewPCG(r.seed, r.n)) }

func (r *random) Pick(_ machine.Proc, enabled machine.Procs) (machine.Proc, bool) {
	return nth(enabled, r.rng.IntN(enabled.Count())), true
}

func (r *random) Choose(_ machine.Proc, n int) int { return r.rng.IntN(n) }

// Repeats is true: each execution is drawn independently.
func (r *random) Repeats() bool { return true }

func (r *random) Advance() bool { r.n++; return true }

// nth returns the n'th of a set.
func nth(s machine.Procs, n int) machine.Proc {
	for range n {
		s &^= machine.One(s.First())
	}
	return s.First()
}
