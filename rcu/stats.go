package rcu

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// Stats is what an [Updater] has done.
type Stats struct {
	GracePeriods uint64        // that are over
	Total        time.Duration // of them
	Longest      time.Duration
	Expedited    uint64 // of them and the one that is running
	Stalls       uint64 // reports of stalled ones

	Waiting  int    // callbacks that are not over
	Run      uint64 // that are
	Panicked uint64 // of those, or called runtime.Goexit
}

// counters has them.
type counters struct {
	total, longest        primitives.Uint64 // who has the turn changes them
	expedited             primitives.Uint64
	stalls, run, panicked primitives.Uint64
}

// over notes a grace period that took d. The caller has the turn.
func (c *counters) over(d time.Duration) {
	c.total.StoreRelease(c.total.Load() + uint64(d))
	c.longest.StoreRelease(max(c.longest.Load(), uint64(d)))
}

// Stats returns what u has done so far. The numbers may be of slightly different
// moments.
func (u *Updater) Stats() Stats {
	return Stats{
		GracePeriods: u.seq.Load() / 2,
		Total:        time.Duration(u.counters.total.Load()),
		Longest:      time.Duration(u.counters.longest.Load()),
		Expedited:    u.counters.expedited.Load(),
		Stalls:       u.counters.stalls.Load(),
		Waiting:      int(u.callbacks.waiting.Load()),
		Run:          u.counters.run.Load(),
		Panicked:     u.counters.panicked.Load(),
	}
}
