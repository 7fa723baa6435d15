package search

import (
	"math"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// A PCT search gives each proc a random priority, lets the highest take each
// step, and at some random steps makes that one the lowest.
//
// If a bug needs d ordering constraints, n procs and k steps, one execution
// with d-1 changes finds it with a probability of at least 1/(n·k^(d-1)). The first
// execution, which has no changes, shows n and k; later ones that have more procs or
// steps correct them.
type PCT struct {
	random
	changes  int
	longest  int           // of the executions so far, in steps
	procs    machine.Procs // the procs that took steps in them
	drawn    int           // executions since those two last grew
	chosen   bool          // whether there was a choice other than that of a step
	steps    int
	at       []int // the steps at which the priority changes
	priority [machine.MaxProcs]int
}

// NewPCT returns a search without end that changes so many priorities in each execution.
func NewPCT(seed uint64, changes int) *PCT {
	return &PCT{random: random{seed: seed}, changes: changes}
}

func (p *PCT) Begin() {
	p.random.Begin()
	p.longest = max(p.longest, p.steps)
	p.steps = 0
	p.drawn++
	for i, n := range p.rng.Perm(machine.MaxProcs) {
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

func (p *PCT) Choose(self machine.Proc, n int) int {
	p.chosen = true
	return p.random.Choose(self, n)
}

func (p *PCT) Pick(_ machine.Proc, enabled machine.Procs) (machine.Proc, bool) {
	best := p.best(enabled)
	for i, at := range p.at {
		if at == p.steps {
			p.priority[best] = -i // an earlier change need not stay above a later one
			best = p.best(enabled)
		}
	}
	p.steps++
	if p.steps > p.longest || !p.procs.Has(best) {
		p.procs |= machine.One(best)
		p.drawn = 0
	}
	return best, true
}

func (p *PCT) best(enabled machine.Procs) machine.Proc {
	best := enabled.First()
	for rest := enabled; rest != 0; {
		q := rest.First()
		rest &^= machine.One(q)
		if p.priority[q] > p.priority[best] {
			best = q
		}
	}
	return best
}

// Abandoned says that the last execution did not end, so the bound does not count it.
func (p *PCT) Abandoned() { p.drawn = max(p.drawn-1, 0) }

// Odds returns the numbers that say how likely the search has found a fault.
func (p *PCT) Odds() Odds {
	return Odds{Procs: p.procs.Count(), Steps: max(p.longest, p.steps), Schedules: p.drawn, Chosen: p.chosen}
}

// Odds has the numbers that decide how likely a PCT search finds a fault.
type Odds struct {
	Procs, Steps, Schedules int
	Chosen                  bool // whether there was a choice other than that of a step
}

// Found returns a lower bound of the probability that the search finds a fault that
// needs a certain order of d steps.
func (o Odds) Found(d int) float64 {
	one := 1 / (float64(o.Procs) * math.Pow(float64(o.Steps), float64(d-1)))
	return -math.Expm1(float64(o.Schedules) * math.Log1p(-one))
}
