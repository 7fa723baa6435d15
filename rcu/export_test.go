package rcu

// SetFenced says whether readers have fences of their own, and returns a
// function that undoes it.
func SetFenced(f bool) (undo func()) {
	was := fenced
	fenced = f
	return func() { fenced = was }
}

// SetClock has grace periods go by a clock, and returns a function that undoes it.
func SetClock(now func() int64) (undo func()) {
	was := nanotime
	nanotime = now
	return func() { nanotime = was }
}

// Running reports whether a grace period is running.
func (u *Updater) Running() bool { return u.seq.Load()&1 == 1 }

// Hurried reports whether grace periods are to be expedited.
func (u *Updater) Hurried() bool { return u.hurry.Load() != 0 }

// Members returns how many wait for the next grace period together.
func (u *Updater) Members() (n int) {
	for m := u.group.Load(); m != nil; m = m.next {
		n++
	}
	return n
}
