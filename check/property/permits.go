package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// Permits checks that a semaphore with a number of permits, as a Locker, does not give
// out more, that each worker gets one ops times, and that all are free at the end.
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
			l.Lock() // waits without end if a permit is lost
		}
	}
}
