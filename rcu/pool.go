package rcu

import "github.com/lockbench/lockbench/spinlock"

// A Pool has objects that are used again once no reader can have them any more.
// The collector frees what nobody points to; a Pool is for what is worth more
// than its memory: buffers, connections, off-heap memory, file descriptors.
// Set the fields before first use.
type Pool[T any] struct {
	// Updater is the Flavour by which the objects are read, or its Updater.
	Updater interface{ Call(f func()) }
	// New makes an object when the pool has none.
	New func() *T

	lock spinlock.TTAS // guards what follows
	free []*T
}

// Get returns an object that no reader has, as it was when it was retired, or a
// new one.
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

// Retire gives back an object that new readers cannot reach any more: it is used
// again when those are gone that may have it. It is a [Updater.Call], which does
// not wait, but may be a delay.
func (p *Pool[T]) Retire(t *T) {
	p.Updater.Call(func() {
		p.lock.Lock()
		p.free = append(p.free, t)
		p.lock.Unlock()
	})
}
