package machine

import "fmt"

// Pin returns a CPU that the worker has until Unpin. If each worker has its own CPU,
// it is that one. Otherwise it can be any, and if another worker has it, the worker
// waits.
func (m *VM) Pin() int {
	w := m.self
	w.pins++
	m.Pinned = true
	if m.recorder != nil {
		m.recorder.pins[w.id] = append(m.recorder.pins[w.id], caller())
	}
	if w.pins > 1 || m.limits.CPUs == 0 || m.killing {
		return w.cpu
	}
	cpu := m.Choose(m.limits.CPUs)
	// A move to another CPU is a fence, because the worker is rescheduled.
	m.step(w, Op{Kind: OpPin, Object: m.object(m.cpuAddr(cpu), nil), Write: true, Fence: cpu != w.cpu, cpu: cpu})
	m.search.Recall(w.proc(), cpu)
	w.cpu = cpu
	object := &m.objects[m.pending[w.proc()].Object]
	object.token = true
	w.clock.join(&object.released)
	m.note(w.proc(), &m.pending[w.proc()], 0, uint64(cpu))
	return cpu
}

func (m *VM) Unpin() {
	w := m.self
	w.pins--
	if m.recorder != nil && w.pins >= 0 {
		m.recorder.pins[w.id] = m.recorder.pins[w.id][:w.pins]
	}
	switch {
	case m.killing:
	case w.pins < 0:
		m.Abort(Misuse, fmt.Sprintf("%v calls Unpin without a Pin before it", w))
	case w.pins == 0 && m.limits.CPUs > 0:
		id := m.object(m.cpuAddr(w.cpu), nil)
		m.step(w, Op{Kind: OpUnpin, Object: id, Write: true})
		object := &m.objects[id]
		object.token = false
		object.released = w.clock
		w.clock[w.id]++
		m.debts[w.cpu] = debt{w, w.issued}
		m.settle(w)
		m.note(w.proc(), &m.pending[w.proc()], 0, uint64(w.cpu))
	}
}

// Node returns any node: the host may move a worker to another at any time.
func (m *VM) Node() int {
	if m.limits.Nodes < 2 || m.killing {
		return 0
	}
	return m.Choose(m.limits.Nodes)
}

// unpinned ends the execution if the running worker is pinned: what it is about to do
// could give up its CPU.
func (m *VM) unpinned(does, want string) {
	w := m.self
	if w.pins == 0 || m.killing {
		return
	}
	at := ""
	if m.recorder != nil {
		at = fmt.Sprintf(" (Pin at %v)", m.recorder.pins[w.id][w.pins-1])
	}
	m.Abort(Misuse, fmt.Sprintf("%v %s in a pinned section%s; on the host the program can end there with \"schedule: holding locks\": want %s", w, does, at, want))
}
