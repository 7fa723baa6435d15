package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A Readers is a lock that lets readers in together.
type Readers interface {
	sync.Locker
	RLock()
	RUnlock()
}

// ReadersExclude checks that a writer is alone inside, and that each worker gets in ops
// times. A reader at the same time as a writer is a data race.
func ReadersExclude(fresh func() Readers, readers, writers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var n primitives.Cell[int] // guarded by l
		m.GoAlike(writers, func() {
			for range ops {
				section(l, &n)
			}
		})
		m.GoAlike(readers, func() {
			for range ops {
				l.RLock()
				n.Get()
				l.RUnlock()
			}
		})
		m.Wait()
		wantCount(m, &n, writers*ops)
	}
}

// ReadersMeet checks that readers are inside together if there is no writer: each of
// them stays until all have come.
func ReadersMeet(fresh func() Readers, readers int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var inside primitives.Uint32
		m.GoAlike(readers, func() {
			l.RLock()
			inside.Add(1)
			m.Until(func() bool { return inside.Load() == uint32(readers) })
			l.RUnlock()
		})
	}
}
