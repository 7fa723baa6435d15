//go:build virtual

package mcs_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/model"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

func TestModelQueue(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(queue) })
	model.Every(t, "Exclusion/4x1", model.Exclusion(func() sync.Locker { return new(queue) }, 4, 1))
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(queue)
		return l, l.Tail
	}, 2, 1, 0))
	for _, size := range [][2]int{{2, 2}, {3, 1}} {
		model.Every(t, fmt.Sprintf("NodeReuse/%dx%d", size[0], size[1]), nodeReuse(size[0], size[1]))
	}
}

// nodeReuse says that a node can serve one acquisition after the other.
func nodeReuse(workers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		var q mcs.Queue
		var n primitives.Cell[int] // guarded by q
		for range workers {
			m.Go(func() {
				var mine mcs.Node
				for range ops {
					q.Lock(&mine)
					n.Set(n.Get() + 1)
					q.Unlock(&mine)
				}
			})
		}
		m.Wait()
		m.Assert(n.Get() == workers*ops)
	}
}

func TestModelLock(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(mcs.Lock) })
	model.Every(t, "Exclusion/4x1", model.Exclusion(func() sync.Locker { return new(mcs.Lock) }, 4, 1))
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(mcs.Lock)
		return l, l.Tail
	}, 2, 1, 0))
}

func TestModelCLH(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(mcs.CLH) })
	model.Every(t, "Exclusion/4x1", model.Exclusion(func() sync.Locker { return new(mcs.CLH) }, 4, 1))
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(mcs.CLH)
		return l, l.Tail
	}, 2, 1, 0))
}

func TestModelOSQ(t *testing.T) {
	for _, size := range [][2]int{{2, 1}, {3, 1}} {
		model.Every(t, fmt.Sprintf("GiveUp/%dx%d", size[0], size[1]), giveUp(size[0], size[1]))
	}
}

// giveUp says that an OSQ admits one holder at a time where waiters give up, or
// do not, and that it is free when all are gone, and its waiters retired.
func giveUp(workers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		var q mcs.OSQ
		var n primitives.Cell[int] // guarded by q
		got := make([]int, workers)
		for i := range workers {
			m.Go(func() {
				for range ops {
					if q.Lock(func() bool { return true }) {
						n.Set(n.Get() + 1)
						q.Unlock()
						got[i]++
					}
				}
			})
		}
		m.Wait()
		sections := 0
		for _, n := range got {
			sections += n
		}
		if n.Get() != sections {
			m.Failf("after %d critical sections the counter reads %d", sections, n.Get())
		}
		m.Assert(q.Tail() == 0)
		m.Assert(q.TryLock())
		m.Assert(!q.TryLock())
		q.Unlock()
	}
}
