package check

import (
	"math"
	"math/rand/v2"
)

// A random search chooses each step at random.
type random struct {
	blind
	seed, n uint64
	rng     *rand.Rand
}

func newRandom(seed uint64) *random { return &random{seed: seed} }

func (r *random) begin() { r.rng = rand.New(rand.NewPCG(r.seed, r.n)) }

func (r *random) pick(_ proc, enabled procs) (proc, bool) {
	return nth(enabled, r.rng.IntN(enabled.count())), true
}

func (r *random) choose(_ proc, n int) int { return r.rng.IntN(n) }

// repeats is true: each execution is drawn independently.
func (r *random) repeats() bool { return true }

func (r *random) advance() bool { r.n++; return true }

// nth returns the n'th of a set.
func nth(s procs, n int) proc {
	for range n {
		s &^= one(s.first())
	}
	return s.first()
}

// A pct search gives each proc a random priority, lets the highest take each
// step, and at some random steps makes that one the lowest.
//
// If a bug needs d ordering constraints, n procs and k steps, one execution
// with d-1 changes finds it with a probability of at least 1/(n·k^(d-1)). The first
// execution, which has no changes, shows n and k; later ones that have more procs or
// steps correct them.
type pct struct {
	random
	changes  int
	longest  int   // of the executions so far, in steps
	procs    procs // the procs that took steps in them
	drawn    int   // executions since those two last grew
	chosen   bool  // whether there was a choice other than that of a step
	steps    int
	at       []int // the steps at which the priority changes
	priority [maxProcs]int
}

func newPCT(seed uint64, changes int) *pct {
	return &pct{random: random{seed: seed}, changes: changes}
}

func (p *pct) begin() {
	p.random.begin()
	p.longest = max(p.longest, p.steps)
	p.steps = 0
	p.drawn++
	for i, n := range p.rng.Perm(maxProcs) {
		p.priority[i] = n + 1
	}
	p.at = p.at[:0]
	for range p.changes {
		at := -1
		if p.longest > 0 {
			at = p.rng.IntN(p.longest)
		}
		p.at = append(p.at, at)
	}
}

func (p *pct) choose(self proc, n int) int {
	p.chosen = true
	return p.random.choose(self, n)
}

func (p *pct) pick(_ proc, enabled procs) (proc, bool) {
	best := p.best(enabled)
	for i, at := range p.at {
		if at == p.steps {
			p.priority[best] = -i // an earlier change need not stay above a later one
			best = p.best(enabled)
		}
	}
	p.steps++
	if p.steps > p.longest || !p.procs.has(best) {
		p.procs |= one(best)
		p.drawn = 0
	}
	return best, true
}

// odds returns the numbers that say how likely a search finds a fault.
func (x *explorer) odds(p plan) odds {
	if p, ok := p.(*pct); ok {
		return odds{procs: p.procs.count(), steps: max(p.longest, p.steps), schedules: p.drawn, chosen: p.chosen}
	}
	return odds{}
}

// odds has the numbers that decide how likely a PCT search finds a fault.
type odds struct {
	procs, steps, schedules int
	chosen                  bool
}

// found returns a lower bound of the probability that the search finds a fault that
// needs a certain order of d steps.
func (o odds) found(d int) float64 {
	one := 1 / (float64(o.procs) * math.Pow(float64(o.steps), float64(d-1)))
	return -math.Expm1(float64(o.schedules) * math.Log1p(-one))
}

func (p *pct) best(enabled procs) proc {
	best := enabled.first()
	for rest := enabled; rest != 0; {
		q := rest.first()
		rest &^= one(q)
		if p.priority[q] > p.priority[best] {
			best = q
		}
	}
	return best
}
