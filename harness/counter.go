package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A counter is a statistic that all workers add to: the least that a lock can
// be for.
//
// It must never run backwards, and in the end be the number of writes.
type counter struct {
	_     pad
	n     primitives.Cell[uint64]
	_     pad
	seats seats
}

func newCounter(workers int, seed uint64) Data {
	return &counter{seats: newSeats(workers, seed)}
}

func (c *counter) Write(worker int) {
	n := c.look(worker) + 1
	c.n.Set(n)
	c.seats[worker].seen = n
	c.seats[worker].writes++
}

func (c *counter) Read(worker int) { c.look(worker) }

func (c *counter) look(worker int) uint64 {
	n, s := c.n.Get(), &c.seats[worker]
	if before := s.seen; !s.sees(n) {
		s.accuse(fmt.Sprintf("workload counter, as worker %d looks again", worker),
			fmt.Sprintf("%d or more", before), fmt.Sprint(n))
	}
	return n
}

func (c *counter) Verify() error {
	writes, err := c.seats.verify()
	if n := c.n.Get(); err == nil && n != writes {
		err = lost("counter", "a count of", writes, writes, n)
	}
	return err
}
