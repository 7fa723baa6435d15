//go:build virtual

package rcu_test

import (
	"log/slog"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// promptly runs each callback without waiting for more, and does not log those that
// the checker unwinds.
var promptly = rcu.Config{Batch: 1, Logger: slog.New(slog.DiscardHandler)}

// crowded takes two callbacks for too many.
var crowded = rcu.Config{HighWater: 1, Logger: promptly.Logger}

// A Barrier waits for the callback that was called before it, whether it is in the
// queue or running.
func TestModelBarrier(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](promptly)
		var ran primitives.Cell[bool]
		f.Call(func() { ran.Set(true) })
		f.Barrier()
		if !ran.Get() {
			m.Failf("Barrier returned before a callback had run")
		}
	})
}

// The same with another worker's Call, which may find the goroutine at its end. All
// schedules are 2 million.
func TestModelBarrierBesideCall(t *testing.T) {
	check.Explore(t, check.Config{Mode: check.Bounded, Bound: 2}, func(m *check.Machine) {
		f := flavours["qsbr"](promptly)
		var ran primitives.Cell[bool]
		f.Call(func() { ran.Set(true) })
		m.Go(func() { f.Call(func() {}) })
		f.Barrier()
		if !ran.Get() {
			m.Failf("Barrier returned before a callback had run")
		}
	})
}

// Close loses no callback, and no callback of a callback.
func TestModelClose(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](promptly)
		var ran primitives.Cell[bool]
		f.Call(func() {
			f.Call(func() { ran.Set(true) })
		})
		f.Close()
		if !ran.Get() {
			m.Failf("Close returned before a callback's callback had run")
		}
	})
}

// A caller that finds too many callbacks continues, and leaves no hurry behind.
func TestModelBackPressure(t *testing.T) {
	check.Explore(t, check.Config{Mode: check.Bounded, Bound: 2}, func(m *check.Machine) {
		f := flavours["qsbr"](crowded)
		var ran primitives.Cell[int]
		for range 2 {
			f.Call(func() { ran.Set(ran.Get() + 1) })
		}
		f.Close()
		if n := ran.Get(); n != 2 || f.Hurried() {
			m.Failf("%d callbacks ran, want 2; hurried: %v", n, f.Hurried())
		}
	})
}

// The hurry of a caller that finds too many callbacks and that of a SynchronizeExpedited
// do not overwrite each other, neither at their beginning nor at their end.
func TestModelHurryBesideBackPressure(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](crowded)
		m.Go(f.SynchronizeExpedited)
		f.SlowDown(2)
		m.Wait()
		if f.Hurried() {
			m.Failf("no caller waits, and grace periods are still expedited")
		}
	})
}

// Callers that share an expedited grace period end their hurry.
func TestModelExpedited(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](rcu.Config{})
		var p rcu.Pointer[object]
		p.Assign(new(object))
		r := reader(f)
		m.Go(func() {
			r.Online()
			read(r, func() { p.Dereference().value.Get() })
			r.Offline()
		})
		for _, wait := range []func(){f.Synchronize, f.SynchronizeExpedited} {
			m.Go(func() { replace(&p, wait) })
		}
		m.Wait()
		if f.Hurried() {
			m.Failf("no caller waits, and grace periods are still expedited")
		}
	})
}

// A Pool gives out no object that a reader may have.
func TestModelPool(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](promptly)
		pool := rcu.Pool[object]{Updater: f, New: func() *object { return new(object) }}
		var p rcu.Pointer[object]
		p.Assign(pool.Get())
		r := reader(f)
		m.Go(func() {
			r.Online()
			read(r, func() { p.Dereference().value.Get() })
			r.Offline()
		})
		old := p.Replace(pool.Get())
		pool.Retire(old)
		pool.Get().value.Set(-1)
	})
}
