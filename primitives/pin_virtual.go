//go:build virtual

package primitives

// Pin disables preemption and returns the CPU; see pin.go.
func Pin() int {
	if e := engine(); e != nil {
		return e.Pin()
	}
	return pin()
}

// Unpin undoes one [Pin].
func Unpin() {
	if e := engine(); e != nil {
		e.Unpin()
		return
	}
	unpin()
}
