//go:build virtual && (amd64 || arm64)

package sched

// goroutine returns a number that the calling goroutine has, and no other that
// there is.
func goroutine() uintptr
