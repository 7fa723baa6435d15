package blocking

// A cohort is a chain of waiters that were granted what they waited for and must
// be woken, in the order of arrival.
type cohort struct{ first, last *waiter }

// grant takes w out of line l, grants it what it waited for and puts it last
// in c. The caller holds l.lock, and calls wake once it has unlocked it.
func (c *cohort) grant(l *waitList, w *waiter) {
	l.remove(w)
	w.granted = true
	if c.last == nil {
		c.first = w
	} else {
		c.last.next = w
	}
	c.last = w
}

// wake wakes all waiters of c. The last one gets the caller's CPU at once and the
// others come next, so that all have run before the caller acquires again.
func (c cohort) wake() {
	for w := c.first; w != nil; {
		next := w.next
		w.next = nil // before it wakes: it may then be in line again
		if next == nil {
			w.turn.Handoff() // release: publishes what the caller did
		} else {
			w.turn.Unpark()
		}
		w = next
	}
}
