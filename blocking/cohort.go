package blocking

// A cohort is a chain of waiters that were granted what they waited for, in
// the order of arrival, and are to be woken.
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

// wake wakes all of c. The last of them gets the caller's CPU at once and the
// others come next, so that those who were served are through before the
// caller comes back for more.
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
