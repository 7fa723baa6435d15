package model

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// Overtaking says that who is in line is overtaken at most so many times. A
// lock that is held gets waiters, each of whom comes only when the one before
// it is in line; rivals come while the lock is released.
//
// With the lock, fresh returns a function whose result changes when a waiter
// gets in line.
func Overtaking(fresh func() (l sync.Locker, line func() uint64), waiters, rivals, most int) func(*check.Machine) {
	return func(m *check.Machine) {
		l, line := fresh()
		var served primitives.Cell[[]int] // in which order; guarded by l
		serve := func(i int) {
			l.Lock()
			served.Set(append(served.Get(), i))
			l.Unlock()
		}
		l.Lock()
		for i := range waiters {
			before := line()
			m.GoNamed(fmt.Sprintf("waiter %d", i), func() { serve(i) })
			var spin primitives.Spin
			for line() == before {
				spin.Once()
			}
		}
		m.GoAlike(rivals, func() { serve(waiters) })
		l.Unlock()
		m.Wait()
		order := served.Get()
		for i := range waiters {
			overtook := 0
			for _, j := range order {
				if j == i {
					break
				}
				if j > i {
					overtook++
				}
			}
			if overtook > most {
				m.Failf("waiter %d was overtaken %d times, want at most %d: served %v", i, overtook, most, order)
			}
		}
	}
}
