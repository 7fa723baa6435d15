package waiter

// InLineFor puts the caller at the end of the line for the lock at that address, and
// returns, when it is the head, what lets the next have its place.
func InLineFor(lock uintptr) (leave func()) {
	s := new(stand)
	s.join(lock)
	return s.leave
}

// EnlistOn returns a waiter as a goroutine on that CPU gets it, or nil if none of
// them is free.
func EnlistOn(cpu int) *Waiter { return claim(home(cpu)) }
