//go:build virtual

package primitives

// Pin disables preemption and returns the CPU; see pin.go.
func Pin() int {
	if e := current(); e != nil {
		return e.Pin()
	}
	return pin()
}

// Unpin undoes one [Pin].
func Unpin() {
	if e := current(); e != nil {
		e.Unpin()
		return
	}
	unpin()
}
