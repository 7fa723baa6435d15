package rcu

import "github.com/lockbench/lockbench/spinlock"

// A Pool has objects that are used again once no reader can have them any more.
// The collector frees memory; a Pool is for objects that are worth more than their
// memory: buffers, connections, off-heap memory, file descriptors.
// Set the fields before first use.
type Pool[T any] struct {
	// Updater is the Flavour by which the objects are read, or its Updater.
	Updater interface{ Call(f func()) }
	// New makes an object when the pool has none. It must not be nil.
	New func() *T

	lock spinlock.TTAS // guards the fields after it
	free []*T
}

// Get returns a retired object that no reader has any more, as it was when it was
// retired, or a new one.
func (p *Pool[T]) Get() *T {
	p.lock.Lock()
	if n := len(p.free); n > 0 {
		t := p.free[n-1]
		p.free[n-1], p.free = nil, p.free[:n-1]
		p.lock.Unlock()
		return t
	}
	p.lock.Unlock()
	return p.New()
}

// Retire gives back an object that new readers cannot reach any more. The pool uses
// it again when the readers that may have it are gone. Retire calls
// [Updater.Call], which does not wait but may delay its caller, and panics after Close.
func (p *Pool[T]) Retire(t *T) {
	p.Updater.Call(func() {
		p.lock.Lock()
		p.free = append(p.free, t)
		p.lock.Unlock()
	})
}
