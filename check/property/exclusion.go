// Package property has the properties of locks as bodies for package check: each
// function returns a body that checks a property of a new lock on one schedule. They
// are for any lock:
//
//	func TestMyLock(t *testing.T) { // go test -tags virtual
//		property.All(t, func() *mine.Lock { return new(mine.Lock) })
//		property.Every(t, "Readers", property.ReadersExclude(func() property.Readers { return new(mine.RW) }, 2, 1, 1))
//	}
//
// Besides the lock, workers share Cells, whose accesses only the lock may order, or
// words, whose accesses are steps. Counts in plain variables are read only after
// Machine.Wait.
//
// All of them also check that every waiter makes progress: the checker finds
// deadlocks and lost wake-ups by itself.
package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A Lock can also be tried, without waiting.
type Lock interface {
	sync.Locker
	TryLock() bool
}

// Exclusion checks that a lock admits one holder at a time, and that each worker
// acquires it ops times. Two holders at a time are a data race on the counter that
// the lock protects, even if no update is lost.
func Exclusion(fresh func() sync.Locker, workers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var n primitives.Cell[int] // guarded by l
		m.GoAlike(workers, func() {
			for range ops {
				section(l, &n)
			}
		})
		m.Wait()
		wantCount(m, &n, workers*ops)
	}
}

// section is a critical section that adds 1 to n.
func section(l sync.Locker, n *primitives.Cell[int]) {
	l.Lock()
	n.Set(n.Get() + 1)
	l.Unlock()
}

// wantCount fails the execution if n, which no other worker accesses any more, is
// not want, the number of critical sections.
func wantCount(m *check.Machine, n *primitives.Cell[int], want int) {
	if got := n.Get(); got != want {
		m.Failf("after %d critical sections the counter reads %d", want, got)
	}
}
