//go:build virtual

package rcu_test

import (
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// The end of an inner section is not the end of the outer one.
func TestModelNesting(t *testing.T) {
	for _, name := range []string{"domain", "pinned", "registered"} {
		t.Run(name, func(t *testing.T) {
			check.Explore(t, check.Config{}, func(m *check.Machine) {
				f := flavours[name](rcu.Config{})
				var p rcu.Pointer[object]
				p.Assign(new(object))
				r := reader(f)
				m.Go(func() {
					read(r, func() {
						o := p.Dereference()
						read(r, func() {})
						if v := o.value.Get(); v < 0 {
							m.Failf("read %d from an object that is in use again", v)
						}
					})
				})
				m.Go(func() { replace(&p, f.Synchronize) })
			})
		})
	}
}

// Callbacks may use objects again. They run even if no goroutine waits for them, and
// in the order of their calls.
func TestModelCallbackReuse(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		f := flavours["qsbr"](rcu.Config{Batch: 3}) // more than there are
		var p rcu.Pointer[object]
		p.Assign(new(object))
		r := reader(f)
		m.Go(func() {
			r.Online()
			read(r, func() { p.Dereference().value.Get() })
			r.Offline()
		})
		var ran primitives.Uint32
		first := p.Replace(new(object))
		f.Call(func() {
			first.value.Set(-1)
			ran.Store(1)
		})
		second := p.Replace(new(object))
		f.Call(func() {
			second.value.Set(-1)
			if !ran.CompareAndSwap(1, 2) {
				m.Failf("the second callback is the first to run")
			}
		})
		var spin primitives.Spin
		for ran.Load() != 2 {
			spin.Once()
		}
	})
}
