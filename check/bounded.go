package check

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
	used  int   // preemptions so far
	last  proc  // the worker that took the last step
	late  procs // buffers whose oldest store has been delayed

	diverged bool // whether the execution did not repeat the known turns
}

// A turn is a decision: the alternatives, and the one that was chosen.
type turn struct {
	rest   procs // not yet tried
	chosen proc
	taken  int8 // of a choice
	of     int8 // 0 if it is no choice
}

func (b *bounded) begin() {
	b.depth, b.used, b.last, b.late, b.diverged = 0, 0, 0, 0, false
}

// repeats reports whether the execution repeated the earlier ones.
func (b *bounded) repeats() bool { return !b.diverged && b.depth >= len(b.turns) }

// buffers are the procs that are store buffers.
const buffers = procs(0x12492492)

func (b *bounded) pick(self proc, enabled procs) (proc, bool) {
	prompt := enabled & buffers &^ b.late // stores that would be delayed
	if b.depth == len(b.turns) {
		affordable := enabled
		for rest := enabled; rest != 0; {
			p := rest.first()
			rest &^= one(p)
			if b.used+b.cost(p, enabled, prompt) > b.bound {
				affordable &^= one(p)
			}
		}
		p := affordable.first()
		switch {
		case prompt != 0:
			p = prompt.first()
		case affordable.has(b.last):
			p = b.last
		}
		b.turns = append(b.turns, turn{rest: affordable &^ one(p), chosen: p})
	}
	p := b.turns[b.depth].chosen
	if b.turns[b.depth].of > 0 || !enabled.has(p) {
		b.diverged = true
		return 0, false
	}
	b.depth++
	b.used += b.cost(p, enabled, prompt)
	switch {
	case buffers.has(p):
		b.late &^= one(p)
	default:
		b.late |= prompt
	}
	if p%3 == 0 {
		b.last = p
	}
	return p, true
}

// cost returns what a step of p costs.
func (b *bounded) cost(p proc, enabled, prompt procs) (n int) {
	if !buffers.has(p) {
		n = prompt.count()
	}
	if p%3 == 0 && p != b.last && enabled.has(b.last) {
		n++
	}
	return n
}

func (b *bounded) choose(self proc, n int) int {
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

func (b *bounded) advance() bool {
	for i := len(b.turns) - 1; i >= 0; i-- {
		t := &b.turns[i]
		switch {
		case t.of > 0 && t.taken+1 < t.of:
			t.taken++
		case t.of == 0 && t.rest != 0:
			t.chosen = t.rest.first()
			t.rest &^= one(t.chosen)
		default:
			continue
		}
		b.turns = b.turns[:i+1]
		return true
	}
	return false
}

// shortest returns the script of a failure of this kind that is easiest to read:
// one with the fewest preemptions, and among those the shortest. Its search is
// limited; it begins with found.
func (x *explorer) shortest(kind Kind, found script) script {
	const (
		most  = 1_000_000 // steps for each number of preemptions
		bound = 3
	)
	best := append(script(nil), found...)
	for n := 0; n <= bound; n++ {
		b := &bounded{bound: n}
		better := false
		for steps, more := 0, true; more && steps < most; more = b.advance() {
			if x.once(b) == failed && x.vm.failure.kind == kind && (!better || len(x.vm.script) < len(best)) {
				best, better = append(best[:0], x.vm.script...), true
			}
			steps += x.vm.steps
		}
		if better {
			break
		}
	}
	return best
}
