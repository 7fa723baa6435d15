package check

// A bounded search takes every schedule with at most so many preemptions: a
// step of another worker while the last one could have gone on. Steps of store
// buffers and alarms are no preemptions. It goes depth first, and knows nothing
// of schedules that are alike. After Musuvathi and Qadeer, "Iterative Context
// Bounding for Systematic Testing of Multithreaded Programs" (PLDI 2007).
type bounded struct {
	blind
	bound int
	turns []turn
	depth int
	used  int  // preemptions so far
	last  proc // the worker who took the last step
}

// A turn is a decision: what could be decided, and what was.
type turn struct {
	rest   procs // not yet tried
	chosen proc
	taken  int8 // of a choice
	of     int8 // 0 if it is no choice
	used   int  // preemptions before it
	last   proc
}

func (b *bounded) begin() { b.depth, b.used, b.last = 0, 0, 0 }

func (b *bounded) pick(self proc, enabled procs) (proc, bool) {
	if b.depth == len(b.turns) {
		free := enabled
		if enabled.has(b.last) && b.used == b.bound {
			for w := proc(0); w < maxProcs; w += 3 {
				if w != b.last {
					free &^= one(w)
				}
			}
		}
		p := free.first()
		if free.has(b.last) {
			p = b.last
		}
		b.turns = append(b.turns, turn{rest: free &^ one(p), chosen: p, used: b.used, last: b.last})
	}
	t := &b.turns[b.depth]
	b.depth++
	p := t.chosen
	if p%3 == 0 {
		if p != b.last && enabled.has(b.last) {
			b.used++
		}
		b.last = p
	}
	return p, true
}

func (b *bounded) choose(self proc, n int) int {
	if b.depth == len(b.turns) {
		b.turns = append(b.turns, turn{of: int8(n), used: b.used, last: b.last})
	}
	t := &b.turns[b.depth]
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

// shortest returns the script of a failure of this kind that a reader follows
// most easily: with the fewest preemptions, and among those the shortest. It
// looks for a while only; found is where it begins.
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
