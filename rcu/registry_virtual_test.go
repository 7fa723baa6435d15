//go:build virtual

package rcu_test

import (
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// updates lets an updater use again an object that it has replaced, while a worker
// reads it through h.
func updates(m *check.Machine, f flavour, h rcu.Handle) {
	var p rcu.Pointer[object]
	p.Assign(new(object))
	m.GoNamed("reader", func() {
		h.Online()
		read(h, func() { p.Dereference().value.Get() })
		h.Offline()
	})
	m.GoNamed("updater", func() { replace(&p, f.Synchronize) })
}

// A grace period that walks over the readers misses none when others unregister,
// whether or not it has been to those already.
func TestModelUnregister(t *testing.T) {
	defer rcu.SetAtATime(1)()
	for i, who := range []string{"first", "last"} {
		t.Run(who, func(t *testing.T) {
			check.Explore(t, check.Config{}, func(m *check.Machine) {
				f := flavours["qsbr"](rcu.Config{})
				handles := []rcu.Handle{reader(f), reader(f)}
				m.GoNamed("other", handles[i].Unregister)
				updates(m, f, handles[1-i])
			})
		})
	}
}

// It misses none when others register, even if those begin a section.
func TestModelRegister(t *testing.T) {
	defer rcu.SetAtATime(1)()
	check.Explore(t, check.Config{Mode: check.Bounded, Bound: 2}, func(m *check.Machine) {
		f := flavours["qsbr"](rcu.Config{})
		var p rcu.Pointer[object]
		p.Assign(new(object))
		m.GoAlike(2, func() {
			h := f.NewHandle()
			read(h, func() { p.Dereference().value.Get() })
			h.Unregister()
		})
		m.GoNamed("updater", func() { replace(&p, f.Synchronize) })
	})
}

// A reader of a QSBR that has waited is online again: other updaters wait for it.
func TestModelQuiescentReaderWaits(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		q := rcu.NewQSBR(rcu.Config{})
		r := q.Register()
		var p rcu.Pointer[object]
		p.Assign(new(object))
		m.GoNamed("reader", func() {
			r.Synchronize()
			r.ReadLock()
			p.Dereference().value.Get()
			r.ReadUnlock()
			r.Offline()
		})
		m.GoNamed("updater", func() { replace(&p, q.Synchronize) })
	})
}

// The end of one SynchronizeExpedited does not end the hurry of another.
func TestModelHurries(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		q := rcu.NewQSBR(rcu.Config{})
		r := q.Register()
		var done primitives.Bool
		until := func(cond func() bool) {
			var spin primitives.Spin
			for !cond() {
				spin.Once()
			}
		}
		m.GoNamed("first", func() {
			q.SynchronizeExpedited()
			done.Store(true)
		})
		until(func() bool { return q.Now() == 4 }) // the first grace period looks at its readers
		m.GoNamed("second", q.SynchronizeExpedited)
		until(func() bool { return q.Members() == 1 })
		r.Quiescent()
		until(done.Load)
		if !q.Hurried() {
			m.Failf("the end of one SynchronizeExpedited ended the hurry of another, which waits")
		}
		r.Offline()
	})
}

// A member of a group is used again as soon as it has been woken.
func TestModelMembers(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		q := rcu.NewQSBR(rcu.Config{})
		m.GoNamed("once", q.Synchronize)
		m.GoNamed("twice", func() {
			q.Synchronize()
			q.Synchronize()
		})
	})
}
