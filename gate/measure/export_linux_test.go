package measure

import (
	"testing"

	"golang.org/x/sys/unix"
)

// WithoutCounter makes the machine appear to have no counter of instructions.
func WithoutCounter(t *testing.T) {
	before := countInstructions
	t.Cleanup(func() { countInstructions = before })
	countInstructions = event{unix.PERF_TYPE_HARDWARE, 1 << 40}
	if canCount() == nil {
		t.Fatal("a counter that there is not can count")
	}
}
