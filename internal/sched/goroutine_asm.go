//go:build virtual && !purego && (amd64 || arm64)

package sched

// TellsApart says that a goroutine that is no worker is told from one.
const TellsApart = true

// goroutine returns a number that the calling goroutine has, and no other that
// there is.
func goroutine() uintptr
