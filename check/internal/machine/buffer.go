package machine

import "unsafe"

// flush writes the oldest store in w's buffer to memory.
func (m *VM) flush(w *worker) {
	s := w.stores[0]
	object := &m.objects[s.object]
	old := m.value(s.object)
	object.At.SetRaw(old&^s.mask|s.val&s.mask, nil)
	object.released = s.clock
	now := m.value(s.object)
	m.note(w.buffer(), &m.pending[w.buffer()], old, now)
	w.stores = w.stores[:copy(w.stores, w.stores[1:])]
	if len(w.stores) > 0 {
		m.pending[w.buffer()].Object = w.stores[0].object
	}
	m.settle(w)
	if old != now {
		m.change(w, s.object)
	}
	if w.latest(s.object) < 0 {
		w.flushed(s.object, object.version)
	}
}

// change notes that the step just taken, by a worker or by its store buffer, changed
// an object. It ends the waits of the workers that see the change.
func (m *VM) change(by *worker, id int32) {
	m.objects[id].version++
	m.search.Changed()
	for _, w := range m.workers[:m.Live] {
		if w.state == watches && w.watched == id && w != by && w.latest(id) < 0 {
			m.silent |= 1 << w.id
			w.state = runs
			m.search.Follow(w.proc(), -1)
		}
	}
}

// settle notes which CPUs w has no debt on any more.
func (m *VM) settle(w *worker) {
	for cpu := range m.limits.CPUs {
		if m.debts[cpu].worker == w && w.issued-len(w.stores) == m.debts[cpu].stores {
			m.search.Keep(cpu, w.buffer())
		}
	}
}

// expire ends w's Park by its deadline.
func (m *VM) expire(w *worker) {
	w.expired, w.cancelled = true, false
	m.note(w.alarm(), &m.pending[w.alarm()], 0, 0)
}

// note records a step, if the execution is recorded. It is inlined.
func (m *VM) note(p Proc, o *Op, old, now uint64) {
	if m.recorder != nil {
		m.recorder.step(&m.memory, p, o, old, now)
	}
}

// bufferOf returns the number of w's store buffer among the objects.
func (m *VM) bufferOf(w *worker) int32 { return m.object(unsafe.Pointer(&w.stores), nil) }

// cpuAddr is the address that stands for a CPU among the objects.
func (m *VM) cpuAddr(cpu int) unsafe.Pointer { return unsafe.Pointer(&m.cpu[cpu]) }

// anyChanged reports whether any of the words has changed for w since it read them.
// While w has a store to a word in its buffer it sees that store, even if another
// worker writes the word.
func (m *VM) anyChanged(w *worker, read []Seen) bool {
	for _, s := range read {
		if m.objects[s.Object].version != s.version && w.latest(s.Object) < 0 {
			return true
		}
	}
	return false
}

// Conflict reports whether the order of the pending steps of p and q matters.
func (m *VM) Conflict(p, q Proc) bool {
	a, b := &m.pending[p], &m.pending[q]
	if a.Object >= 0 && a.Object == b.Object {
		if x, y := m.writes(a), m.writes(b); x && y || x && m.Forwards(q, b.Object) < 0 || y && m.Forwards(p, a.Object) < 0 {
			return true
		}
	}
	return m.readsOf(p, b) || m.readsOf(q, a)
}

// readsOf reports whether b writes something that p will read in addition to its
// object.
func (m *VM) readsOf(p Proc, b *Op) bool {
	for _, s := range m.pending[p].More {
		if s.Object == b.Object && m.writes(b) && m.Forwards(p, s.Object) < 0 {
			return true
		}
	}
	return false
}

// Forwards returns which store in its worker's buffer p would see if it read an
// object now, or -1 if it would see what is in memory.
func (m *VM) Forwards(p Proc, object int32) int {
	if w := m.workers[p.Worker()]; len(w.stores) > 0 && p == w.proc() {
		return w.latest(object)
	}
	return -1
}

// Partial reports whether the oldest store in a worker's buffer is to a part of its word.
func (m *VM) Partial(worker int) bool { return m.workers[worker].stores[0].mask != wholeWord }

// writes reports whether o would write its object now.
func (m *VM) writes(o *Op) bool {
	if o.cas {
		return m.value(o.Object) == o.expect
	}
	return o.Write
}
