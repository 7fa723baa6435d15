//go:build !virtual

package primitives

import (
	"sync"
	"unsafe"
)

// A Pool keeps values that are not in use, so that the next goroutine that needs one
// does not allocate. The zero Pool is empty.
// A Pool must not be copied after first use.
//
// What happens before a Put of a value synchronizes before the return of the Get that
// returns it. Any value may be dropped at any time, so no caller may depend on getting
// one back. Under the model checker a worker gets back at once the value that it gave
// up last, and at the end of a schedule all values are dropped, so that one schedule
// does not change the next.
//
// The caller must not be pinned: Get and Put may wait for a lock of the runtime.
type Pool[T any] struct {
	free sync.Pool // of unsafe.Pointer: with an assertion to *T Get would not inline
}

// Get returns a value that was Put, as it was then, or a new one, which is zero.
func (p *Pool[T]) Get() *T {
	if v, _ := p.free.Get().(unsafe.Pointer); v != nil {
		return (*T)(v)
	}
	return new(T)
}

// Put gives up v, which is no longer in use, for a later Get to return.
func (p *Pool[T]) Put(v *T) { p.free.Put(unsafe.Pointer(v)) }
