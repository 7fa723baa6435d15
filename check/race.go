package check

import "fmt"

// A clock is a vector clock: how much of each worker has happened before. It
// follows Go's memory model: a step on a word happens after the step whose
// value it sees. The search uses another order; see dpor.
type clock [maxWorkers]uint32

func (c *clock) join(d *clock) {
	for i := range c {
		c[i] = max(c[i], d[i])
	}
}

// A cell notes when each worker last accessed a Cell.
type cell struct {
	writer int // the worker that wrote last, or -1
	wrote  uint32
	read   clock
}

// plain is an access of w to a Cell. It is not a step: two accesses that are not
// ordered by steps are a race in any order.
func (m *vm) plain(w *worker, id int32, write bool) {
	object := &m.objects[id]
	if object.cell == 0 {
		m.cells = append(m.cells, cell{writer: -1})
		object.cell = int32(len(m.cells))
	}
	if m.recorder != nil {
		kind := opRead
		if write {
			kind = opWrite
		}
		m.recorder.step(m, w.proc(), &op{kind: kind, object: id}, 0, 0)
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
func (m *vm) races(w, other *worker) {
	m.fail(DataRace, fmt.Sprintf("%v and %v access a Cell: nothing orders them", other, w))
	m.failure.other = other.id
	m.killing = true
	panic(aborted{})
}
