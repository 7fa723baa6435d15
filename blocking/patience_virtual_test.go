//go:build virtual

package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/primitives"
)

// A context that ends before the release ends the wait, wherever the waiter is by
// then. If it is granted the lock meanwhile, the lock goes to the next.
func TestModelCancelThenRelease(t *testing.T) {
	cancelled := func(m *check.Machine, l waiting, ctx context.Context) func() {
		return func() {
			if err := l.try(ctx); !errors.Is(err, context.Canceled) {
				m.Failf("wait, cancelled before the release = %v, want %v", err, context.Canceled)
			}
		}
	}
	for _, fresh := range []func() waiting{mutex, permit, writers, readers, mixed, completion} {
		name := fresh().name
		property.Every(t, name+"/alone", func(m *check.Machine) {
			l := fresh()
			ctx, cancel := m.WithCancel()
			l.hold.Lock()
			m.GoNamed("cancelled", cancelled(m, l, ctx))
			cancel()
			l.hold.Unlock()
			m.Wait()
			wantUnheld(m, l)
		})
		for place := range 2 { // of the cancelled one in line
			hurried(t, fmt.Sprintf("%s/place=%d", name, place), func(m *check.Machine) {
				l := fresh()
				ctx, cancel := m.WithCancel()
				l.hold.Lock()
				for i := range 2 {
					if i == place {
						m.GoFirst("cancelled", cancelled(m, l, ctx))
					} else {
						m.GoFirst("next", func() { l.Lock(); l.Unlock() })
					}
					m.Assert(l.line() == i+1)
				}
				cancel()
				l.hold.Unlock()
				m.Wait()
				wantUnheld(m, l)
			})
		}
	}
}

// wantUnheld fails the execution unless l is free, for one holder.
func wantUnheld(m *check.Machine, l waiting) {
	m.Assert(l.hold.TryLock())
	m.Assert(!l.hold.TryLock())
}

// A timeout that ends before the release ends the wait.
func TestModelTimeoutThenRelease(t *testing.T) {
	for _, fresh := range []func() waiting{mutex, permit, writers, readers, completion} {
		hurried(t, fresh().name, func(m *check.Machine) {
			l := fresh()
			var over primitives.Bool
			l.hold.Lock()
			m.GoNamed("impatient", func() {
				if l.timeout() {
					m.Failf("a wait of 1 ns succeeded, whose end came 1 ns before the release")
				}
				over.Store(true)
			})
			until(func() bool { return l.line() == 1 || over.Load() })
			primitives.Sleep(2)
			l.hold.Unlock()
			m.Wait()
			wantUnheld(m, l)
		})
	}
}

// A wait for a Completion that times out has used up no Complete.
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

// A spinner that gives up acquires nothing, and forgets no waiter in line: the
// lock may have been left to the spinner.
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
