//go:build virtual

package blocking_test

import (
	"context"
	"testing"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
)

// Whoever gives up while it spins acquires nothing, and forgets nobody who is in
// line: the lock may have been left to it.
func TestModelGiveUpSpinning(t *testing.T) {
	for _, c := range []struct {
		name string
		body func(m *check.Machine, ctx context.Context)
	}{
		{"Mutex", func(m *check.Machine, ctx context.Context) {
			l := new(blocking.Mutex)
			l.Lock()
			m.GoNamed("in line", func() { l.Park(); l.Unlock() })
			until(func() bool { return l.State().Waiting == 1 })
			m.GoNamed("spins", func() {
				if l.LockContext(ctx) == nil {
					l.Unlock()
				}
			})
			l.Unlock()
			m.Wait()
			m.Assert(l.TryLock())
		}},
		{"Mutex/timeout", func(m *check.Machine, _ context.Context) {
			l := new(blocking.Mutex)
			l.Lock()
			m.GoNamed("spins", func() {
				if l.LockTimeout(1) {
					l.Unlock()
				}
			})
			l.Unlock()
			m.Wait()
			m.Assert(l.TryLock())
		}},
		{"Semaphore", func(m *check.Machine, ctx context.Context) {
			s := blocking.NewSemaphore(1)
			s.Down()
			m.GoNamed("spins", func() {
				if s.DownContext(ctx) == nil {
					s.Up()
				}
			})
			s.Up()
			m.Wait()
			m.Assert(s.TryDown())
		}},
		{"RWSem", func(m *check.Machine, ctx context.Context) {
			l := new(blocking.RWSem)
			l.RLock()
			m.GoNamed("spins", func() {
				if l.LockContext(ctx) == nil {
					l.Unlock()
				}
			})
			l.RUnlock()
			m.Wait()
			m.Assert(l.TryLock())
		}},
		{"RWSem/reader", func(m *check.Machine, ctx context.Context) {
			l := new(blocking.RWSem)
			l.Lock()
			m.GoNamed("spins", func() {
				if l.RLockContext(ctx) == nil {
					l.RUnlock()
				}
			})
			l.Unlock()
			m.Wait()
			m.Assert(l.TryLock())
		}},
	} {
		property.Every(t, c.name, func(m *check.Machine) { c.body(m, m.Context()) })
	}
}

// Who gives a Completion up after a time has used nothing up.
func TestModelCompletionTimeout(t *testing.T) {
	hurried(t, "Completion", func(m *check.Machine) {
		var c blocking.Completion
		done := 0
		m.Go(func() {
			if c.WaitTimeout(1) {
				done++
			}
		})
		m.Go(c.Complete)
		m.Wait()
		m.Assert(c.TryWait() == (done == 0))
		m.Assert(!c.TryWait())
	})
}
