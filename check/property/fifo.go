package property

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// Overtaking checks that a waiter in line is overtaken at most most times. Waiters come
// to a held lock, each when the one before it is in line; rivals come while the lock is
// released.
//
// With the lock, fresh returns a function whose result changes when a waiter
// gets in line.
func Overtaking(fresh func() (l sync.Locker, line func() uint64), waiters, rivals, most int) func(*check.Machine) {
	return func(m *check.Machine) {
		l, line := fresh()
		served := order{l: l}
		l.Lock()
		for i := range waiters {
			before := line()
			m.GoNamed(fmt.Sprintf("waiter %d", i), func() { served.add(i) })
			var spin primitives.Spin
			for line() == before {
				spin.Once()
			}
		}
		m.GoAlike(rivals, func() { served.add(waiters) })
		l.Unlock()
		m.Wait()
		served.want(m, waiters, most)
	}
}

// An order has the workers that a lock has served, in order.
type order struct {
	l      sync.Locker
	served primitives.Cell[[]int] // guarded by l
}

// add waits to be served.
func (o *order) add(i int) {
	o.l.Lock()
	o.served.Set(append(o.served.Get(), i))
	o.l.Unlock()
}

// want fails the execution if a waiter was served after more than most of those that
// came later. Waiters are numbered in the order of arrival.
func (o *order) want(m *check.Machine, waiters, most int) {
	served := o.served.Get()
	for i := range waiters {
		overtook := 0
		for _, j := range served {
			if j == i {
				break
			}
			if j > i {
				overtook++
			}
		}
		if overtook > most {
			m.Failf("waiter %d was overtaken %d times, want at most %d: served %v", i, overtook, most, served)
		}
	}
}

// FIFO checks that a lock whose line cannot be seen serves its waiters in the order
// of arrival. Waiters come one after the other to a held lock, each when the one
// before waits, and rivals come after them. It is not for a lock whose waiters wait
// for a moment before they get in line: see [check.Config.Spins].
func FIFO(fresh func() sync.Locker, waiters, rivals int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		served := order{l: l}
		l.Lock()
		for i := range waiters {
			m.GoFirst(fmt.Sprintf("waiter %d", i), func() { served.add(i) })
		}
		m.GoAlike(rivals, func() { served.add(waiters) })
		l.Unlock()
		m.Wait()
		served.want(m, waiters, 0)
	}
}
