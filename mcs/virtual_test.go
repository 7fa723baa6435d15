//go:build virtual

package mcs_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

func TestModelQueue(t *testing.T) {
	property.All(t, func() property.Lock { return new(queue) }, property.UnlockPanics)
	property.Every(t, "Exclusion/4x1", property.Exclusion(func() sync.Locker { return new(queue) }, 4, 1))
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(queue)
		return l, l.Tail
	}, 2, 1, 0))
	for _, size := range [][2]int{{2, 2}, {3, 1}} {
		property.Every(t, fmt.Sprintf("NodeReuse/%dx%d", size[0], size[1]), nodeReuse(size[0], size[1]))
	}
}

// nodeReuse checks that a node can serve one acquisition after the other, and that
// the queue is empty at the end.
func nodeReuse(workers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		var q mcs.Queue
		var n primitives.Cell[int] // guarded by q
		m.GoAlike(workers, func() {
			var mine mcs.Node
			for range ops {
				q.Lock(&mine)
				n.Set(n.Get() + 1)
				q.Unlock(&mine)
			}
		})
		m.Wait()
		m.Assert(n.Get() == workers*ops)
		m.Assert(q.TryLock(new(mcs.Node)))
	}
}

func TestModelLock(t *testing.T) {
	property.All(t, func() property.Lock { return new(mcs.Lock) }, property.UnlockPanics)
	property.Every(t, "Exclusion/4x1", property.Exclusion(func() sync.Locker { return new(mcs.Lock) }, 4, 1))
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(mcs.Lock)
		return l, l.Tail
	}, 2, 1, 0))
}

func TestModelCLH(t *testing.T) {
	property.All(t, func() property.Lock { return new(mcs.CLH) }, property.UnlockPanics)
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(mcs.CLH)
		return l, l.Tail
	}, 2, 1, 0))
}

// Only one goroutine has a waiter from Enlist to Retire, also if the waiters of two
// CPUs are taken and their goroutines look for one of a third.
func TestModelEnlist(t *testing.T) {
	property.Every(t, "2x1", func(m *check.Machine) {
		users := make(map[uint32]*primitives.Cell[int]) // by waiter; only its user accesses it
		m.GoAlike(2, func() {
			for range 4 {
				mcs.Enlist()
			}
			w := mcs.Enlist()
			if users[w.Number()] == nil {
				users[w.Number()] = new(primitives.Cell[int])
			}
			users[w.Number()].Set(1)
			w.Retire()
		})
	})
}

// Workers that share a CPU share its waiters, and one of them gets a waiter as soon
// as it is retired.
func TestModelSharedCPU(t *testing.T) {
	for _, size := range [][2]int{{2, 2}, {3, 1}} {
		workers, ops := size[0], size[1]
		lock := property.Exclusion(func() sync.Locker { return new(mcs.Lock) }, workers, ops)
		clh := property.Exclusion(func() sync.Locker { return new(mcs.CLH) }, workers, ops)
		property.Explore(t, fmt.Sprintf("Lock/%dx%d", workers, ops), check.Config{CPUs: 1}, lock)
		property.Explore(t, fmt.Sprintf("CLH/%dx%d", workers, ops), check.Config{CPUs: 1}, clh)
	}
}

// A waiter has no follower when the next goroutine enlists it, and gets none that
// is another's: it is not retired before its follower has linked itself.
func TestModelRetire(t *testing.T) {
	property.Explore(t, "Lock", check.Config{CPUs: 1}, func(m *check.Machine) {
		var l mcs.Lock
		l.Lock()
		m.GoAlike(2, func() {
			l.Lock()
			l.Unlock()
		})
		m.Go(func() {
			w := mcs.Enlist()
			m.Assert(!w.Followed())
			m.Assert(!w.Followed())
			w.Retire()
		})
		l.Unlock()
	})
}

// If waiters run out, goroutines that have none are served too, one at a time, and
// each lock has its own line.
func TestModelWithoutWaiters(t *testing.T) {
	for free := range 2 {
		undo := mcs.Limit(free)
		empty := func(fresh func() sync.Locker, workers int) func(*check.Machine) {
			excludes := property.Exclusion(fresh, workers, 1)
			return func(m *check.Machine) {
				excludes(m)
				m.Wait()
				m.Assert(mcs.InLines() == 0)
			}
		}
		clh := func() sync.Locker { return new(mcs.CLH) }
		property.Every(t, fmt.Sprintf("Lock/%d/3x1", free), empty(func() sync.Locker { return new(mcs.Lock) }, 3))
		property.Every(t, fmt.Sprintf("CLH/%d/2x1", free), empty(clh, 2))
		property.Bounded(t, fmt.Sprintf("CLH/%d/3x1", free), 2, empty(clh, 3)) // all of three are 310,289 without a waiter
		undo()
	}
}

func TestModelOSQ(t *testing.T) {
	property.Every(t, "GiveUpOfHeld", giveUpOfHeld(2))
	property.Every(t, "GiveUp/2x1", giveUp(2, 1))
	property.Bounded(t, "GiveUp/2x2", 3, giveUp(2, 2)) // all are 6 million
	property.Every(t, "GiveUp/3x1", giveUp(3, 1))
}

// giveUpOfHeld checks that all waiters can leave while the lock is held.
func giveUpOfHeld(waiters int) func(*check.Machine) {
	return func(m *check.Machine) {
		var q mcs.OSQ
		m.Assert(q.TryLock())
		m.GoAlike(waiters, func() { m.Assert(!q.Lock(func() bool { return true })) })
		m.Wait()
		q.Unlock()
		m.Assert(q.Tail() == 0)
	}
}

// giveUp checks that an OSQ admits one holder at a time, whether or not waiters give
// up, and that in the end it is free and its waiters are retired.
func giveUp(workers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		var q mcs.OSQ
		var n primitives.Cell[int] // guarded by q
		sections := 0
		m.GoAlike(workers, func() {
			for range ops {
				if q.Lock(func() bool { return true }) {
					n.Set(n.Get() + 1)
					q.Unlock()
					sections++
				}
			}
		})
		m.Wait()
		if n.Get() != sections {
			m.Failf("after %d critical sections the counter reads %d", sections, n.Get())
		}
		m.Assert(q.Tail() == 0)
		m.Assert(q.TryLock())
		m.Assert(!q.TryLock())
		q.Unlock()
	}
}
