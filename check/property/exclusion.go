// Package property has the properties of locks as bodies for package check: each
// function returns one that tries a property of a lock made anew, on the
// schedule that it runs in. They are for anybody's lock:
//
//	func TestMyLock(t *testing.T) { // go test -tags virtual
//		property.All(t, func() *mine.Lock { return new(mine.Lock) })
//		property.Every(t, "Readers", property.ReadersExclude(func() property.Readers { return new(mine.RW) }, 2, 1, 1))
//	}
//
// What workers share beyond the lock is in Cells, whose accesses must be
// ordered by the lock alone, or in words, which are steps of their own. What is
// counted in plain variables is read after Machine.Wait and by nobody before.
//
// That every waiter gets on is in all of them: the checker finds deadlocks and
// lost wake-ups by itself.
package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A Lock can be had without waiting, or not at all.
type Lock interface {
	sync.Locker
	TryLock() bool
}

// Exclusion says that a lock admits one holder at a time, and that all workers
// get it ops times. Two holders at a time are a data race on the counter that
// the lock protects, whether or not an update is lost.
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

// wantCount fails the execution if n, which nobody else accesses any more, is
// not want, the number of critical sections.
func wantCount(m *check.Machine, n *primitives.Cell[int], want int) {
	if got := n.Get(); got != want {
		m.Failf("after %d critical sections the counter reads %d", want, got)
	}
}
