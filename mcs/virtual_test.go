//go:build virtual

package mcs_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/waiter"
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

func TestModelCNA(t *testing.T) {
	property.All(t, func() property.Lock { return new(mcs.CNA) }, property.UnlockPanics)
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(mcs.CNA)
		return l, l.Tail
	}, 2, 1, 0))
}

// Of waiters on two nodes some stand aside, while others get in line.
func TestModelCNANodes(t *testing.T) {
	few := check.Config{Nodes: 2, Mode: check.Bounded, Bound: 1}
	property.Explore(t, "Crowd/4", few, crowd(4))
	every := check.Config{Nodes: 2}
	if testing.Short() {
		every = few
	}
	property.Explore(t, "Crowd/3", every, crowd(3))
}

// crowd checks that a CNA that the body holds excludes workers that come meanwhile, each
// on any node, and is free at the end.
func crowd(workers int) func(*check.Machine) {
	return func(m *check.Machine) {
		var l mcs.CNA
		var n primitives.Cell[int] // guarded by l
		l.Lock()
		m.GoAlike(workers, func() {
			l.Lock()
			n.Set(n.Get() + 1)
			l.Unlock()
		})
		l.Unlock()
		m.Wait()
		m.Assert(n.Get() == workers && l.Tail() == 0)
	}
}

// A CNA serves waiters that arrive one after the other as TestCNAOrder has it, also if it
// may be handed past others only once, and if one comes when all others stand aside.
func TestModelCNAOrder(t *testing.T) {
	for _, test := range []struct {
		most        uint32
		nodes, want []int
	}{
		{mcs.MostPassed, []int{0, 0, 1}, []int{0, 1, 2}},
		{mcs.MostPassed, []int{0, 1, 0, 1, 0}, []int{0, 2, 4, 1, 3}},
		{mcs.MostPassed, []int{0, 1, 2, 0, 1}, []int{0, 3, 1, 4, 2}},
		{1, []int{0, 1, 0, 0}, []int{0, 2, 1, 3}},
		{2, []int{0, 1, 0, 0, 0, 1}, []int{0, 2, 3, 1, 5, 4}},
	} {
		undo := mcs.SetMostPassed(test.most)
		property.Every(t, fmt.Sprintf("%v/%d", test.nodes, test.most), func(m *check.Machine) {
			var l mcs.CNA
			var served primitives.Cell[[]int] // guarded by l
			arrived := 0
			defer mcs.SetWhere(func() int { arrived++; return test.nodes[arrived-1] })()
			l.Lock()
			for i := range test.nodes {
				m.GoFirst(fmt.Sprintf("waiter %d", i), func() {
					l.Lock()
					served.Set(append(served.Get(), i))
					l.Unlock()
				})
			}
			l.Unlock()
			m.Wait()
			if got := served.Get(); !slices.Equal(got, test.want) {
				m.Failf("served in order %v, want %v", got, test.want)
			}
		})
		undo()
	}
}

// While waiters stand aside, a CNA is handed past them no more often than it may be.
func TestModelCNABound(t *testing.T) {
	defer mcs.SetMostPassed(1)()
	property.Explore(t, "4", check.Config{Nodes: 2, Mode: check.Bounded, Bound: 1}, property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(mcs.CNA)
		return l, l.Tail
	}, 4, 0, 1))
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
	for _, lock := range []struct {
		name  string
		fresh func() sync.Locker
	}{
		{"Lock", func() sync.Locker { return new(mcs.Lock) }},
		{"CNA", func() sync.Locker { return new(mcs.CNA) }},
	} {
		property.Explore(t, lock.name, check.Config{CPUs: 1}, func(m *check.Machine) {
			l := lock.fresh()
			l.Lock()
			m.GoAlike(2, func() {
				l.Lock()
				l.Unlock()
			})
			m.Go(func() {
				w := waiter.Enlist()
				m.Assert(w.Next.Load() == 0)
				m.Assert(w.Next.Load() == 0)
				w.Retire()
			})
			l.Unlock()
		})
	}
}

// If waiters run out, goroutines that have none are served too, one at a time, and
// each lock has its own line. All waiters are free at the end.
func TestModelWithoutWaiters(t *testing.T) {
	lock := func() sync.Locker { return new(mcs.Lock) }
	clh := func() sync.Locker { return new(mcs.CLH) }
	for free := range 2 {
		undo := waiter.Limit(free)
		empty := func(fresh func() sync.Locker) func(*check.Machine) {
			excludes := property.Exclusion(fresh, 3, 1)
			return func(m *check.Machine) {
				excludes(m)
				m.Wait()
				m.Assert(len(waiter.Lines()) == 0 && waiter.Free() == free)
			}
		}
		property.Every(t, fmt.Sprintf("Lock/%d/3x1", free), empty(lock))
		property.Every(t, fmt.Sprintf("CLH/%d/3x1", free), empty(clh))
		property.Every(t, fmt.Sprintf("Pinned/%d/3x1", free), empty(func() sync.Locker { return locktest.Pinned(new(mcs.Lock)) }))
		undo()
	}
	for _, waiters := range []int{1, 2} {
		undo := waiter.Limit(waiters)
		property.Every(t, fmt.Sprintf("Lock/joined/%d", waiters), joined(lock, waiters))
		property.Every(t, fmt.Sprintf("CLH/joined/%d", waiters), joined(clh, waiters))
		undo()
	}
}

// joined checks that goroutines that are in line because no waiter was free keep their
// order when one is free and they get in the lock's own queue. All waiters but one,
// which the body keeps for a while, are in use there.
func joined(fresh func() sync.Locker, waiters int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var served primitives.Cell[[]int] // guarded by l
		l.Lock()
		w := waiter.Enlist()
		for i := range waiters + 1 {
			m.GoFirst(fmt.Sprintf("waiter %d", i), func() {
				l.Lock()
				served.Set(append(served.Get(), i))
				l.Unlock()
			})
		}
		w.Retire()
		l.Unlock()
		m.Wait()
		m.Assert(slices.IsSorted(served.Get()))
		m.Assert(len(waiter.Lines()) == 0 && waiter.Free() == waiters)
	}
}

// A goroutine without a waiter that waits for one lock does not wait for a goroutine
// that wants another lock.
func TestModelLinePerLock(t *testing.T) {
	defer waiter.Limit(0)()
	property.Every(t, "Lock", func(m *check.Machine) {
		var outer, inner mcs.Lock
		var release primitives.Bool
		outer.Lock()
		m.GoFirst("waits for outer", func() {
			outer.Lock()
			outer.Unlock()
		})
		m.GoFirst("holds inner", func() {
			inner.Lock()
			for spin := (primitives.Spin{}); !release.Load(); {
				spin.Once()
			}
			inner.Unlock()
		})
		release.Store(true)
		inner.Lock()
		inner.Unlock()
		outer.Unlock()
	})
}

// A number of a waiter can have all 16 bits.
func TestModelHighNumbers(t *testing.T) {
	defer waiter.HighNumbers()()
	property.Every(t, "Lock/2x2", property.Exclusion(func() sync.Locker { return new(mcs.Lock) }, 2, 2))
	property.Every(t, "CLH/2x2", property.Exclusion(func() sync.Locker { return new(mcs.CLH) }, 2, 2))
	// A waiter whose successor has parked is used again, and has another one.
	property.Bounded(t, "CLH/2x3", 1, property.Exclusion(func() sync.Locker { return new(mcs.CLH) }, 2, 3))
	property.Every(t, "CLH/TryLock/2x2", property.TryLock(func() property.Lock { return new(mcs.CLH) }, 2, 2))
	property.Every(t, "OSQ/2x1", giveUp(2, 1))
}

func TestModelOSQ(t *testing.T) {
	property.Every(t, "GiveUpOfHeld", giveUpOfHeld(2))
	property.Every(t, "GiveUp/2x1", giveUp(2, 1))
	property.Every(t, "TryLock/3", osqTryLock(3))
	property.Bounded(t, "GiveUpTwice", 2, giveUpTwice)
	property.Bounded(t, "GiveUp/2x2", 3, giveUp(2, 2)) // all are 6 million
	property.Every(t, "GiveUp/3x1", giveUp(3, 1))
}

// A goroutine retires the waiter that it enlisted for an OSQ, whether it got the lock
// or not.
func TestModelOSQRetires(t *testing.T) {
	defer waiter.Limit(3)()
	for name, body := range map[string]func(*check.Machine){
		"GiveUpOfHeld": giveUpOfHeld(1), "GiveUp": giveUp(2, 1), "TryLock": osqTryLock(2),
	} {
		property.Every(t, name, func(m *check.Machine) {
			body(m)
			m.Assert(waiter.Free() == 3)
		})
	}
}

// A waiter of an OSQ waits, and is granted the lock, on some schedules.
func TestModelOSQGrants(t *testing.T) {
	granted := false
	property.Every(t, "2", func(m *check.Machine) {
		var q mcs.OSQ
		m.Assert(q.TryLock())
		m.Go(func() {
			looks := 0
			if q.Lock(func() bool { looks++; return true }) {
				granted = granted || looks > 0
				q.Unlock()
			}
		})
		q.Unlock()
	})
	if !granted {
		t.Error("no waiter was granted the lock while it waited")
	}
}

// osqTryLock checks that an OSQ admits one holder at a time where all try.
func osqTryLock(workers int) func(*check.Machine) {
	return func(m *check.Machine) {
		var q mcs.OSQ
		var n primitives.Cell[int] // guarded by q
		m.GoAlike(workers, func() {
			if q.TryLock() {
				n.Set(n.Get() + 1)
				q.Unlock()
			}
		})
		m.Wait()
		m.Assert(q.Tail() == 0)
	}
}

// giveUpTwice checks that a goroutine that leaves the line, which is the body, has linked
// its neighbours before they go on: the one behind it is granted the lock meanwhile, and
// uses its waiter again behind another, from where it can leave, too.
func giveUpTwice(m *check.Machine) {
	var q mcs.OSQ
	var turn primitives.Uint32
	await := func(value uint32) {
		for spin := (primitives.Spin{}); turn.Load() < value; {
			spin.Once()
		}
	}
	once := func(goOn func() bool) {
		if q.Lock(goOn) {
			q.Unlock()
		}
	}
	always := func() bool { return true }
	m.GoFirst("holder", func() {
		m.Assert(q.TryLock())
		await(1)
		q.Unlock()
		await(2)
		other := waiter.Enlist() // so that it holds the lock with another waiter than before
		held := q.TryLock()
		turn.Store(3)
		await(4)
		if held {
			q.Unlock()
		}
		other.Retire()
	})
	once(func() bool {
		if turn.Load() == 0 {
			m.GoFirst("behind", func() {
				once(always)
				await(1)
				turn.Store(2)
				await(3)
				once(always)
				turn.Store(4)
			})
			turn.Store(1)
		}
		return false
	})
	m.Wait()
	m.Assert(q.Tail() == 0)
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
		m.Assert(q.Lock(func() bool { return false }))
		m.Assert(!q.TryLock())
		q.Unlock()
	}
}
