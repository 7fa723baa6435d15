//go:build !virtual || purego || (!amd64 && !arm64)

package sched

// TellsApart says that a goroutine that is no worker is not told from one.
const TellsApart = false

// goroutine returns 0: here goroutines are not told apart.
func goroutine() uintptr { return 0 }
