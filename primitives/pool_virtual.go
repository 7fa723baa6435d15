//go:build virtual

package primitives

import (
	"sync"
	"unsafe"
)

// A Pool keeps values that are not in use; see pool.go. Under an engine the engine
// keeps them.
type Pool[T any] struct{ free sync.Pool }

// Get returns a value that was Put, or a new one.
func (p *Pool[T]) Get() *T {
	if e := current(); e != nil {
		if v := e.Take(unsafe.Pointer(p)); v != nil {
			return (*T)(v)
		}
	} else if v, ok := p.free.Get().(*T); ok {
		return v
	}
	return new(T)
}

// Put gives up v.
func (p *Pool[T]) Put(v *T) {
	if e := current(); e != nil {
		e.Give(unsafe.Pointer(p), unsafe.Pointer(v), unsafe.Sizeof(*v))
		return
	}
	p.free.Put(v)
}
