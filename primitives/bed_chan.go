//go:build purego

package primitives

import "runtime"

// A bed is what a parked goroutine sleeps on: a channel that holds one
// wake-up. Sleeper and rouser may come in either order, so whoever comes
// first makes it.
//
// It is used once. A channel that was made in a testing/synctest bubble cannot
// be used outside of it, and Parkers are kept in pools, for the next goroutine that parks.
type bed struct{ ch Pointer[chan struct{}] }

func (b *bed) get() chan struct{} {
	if ch := b.ch.Load(); ch != nil {
		return *ch
	}
	fresh := make(chan struct{}, 1)
	b.ch.CompareAndSwap(nil, &fresh)
	return *b.ch.Load()
}

func (b *bed) sleep() {
	<-b.get()
	b.ch.Store(nil) // ours until the next sleep: each ends once, see Parker
}

func (b *bed) rouse(handoff bool) {
	b.get() <- struct{}{}
	if handoff {
		runtime.Gosched()
	}
}
