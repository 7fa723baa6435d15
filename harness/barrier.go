package harness

import (
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A countdown lets one goroutine wait until a number of others are done. It must not be
// copied after first use.
type countdown struct {
	left   primitives.Int64 // how many are not done
	waiter primitives.Parker
}

// add says that n more goroutines are to be waited for.
func (c *countdown) add(n int) { c.left.Add(int64(n)) }

// done says that one is done, and reports whether it is the last.
func (c *countdown) done() (last bool) {
	if c.left.Add(-1) > 0 { // release: pairs with over
		return false
	}
	c.waiter.Unpark()
	return true
}

// over reports whether all are done.
func (c *countdown) over() bool { return c.left.Load() == 0 } // acquire: pairs with done

// wait waits until all are done.
func (c *countdown) wait() {
	for !c.over() {
		c.waiter.Park()
	}
}

// waitFor waits until all are done, for up to d, or until wake is called.
func (c *countdown) waitFor(d time.Duration) {
	if !c.over() {
		c.waiter.ParkTimeout(d)
	}
}

// wake ends a waitFor.
func (c *countdown) wake() { c.waiter.Unpark() }

// A barrier is where the workers of a run begin together, and where the supervisor waits
// until all of them have returned.
type barrier struct {
	absent countdown           // of workers that are not about to begin
	starts []primitives.Parker // of each worker
	left   countdown           // of workers that have not returned
	over   standby             // ends with left, for a supervisor that must not block
}

// setUp prepares b for a number of workers.
func (b *barrier) setUp(workers int) {
	b.absent.add(workers)
	b.left.add(workers)
	// Of 512 bytes or more, so that Go's allocator has it begin a cache line: which parkers
	// share one must not differ from run to run under an engine.
	const most = 512 / int(unsafe.Sizeof(primitives.Parker{}))
	b.starts = make([]primitives.Parker, workers, max(workers, most))
}

// enter returns when all workers may begin.
func (b *barrier) enter(worker int) {
	b.absent.done()
	b.starts[worker].Park()
}

// start lets the workers begin.
func (b *barrier) start() {
	for i := range b.starts {
		b.starts[i].Unpark()
	}
}

// alone reports whether all workers but one have returned.
func (b *barrier) alone() bool { return b.left.left.Load() == 1 }
