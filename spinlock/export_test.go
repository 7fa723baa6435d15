package spinlock

import "time"

// Learn tells l how long a look at its word took.
func (l *Backoff) Learn(look time.Duration) { l.travel.Learn(look) }

// Far reports whether l takes its CPUs to be far from each other.
func (l *Backoff) Far() bool { return l.travel.Far() }
