//go:build virtual

package primitives

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A Cell is plain data that a lock or a workload protects; see cell.go.
type Cell[T any] struct {
	v T
}

// Get returns the value.
func (c *Cell[T]) Get() T {
	if e := current(); e != nil {
		e.Access(unsafe.Pointer(c), nil, engine.PlainRead, 0)
	}
	return c.v
}

// Set sets the value to v.
func (c *Cell[T]) Set(v T) {
	if e := current(); e != nil {
		e.Access(unsafe.Pointer(c), nil, engine.PlainWrite, 0)
	}
	c.v = v
}
