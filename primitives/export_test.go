package primitives

import "testing"

// CountThreadYields counts how often a [Spin] offers its CPU to other threads, until the
// test is over. Only one goroutine may wait meanwhile.
func CountThreadYields(t testing.TB) *int {
	n := 0
	before := yieldThread
	yieldThread = func() { n++; before() }
	t.Cleanup(func() { yieldThread = before })
	return &n
}
