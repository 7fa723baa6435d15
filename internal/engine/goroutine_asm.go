//go:build virtual && !purego && (amd64 || arm64)

package engine

// TellsApart says that a goroutine that is no worker can be distinguished from one.
const TellsApart = true

// goroutine returns a number that no other existing goroutine has.
func goroutine() uintptr
