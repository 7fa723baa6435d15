//go:build !virtual

package primitives

// A Cell is plain data that a lock or a workload protects: not atomic, and
// racy unless something else orders its accesses. On the host it is a plain
// field, which the race detector watches; under the model checker each access
// is tested for data races.
type Cell[T any] struct{ v T }

// Get returns the value.
func (c *Cell[T]) Get() T { return c.v }

// Set sets the value to v.
func (c *Cell[T]) Set(v T) { c.v = v }
