//go:build virtual

package rcu_test

import (
	"fmt"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// An object is in use from Assign to the end of the grace period after it was
// replaced. Then it is used again for something else; a reader that still reads it
// is in a data race.
type object struct{ value primitives.Cell[int] }

// replace replaces the object in p and uses it again after wait.
func replace(p *rcu.Pointer[object], wait func()) {
	old := p.Replace(new(object))
	wait()
	old.value.Set(-1)
}

// readsAndUpdates checks that no object is used again that a reader may have.
func readsAndUpdates(fresh func(rcu.Config) flavour, readers, reads, updates int) func(m *check.Machine) {
	return func(m *check.Machine) {
		f := fresh(rcu.Config{})
		var p rcu.Pointer[object]
		p.Assign(new(object))
		// The readers are the same: the first to take a step is number 0.
		handles, next := make([]rcu.Handle, readers), 0
		for i := range handles {
			handles[i] = reader(f)
		}
		m.GoAlike(readers, func() {
			r := handles[next]
			next++
			r.Online()
			for range reads {
				read(r, func() {
					if v := p.Dereference().value.Get(); v < 0 {
						m.Failf("read %d from an object that is in use again", v)
					}
				})
			}
			r.Offline()
		})
		m.Go(func() {
			for range updates {
				replace(&p, f.Synchronize)
			}
		})
		m.Wait()
	}
}

func TestModelGracePeriods(t *testing.T) {
	for _, name := range names {
		fresh := flavours[name]
		for _, fenced := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/fenced=%v", name, fenced), func(t *testing.T) {
				defer rcu.SetFenced(fenced)()
				for _, size := range []struct{ readers, reads, updates int }{{1, 2, 2}, {2, 1, 1}, {2, 1, 2}} {
					r := check.Explore(t, check.Config{}, readsAndUpdates(fresh, size.readers, size.reads, size.updates))
					t.Logf("%+v: %v", size, r)
				}
			})
		}
	}
}

// A reader of a Domain may come on one CPU and leave on another, so a grace period
// must sum the departures first. The first reader on a CPU makes the CPU known.
// Readers share CPUs, and so counters.
func TestModelSharedCPUs(t *testing.T) {
	for _, name := range []string{"domain", "pinned"} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []struct{ readers, reads, updates int }{{1, 1, 1}, {2, 1, 1}} {
				r := check.Explore(t, check.Config{CPUs: 2}, readsAndUpdates(flavours[name], size.readers, size.reads, size.updates))
				t.Logf("%+v: %v", size, r)
			}
		})
	}
}

// A callback runs once, after a grace period, and before the return of a Barrier that
// came after it; none is left in the queue when the goroutine ends.
func TestModelCallbacks(t *testing.T) {
	for _, size := range []struct {
		callers, calls int
		cfg            check.Config
	}{
		{1, 2, check.Config{}},
		{2, 1, check.Config{Mode: check.Bounded, Bound: 2}}, // all would be 124,418
	} {
		r := check.Explore(t, size.cfg, func(m *check.Machine) {
			f := flavours["qsbr"](rcu.Config{Batch: 1})
			var ran primitives.Cell[int]
			m.GoAlike(size.callers, func() {
				for range size.calls {
					f.Call(func() { ran.Set(ran.Get() + 1) })
				}
			})
			m.Wait()
			f.Barrier()
			if n := ran.Get(); n != size.callers*size.calls {
				m.Failf("%d callbacks ran, want %d", n, size.callers*size.calls)
			}
		})
		t.Logf("%d callers, %d calls: %v", size.callers, size.calls, r)
	}
}

// Updaters that share a grace period get one that began after they came.
func TestModelSharing(t *testing.T) {
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
		m.GoAlike(2, func() { replace(&p, f.Synchronize) })
	})
}

// A cookie is not ready before a grace period that began after it is over.
func TestModelPoll(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](rcu.Config{Batch: 1})
		var p rcu.Pointer[object]
		p.Assign(new(object))
		r := reader(f)
		m.Go(func() {
			r.Online()
			read(r, func() { p.Dereference().value.Get() })
			r.Offline()
		})
		m.Go(f.Synchronize) // its grace period may be running already
		old := p.Replace(new(object))
		if c := f.StartPoll(); f.Poll(c) {
			old.value.Set(-1)
		}
	})
}

// One of the workers that poll makes the grace period run, and all see it end.
func TestModelPollsShare(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](promptly)
		m.GoAlike(2, func() {
			c := f.StartPoll()
			var spin primitives.Spin
			for !f.Poll(c) {
				spin.Once()
			}
		})
		m.Wait()
	})
}
