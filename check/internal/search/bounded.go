package search

import "github.com/lockbench/lockbench/check/internal/machine"

// A bounded search takes every schedule with at most so many preemptions. A
// preemption is a step of another worker while the last one could have continued.
// A store that stays in its buffer while any worker takes another step counts as
// one, too, once for each store. Steps of alarms do not count. The search goes depth
// first, and does not leave out equivalent schedules. After Musuvathi and Qadeer,
// "Iterative Context Bounding for Systematic Testing of Multithreaded Programs"
// (PLDI 2007).
type bounded struct {
	blind
	bound int
	turns []turn
	depth int
	used  int           // preemptions so far
	last  machine.Proc  // the worker that took the last step
	late  machine.Procs // buffers whose oldest store has been delayed

	diverged bool // whether the execution did not repeat the known turns
}

// NewBounded returns a search of every schedule with at most bound preemptions.
func NewBounded(bound int) Plan { return &bounded{bound: bound} }

// A turn is a decision: the alternatives, and the one that was chosen.
type turn struct {
	rest   machine.Procs // not yet tried
	chosen machine.Proc
	taken  int8 // of a choice
	of     int8 // 0 if it is no choice
}

func (b *bounded) Begin() {
	b.depth, b.used, b.last, b.late, b.diverged = 0, 0, 0, 0, false
}

// Repeats reports whether the execution repeated the earlier ones.
func (b *bounded) Repeats() bool { return !b.diverged && b.depth >= len(b.turns) }

func (b *bounded) Pick(self machine.Proc, enabled machine.Procs) (machine.Proc, bool) {
	prompt := enabled & machine.Buffers &^ b.late // stores that would be delayed
	if b.depth == len(b.turns) {
		affordable := enabled
		for rest := enabled; rest != 0; {
			p := rest.First()
			rest &^= machine.One(p)
			if b.used+b.cost(p, enabled, prompt) > b.bound {
				affordable &^= machine.One(p)
			}
		}
		p := affordable.First()
		switch {
		case prompt != 0:
			p = prompt.First()
		case affordable.Has(b.last):
			p = b.last
		}
		b.turns = append(b.turns, turn{rest: affordable &^ machine.One(p), chosen: p})
	}
	p := b.turns[b.depth].chosen
	if b.turns[b.depth].of > 0 || !enabled.Has(p) {
		b.diverged = true
		return 0, false
	}
	b.depth++
	b.used += b.cost(p, enabled, prompt)
	switch {
	case p.IsBuffer():
		b.late &^= machine.One(p)
	default:
		b.late |= prompt
	}
	if p.IsWorker() {
		b.last = p
	}
	return p, true
}

// cost returns what a step of p costs.
func (b *bounded) cost(p machine.Proc, enabled, prompt machine.Procs) (n int) {
	if !p.IsBuffer() {
		n = prompt.Count()
	}
	if p.IsWorker() && p != b.last && enabled.Has(b.last) {
		n++
	}
	return n
}

func (b *bounded) Choose(self machine.Proc, n int) int {
	if b.depth == len(b.turns) {
		b.turns = append(b.turns, turn{of: int8(n)})
	}
	t := &b.turns[b.depth]
	if int(t.of) != n {
		b.diverged = true
		return 0
	}
	b.depth++
	return int(t.taken)
}

func (b *bounded) Advance() bool {
	for i := len(b.turns) - 1; i >= 0; i-- {
		t := &b.turns[i]
		switch {
		case t.of > 0 && t.taken+1 < t.of:
			t.taken++
		case t.of == 0 && t.rest != 0:
			t.chosen = t.rest.First()
			t.rest &^= machine.One(t.chosen)
		default:
			continue
		}
		b.turns = b.turns[:i+1]
		return true
	}
	return false
}
