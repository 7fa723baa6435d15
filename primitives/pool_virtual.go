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
		return apart[T]()
	} else if v, ok := p.free.Get().(*T); ok {
		return v
	}
	return new(T)
}

// apart returns a new T that shares no cache line with another, and that begins where all
// others do in theirs. So which of its words share a line does not depend on what the
// process has allocated before, and a simulated run is the same again.
func apart[T any]() *T {
	const line = 64
	n := uintptr(1)
	for n*unsafe.Sizeof(*new(T))%line != 0 {
		n++
	}
	return &make([]T, n)[0]
}

// Put gives up v.
func (p *Pool[T]) Put(v *T) {
	if e := current(); e != nil {
		e.Give(unsafe.Pointer(p), unsafe.Pointer(v), unsafe.Sizeof(*v))
		return
	}
	p.free.Put(v)
}
