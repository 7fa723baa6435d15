//go:build !linux || purego

package primitives

// osYield does nothing: threads that want this CPU get it when the caller's time slice
// is over. Under the tag purego it must do nothing: goroutines that want the CPU come
// first, and canSpin does not look for them there.
func osYield() {}
