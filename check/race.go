package check

import "fmt"

// A clock is a vector clock: how much of each worker has happened before. It
// follows Go's memory model: a step on a word happens after the step whose
// value it sees. It is not the order in which the search thinks; see dpor.
type clock [maxWorkers]uint32

func (c *clock) join(d *clock) {
	for i := range c {
		c[i] = max(c[i], d[i])
	}
}

// A cell is what is known of a Cell: when each worker last accessed it.
type cell struct {
	writer int // who wrote last, or -1
	wrote  uint32
	read   clock
}

// plain is an access of w to a Cell. It is no step: if two accesses are not
// ordered by steps, they are a race wherever they come.
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
		m.race(w, m.workers[c.writer], "write", write)
	}
	if !write {
		c.read[w.id] = w.clock[w.id]
		return
	}
	for i := range c.read {
		if c.read[i] > w.clock[i] {
			m.race(w, m.workers[i], "read", write)
		}
	}
	c.writer, c.wrote = w.id, w.clock[w.id]
}

func (m *vm) race(w, other *worker, what string, write bool) {
	does := "read"
	if write {
		does = "write"
	}
	m.abort(DataRace, fmt.Sprintf("a %s by %v and a %s by %v: nothing orders them", what, other, does, w))
}
