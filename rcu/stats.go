package rcu

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// Stats says what an [Updater] has done.
type Stats struct {
	GracePeriods uint64        // that are over
	Total        time.Duration // of them
	Longest      time.Duration
	Expedited    uint64 // of them, and of the one that is running
	Stalls       uint64 // reports of stalled grace periods

	Waiting  int    // callbacks that are not over
	Run      uint64 // callbacks that are over
	Panicked uint64 // callbacks that panicked or called runtime.Goexit
}

// counters has the numbers of Stats.
type counters struct {
	total, longest        primitives.Uint64 // only the holder of turn changes them
	expedited             primitives.Uint64
	stalls, run, panicked primitives.Uint64
}

// over notes a grace period that took d. The caller holds turn.
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
