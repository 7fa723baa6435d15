package rcu

// SetFenced says whether readers have fences of their own, and returns a
// function that undoes it.
func SetFenced(f bool) (undo func()) {
	was := fenced
	fenced = f
	return func() { fenced = was }
}

// Running reports whether a grace period is running.
func (u *Updater) Running() bool { return u.seq.Load()&1 == 1 }

// Members returns how many wait for the next grace period together.
func (u *Updater) Members() (n int) {
	for m := u.group.Load(); m != nil; m = m.next {
		n++
	}
	return n
}
