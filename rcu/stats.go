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
	Stalls       uint64 // reports of stalled ones

	Waiting  int    // callbacks that have not begun; each Barrier and StartPoll has one, too
	Run      uint64 // that are over
	Panicked uint64 // of those
}

// counters has them.
type counters struct {
	total, longest        primitives.Uint64 // who has the turn changes them
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
		Stalls:       u.counters.stalls.Load(),
		Waiting:      int(u.callbacks.waiting.Load()),
		Run:          u.counters.run.Load(),
		Panicked:     u.counters.panicked.Load(),
	}
}
