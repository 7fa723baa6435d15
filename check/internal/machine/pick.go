package machine

import (
	"fmt"
	"slices"
)

// pick chooses the next step, or ends the execution.
func (m *VM) pick() (Proc, bool) {
	if w := m.starver; w != nil {
		m.fail(Deadlock, fmt.Sprintf("%v is pinned to the only CPU, and so no other worker can end its wait", w))
		return 0, false
	}
	if m.alone == nil && m.Steps < m.limits.Steps/2 {
		if p, ok := m.search.Known(); ok {
			return p, true
		}
	}
	enabled, needed := m.enabled()
	done := m.workers[0].state == finished
	switch {
	case enabled == 0 && done:
		m.outcome = Complete
		return 0, false
	case m.Steps >= m.limits.Steps:
		m.fail(Livelock, fmt.Sprintf("%d steps and no end, though in the last %d all took turns: the workers keep each other from getting on, or the limit on steps is too low", m.Steps, m.Steps-m.limits.Steps/2))
		return 0, false
	case done: // the background and the buffers may still race with what was done
	case needed == 0 && m.spared():
		m.outcome = Abandoned // equivalent to one in which the wait has ended
		return 0, false
	case needed == 0:
		m.fail(Deadlock, "no worker can continue")
		return 0, false
	}
	if m.Steps >= m.limits.Steps/2 {
		m.Long = true
		enabled = One(m.nextTurn(enabled, needed))
	}
	p, ok := m.search.Pick(m.self.proc(), enabled)
	if !ok {
		m.outcome = Abandoned
	}
	return p, ok
}

// nextTurn returns the proc that takes the next step while all take turns. Steps that
// need not happen do not.
func (m *VM) nextTurn(enabled, needed Procs) Proc {
	if enabled&needed != 0 {
		enabled &= needed
	}
	m.turn = enabled.after(m.turn)
	return m.turn
}

// Choose chooses one of n ways for the running worker.
func (m *VM) Choose(n int) int {
	way := m.search.Choose(m.self.proc(), n)
	m.Script = append(m.Script, int8(-1-way))
	if m.recorder != nil {
		m.recorder.chose(m.self, way)
	}
	return way
}

// Pends reports whether p has a step that it could take, now or later.
func (m *VM) Pends(p Proc) bool {
	if p.Worker() >= m.Live {
		return false
	}
	switch w := m.workers[p.Worker()]; p {
	case w.proc():
		return w.state == posted
	case w.buffer():
		return len(w.stores) > 0
	default:
		return w.cancelled
	}
}

// enabled returns the procs that can take a step, and which of them must do so in
// the end.
func (m *VM) enabled() (enabled, needed Procs) {
	for _, w := range m.workers[:m.Live] {
		if w.state == posted {
			o := &m.pending[w.proc()]
			if o.Kind <= lastWordOp && !o.Fence || m.can(w) { // most ops, quickly
				enabled |= One(w.proc())
				if !w.optional {
					needed |= One(w.proc())
				}
			}
		}
		if len(w.stores) > 0 {
			enabled |= One(w.buffer())
			needed |= One(w.buffer())
		}
		if w.cancelled {
			if w.deadline.over() {
				enabled |= One(w.alarm())
			}
			needed = enabled // includes a cancellation that need not come: it was chosen
		}
	}
	if w := m.alone; w != nil {
		if own := One(w.proc()) | One(w.buffer()); enabled&own != 0 {
			return enabled & own, needed & own
		}
		m.alone = nil
	}
	return enabled, needed
}

// can reports whether w's pending step is possible.
func (m *VM) can(w *worker) bool {
	o := &m.pending[w.proc()]
	if o.Fence && len(w.stores) > 0 {
		return false
	}
	switch o.Kind {
	case OpWait:
		return m.anyChanged(w, o.More)
	case OpPark:
		return m.objects[o.Object].token || w.expired
	case OpPin:
		return !m.objects[o.Object].token && !m.debts[o.cpu].open(w)
	case OpUnpark:
		for _, other := range m.workers[:m.Live] {
			if other.cancelled && m.pending[other.proc()].Object == o.Object {
				return false // its deadline comes first
			}
		}
	case OpSleep:
		return m.workers[0].state != finished
	case OpTimer:
		return w.fires
	case OpStop:
		return !o.timer.fires || o.timer.fired
	case OpMembarrier:
		for _, w := range m.workers[:m.Live] {
			if len(w.stores) > 0 {
				return false
			}
		}
	case OpJoin:
		for _, w := range m.workers[1:m.Live] {
			if !w.background && (w.state != finished || len(w.stores) > 0) {
				return false
			}
		}
	}
	return true
}

// spared reports whether a worker waits whose wait could have ended, in another
// execution in which that was chosen.
func (m *VM) spared() bool {
	for _, w := range m.workers[:m.Live] {
		switch {
		case w.state != watches && w.state != posted:
		case w.trying, w.cancelled, w.deadline != nil && w.deadline.over(), w.timer && !w.fires && !w.stopped:
			return true
		}
	}
	return false
}

// Idle reports whether the execution had one worker, which only waited for others.
func (m *VM) Idle() bool {
	const waits = 2 // Machine.Wait, and the end of the body
	return m.Live == 1 && len(m.objects) == 0 && !m.read && len(m.Script) <= waits && slices.Max(m.Script) == slices.Min(m.Script) && m.Script[0] == 0
}
