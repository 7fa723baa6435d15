//go:build virtual

package primitives

import "sync"

// A Pool keeps values that are not in use; see pool.go. Under an engine it
// keeps none.
type Pool[T any] struct{ free sync.Pool }

// Get returns a value that was Put, or a new one.
func (p *Pool[T]) Get() *T {
	if engine() == nil {
		if v, ok := p.free.Get().(*T); ok {
			return v
		}
	}
	return new(T)
}

// Put gives up v.
func (p *Pool[T]) Put(v *T) {
	if engine() == nil {
		p.free.Put(v)
	}
}
