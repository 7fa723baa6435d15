//go:build virtual

package check

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
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
