//go:build !virtual || purego || (!amd64 && !arm64)

package engine

// TellsApart says that a goroutine that is no worker cannot be distinguished from one.
const TellsApart = false

// goroutine returns 0: here goroutines cannot be distinguished.
func goroutine() uintptr { return 0 }
