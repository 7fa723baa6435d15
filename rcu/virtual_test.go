//go:build virtual

package rcu_test

import (
	"fmt"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// A flavour is one of RCU's, for the models: what updates, and what runs a
// function in a read-side critical section. reader makes the latter for one
// worker, which then says when it begins to read and when it has done so.
type flavour struct {
	updater *rcu.Updater
	reader  func() reader
}

type reader struct {
	read        func(f func())
	begin, done func()
}

func nothing() {}

var flavours = map[string]func() flavour{
	"domain": func() flavour {
		d := rcu.NewDomain(rcu.Config{})
		d.See(4) // or the first to read on a CPU would conflict with all others
		return flavour{&d.Updater, func() reader {
			return reader{func(f func()) {
				s := d.ReadLock()
				f()
				d.ReadUnlock(s)
			}, nothing, nothing}
		}}
	},
	"pinned": func() flavour {
		p := rcu.NewPinned(rcu.Config{})
		p.See(4)
		return flavour{&p.Updater, func() reader {
			return reader{func(f func()) {
				s := p.ReadLock()
				f()
				p.ReadUnlock(s)
			}, nothing, nothing}
		}}
	},
	"registered": func() flavour {
		d := rcu.NewRegistered(rcu.Config{})
		return flavour{&d.Updater, func() reader {
			r := d.Register()
			return reader{func(f func()) {
				r.ReadLock()
				f()
				r.ReadUnlock()
			}, nothing, nothing}
		}}
	},
	"qsbr": func() flavour {
		q := rcu.NewQSBR(rcu.Config{})
		return flavour{&q.Updater, func() reader {
			r := q.Register()
			r.Offline()
			return reader{func(f func()) {
				f()
				r.Quiescent()
			}, r.Online, r.Offline}
		}}
	},
}

// An object is in use from Assign to the end of the grace period after it was
// replaced; then it is used again for something else, which who still reads it
// would see as a data race.
type object struct{ value primitives.Cell[int] }

// readsAndUpdates says that nothing is used again that a reader may have.
func readsAndUpdates(fresh func() flavour, readers, reads, updates int) func(m *check.Machine) {
	return func(m *check.Machine) {
		f := fresh()
		var p rcu.Pointer[object]
		p.Assign(new(object))
		// The readers are alike: the first to take a step is number 0.
		handles, next := make([]reader, readers), 0
		for i := range handles {
			handles[i] = f.reader()
		}
		m.GoAlike(readers, func() {
			r := handles[next]
			next++
			r.begin()
			for range reads {
				r.read(func() {
					if v := p.Dereference().value.Get(); v < 0 {
						m.Failf("read %d from an object that is in use again", v)
					}
				})
			}
			r.done()
		})
		m.Go(func() {
			for range updates {
				old := p.Replace(new(object))
				f.updater.Synchronize()
				old.value.Set(-1)
			}
		})
		m.Wait()
	}
}

func TestGracePeriods(t *testing.T) {
	for name, fresh := range flavours {
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

// A reader may come on one CPU and leave on another: who sums must look at where
// they leave first. And the first to read on a CPU makes it known.
func TestDomainMoves(t *testing.T) {
	fresh := flavours["domain"]
	for _, size := range []struct{ readers, reads, updates int }{{1, 1, 1}, {2, 1, 1}} {
		r := check.Explore(t, check.Config{CPUs: 2}, readsAndUpdates(fresh, size.readers, size.reads, size.updates))
		t.Logf("%+v: %v", size, r)
	}
}
