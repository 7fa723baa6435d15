package check

import (
	"fmt"
	"time"
)

// A Report is what came of a search.
type Report struct {
	Config Config

	// Schedules is how many executions ran to their end, Abandoned how many
	// were given up because they were like one that was or would be run, and
	// Steps how many steps all of them had.
	Schedules, Abandoned, Steps int

	// Ended is true if there was nothing left to search: no failure and no
	// budget ended it.
	Ended bool

	Elapsed time.Duration
	Failure *Failure // nil if none was found
}

// String says what was searched, and within which bounds.
func (r Report) String() string {
	n := fmt.Sprintf("%d schedules (%d abandoned, %d steps, %v)", r.Schedules, r.Abandoned, r.Steps, r.Elapsed.Round(time.Millisecond))
	if r.Failure != nil {
		return fmt.Sprintf("%s after %s", r.Failure.Kind, n)
	}
	how := fmt.Sprintf("waits that may end go on up to %d times", max(r.Config.Spins, 0))
	switch {
	case r.Config.Mode == Random:
		return fmt.Sprintf("random schedules, seed %d: %s", r.Config.Seed, n)
	case r.Config.Mode == PCT:
		return fmt.Sprintf("random priorities with %d changes, seed %d: %s", r.Config.Bound, r.Config.Seed, n)
	case !r.Ended:
		return fmt.Sprintf("not every schedule, the budget ended the search: %s", n)
	case r.Config.Mode == Bounded:
		return fmt.Sprintf("every schedule with at most %d preemptions (%s): %s", r.Config.Bound, how, n)
	default:
		return fmt.Sprintf("every schedule (%s): %s", how, n)
	}
}
