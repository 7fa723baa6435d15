package check

import "math/rand/v2"

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
// with d-1 changes finds it with a probability of at least 1/(n·k^(d-1)).
type pct struct {
	random
	changes  int
	longest  int // of the executions so far, in steps
	steps    int
	at       []int // the steps at which the priority changes
	lowest   int
	priority [maxProcs]int
}

func newPCT(seed uint64, changes int) *pct {
	return &pct{random: random{seed: seed}, changes: changes}
}

func (p *pct) begin() {
	p.random.begin()
	p.longest = max(p.longest, p.steps)
	p.steps, p.lowest = 0, 0
	for i, n := range p.rng.Perm(maxProcs) {
		p.priority[i] = n + 1
	}
	p.at = p.at[:0]
	for range p.changes {
		p.at = append(p.at, p.rng.IntN(max(p.longest, 1)))
	}
}

func (p *pct) pick(_ proc, enabled procs) (proc, bool) {
	best := p.best(enabled)
	for _, at := range p.at {
		if at == p.steps {
			p.lowest--
			p.priority[best] = p.lowest
			best = p.best(enabled)
		}
	}
	p.steps++
	return best, true
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
