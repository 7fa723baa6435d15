package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// TryLock checks that a lock admits one holder at a time if the first worker waits
// for it and the others only try, ops times each; and that in the end a TryLock
// succeeds, and the next one fails.
func TryLock(fresh func() Lock, workers, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var n primitives.Cell[int] // guarded by l
		sections := ops
		m.Go(func() {
			for range ops {
				section(l, &n)
			}
		})
		m.GoAlike(workers-1, func() {
			for range ops {
				if l.TryLock() {
					n.Set(n.Get() + 1)
					l.Unlock()
					sections++
				}
			}
		})
		m.Wait()
		wantCount(m, &n, sections)
		wantFree(m, l)
	}
}

// wantFree fails the execution unless l, which no other worker uses any more, can be
// locked once.
func wantFree(m *check.Machine, l Lock) {
	if !l.TryLock() {
		m.Failf("TryLock of unlocked lock = false, want true")
	}
	if l.TryLock() {
		m.Failf("TryLock of locked lock = true, want false")
	}
	l.Unlock()
}

// Tries checks that of the workers that try to lock a free lock one succeeds. It keeps
// the lock until all have tried: no TryLock waits.
func Tries(fresh func() Lock, workers int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		n := 0
		var tried primitives.Uint32
		m.GoAlike(workers, func() {
			won := l.TryLock()
			tried.Add(1)
			if !won {
				return
			}
			n++
			m.Until(func() bool { return tried.Load() == uint32(workers) })
			l.Unlock()
		})
		m.Wait()
		if n != 1 {
			m.Failf("of %d workers that tried to lock a free lock %d succeeded, want 1", workers, n)
		}
	}
}

// Misuse checks that an Unlock too many panics, whatever happened to the lock before,
// and does not change it.
func Misuse(fresh func() sync.Locker, workers int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var n primitives.Cell[int] // guarded by l
		m.GoAlike(workers, func() { section(l, &n) })
		m.Wait()
		if !panics(l.Unlock) {
			m.Failf("Unlock of unlocked lock did not panic")
		}
		if l, ok := l.(Lock); ok {
			wantFree(m, l)
		}
	}
}

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}
