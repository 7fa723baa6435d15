package machine

import "fmt"

// plain is an access of w to a Cell. It is not a step: two accesses that are not
// ordered by steps are a race in any order.
func (m *VM) plain(w *worker, id int32, write bool) {
	object := &m.objects[id]
	if object.cell == 0 {
		m.cells = append(m.cells, cell{writer: -1})
		object.cell = int32(len(m.cells))
	}
	if m.recorder != nil {
		kind := OpRead
		if write {
			kind = OpWrite
		}
		m.recorder.step(&m.memory, w.proc(), &Op{Kind: kind, Object: id}, 0, 0)
	}
	c := &m.cells[object.cell-1]
	if c.writer >= 0 && c.wrote > w.clock[c.writer] {
		m.races(w, m.workers[c.writer])
	}
	if !write {
		c.read[w.id] = w.clock[w.id]
		return
	}
	for i := range c.read {
		if c.read[i] > w.clock[i] {
			m.races(w, m.workers[i])
		}
	}
	c.writer, c.wrote = w.id, w.clock[w.id]
}

// races ends the execution: other's earlier access races with w's.
func (m *VM) races(w, other *worker) {
	m.fail(DataRace, fmt.Sprintf("%v and %v access a Cell: nothing orders them", other, w))
	m.Fault.Other = other.id
	m.killing = true
	panic(aborted{})
}
