//go:build !linux || purego

package primitives

// osYield does nothing: the threads that want this CPU get it when the
// caller's time slice is over. Under the tag purego canSpin does not look for
// goroutines that want it, which come first.
func osYield() {}
