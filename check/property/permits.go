package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// Permits says of a semaphore, as a Locker of so many permits, that never more
// are out, that all workers get one ops times, and that all are back at last.
func Permits(fresh func(permits int) sync.Locker, workers, ops, permits int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh(permits)
		var out primitives.Uint32
		m.GoAlike(workers, func() {
			for range ops {
				l.Lock()
				if got := int(out.Add(1)); got > permits {
					m.Failf("%d of %d permits are out", got, permits)
				}
				out.Add(^uint32(0))
				l.Unlock()
			}
		})
		m.Wait()
		for range permits {
			l.Lock() // or nobody can get on
		}
	}
}
