//go:build virtual

package check_test

import (
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A ticketLock is package ticket's Lock, step for step.
type ticketLock struct{ next, owner primitives.Uint32 }

func (l *ticketLock) Lock() {
	ticket := l.next.Add(1) - 1
	spin := primitives.Spin{InLine: true}
	for l.owner.Load() != ticket {
		spin.Once()
	}
}

func (l *ticketLock) Unlock() {
	owner := l.owner.Load()
	if owner == l.next.Load() {
		panic("Unlock of unlocked lock")
	}
	l.owner.StoreRelease(owner + 1)
}

// BenchmarkSearch measures how many schedules and steps the search takes in a second
// on one core, by the number of workers that acquire a ticket lock once.
func BenchmarkSearch(b *testing.B) {
	for _, c := range []struct {
		name    string
		workers int
	}{{"lock=ticket/workers=3", 3}, {"lock=ticket/workers=4", 4}} {
		b.Run(c.name, func(b *testing.B) {
			var schedules, steps int
			var seconds float64
			for b.Loop() {
				r := check.Explore(b, check.Config{}, func(m *check.Machine) {
					var l ticketLock
					var n primitives.Cell[int] // guarded by l
					for range c.workers {
						m.Go(func() { l.Lock(); n.Set(n.Get() + 1); l.Unlock() })
					}
					m.Wait()
					m.Assert(n.Get() == c.workers)
				})
				schedules, steps, seconds = schedules+r.Schedules, steps+r.Steps, seconds+r.Elapsed.Seconds()
			}
			b.ReportMetric(float64(schedules)/seconds, "schedules/s")
			b.ReportMetric(float64(steps)/seconds, "steps/s")
		})
	}
}
