package machine

// A clock is a vector clock: how much of each worker has happened before. It
// follows Go's memory model: a step on a word happens after the step whose
// value it sees. A search may use another order.
type clock [MaxWorkers]uint32

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
