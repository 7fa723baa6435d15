//go:build virtual

package check

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/rwlock"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
	"sync"
)

func run(t *testing.T, name string, body func(m *Machine)) Report {
	began := time.Now()
	r, _ := Run(Config{}, body)
	d := time.Since(began)
	fmt.Printf("%-24s %8d schedules %8d abandoned %9d steps %8v  %.0f sched/s %.2f Msteps/s", name, r.Schedules, r.Abandoned, r.Steps, d.Round(time.Millisecond), float64(r.Schedules)/d.Seconds(), float64(r.Steps)/d.Seconds()/1e6)
	if r.Failure != nil {
		fmt.Printf("  FAILURE %s: %s", r.Failure.Kind, r.Failure.Message)
	}
	fmt.Println()
	return r
}

func TestCounts(t *testing.T) {
	for k := 1; k <= 7; k++ {
		run(t, fmt.Sprintf("%d adds", k), func(m *Machine) {
			var u primitives.Uint32
			for range k {
				m.Go(func() { u.Add(1) })
			}
			m.Wait()
			m.Assert(u.Load() == uint32(k))
		})
	}
	for k := 1; k <= 6; k++ {
		run(t, fmt.Sprintf("%d readers", k), func(m *Machine) {
			var u primitives.Uint32
			for range k {
				m.Go(func() { u.Load() })
			}
			m.Go(func() { u.Store(1) })
		})
	}
	run(t, "independent", func(m *Machine) {
		var u [6]primitives.Uint32
		for i := range u {
			m.Go(func() { u[i].Store(1); u[i].Add(2) })
		}
	})
	seen := map[[2]uint32]int{}
	run(t, "sb", func(m *Machine) {
		var x, y, a, b primitives.Uint32
		m.Go(func() { x.Store(1); a.Store(y.Load()) })
		m.Go(func() { y.Store(1); b.Store(x.Load()) })
		m.Wait()
		seen[[2]uint32{a.Load(), b.Load()}]++
	})
	fmt.Println(seen)
	seen = map[[2]uint32]int{}
	run(t, "sb tso", func(m *Machine) {
		var x, y, a, b primitives.Uint32
		m.Go(func() { x.StoreRelease(1); a.Store(y.Load()) })
		m.Go(func() { y.StoreRelease(1); b.Store(x.Load()) })
		m.Wait()
		seen[[2]uint32{a.Load(), b.Load()}]++
	})
	fmt.Println(seen)
	seen = map[[2]uint32]int{}
	run(t, "mp tso", func(m *Machine) {
		var x, y, a, b primitives.Uint32
		m.Go(func() { x.StoreRelease(1); y.StoreRelease(1) })
		m.Go(func() { a.Store(y.Load()); b.Store(x.Load()) })
		m.Wait()
		seen[[2]uint32{a.Load(), b.Load()}]++
	})
	fmt.Println(seen)
}

func lockTest(t *testing.T, name string, workers, ops int, fresh func() sync.Locker) {
	run(t, fmt.Sprintf("%s %dx%d", name, workers, ops), func(m *Machine) {
		l := fresh()
		var n primitives.Cell[int]
		for range workers {
			m.Go(func() {
				for range ops {
					l.Lock()
					n.Set(n.Get() + 1)
					l.Unlock()
				}
			})
		}
		m.Wait()
		m.Assert(n.Get() == workers*ops)
	})
}

func TestLocks(t *testing.T) {
	for _, c := range []struct {
		name  string
		fresh func() sync.Locker
	}{
		{"ticket", func() sync.Locker { return new(ticket.Lock) }},
		{"tas", func() sync.Locker { return new(spinlock.TAS) }},
		{"ttas", func() sync.Locker { return new(spinlock.TTAS) }},
		{"qspinlock", func() sync.Locker { return new(qspinlock.Lock) }},
		{"mcs", func() sync.Locker { return new(mcs.Lock) }},
		{"clh", func() sync.Locker { return new(mcs.CLH) }},
		{"mutex", func() sync.Locker { return new(blocking.Mutex) }},
		{"rwq", func() sync.Locker { return new(rwlock.Queued) }},
	} {
		lockTest(t, c.name, 2, 1, c.fresh)
		lockTest(t, c.name, 2, 2, c.fresh)
		lockTest(t, c.name, 3, 1, c.fresh)
	}
}
