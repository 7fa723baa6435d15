package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A counter is a statistic that all workers add to: the smallest use of a lock.
//
// It must never go back, and at the end be the number of writes.
type counter struct {
	_     pad
	n     primitives.Cell[uint64]
	_     pad
	slots slots
}

func newCounter(workers int, seed uint64) Data {
	return &counter{slots: newSlots(workers, seed)}
}

func (c *counter) Write(worker int) {
	n := c.look(worker) + 1
	c.n.Set(n)
	c.slots[worker].seen = n
	c.slots[worker].writes++
}

func (c *counter) Read(worker int) { c.look(worker) }

func (c *counter) look(worker int) uint64 {
	n, s := c.n.Get(), &c.slots[worker]
	if before := s.seen; !s.sees(n) {
		s.fail(fmt.Sprintf("workload counter, as worker %d looks again", worker),
			fmt.Sprintf("%d or more", before), fmt.Sprint(n))
	}
	return n
}

func (c *counter) Verify() error {
	writes, err := c.slots.verify()
	if n := c.n.Get(); err == nil && n != writes {
		err = lost("counter", "a count of", writes, writes, n)
	}
	return err
}
