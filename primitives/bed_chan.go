//go:build purego

package primitives

import "runtime"

// A bed is what a parked goroutine sleeps on: a channel that holds one
// wake-up. Sleeper and rouser may come in either order, so whoever comes
// first makes it.
type bed struct{ ch Pointer[chan struct{}] }

func (b *bed) get() chan struct{} {
	if ch := b.ch.Load(); ch != nil {
		return *ch
	}
	fresh := make(chan struct{}, 1)
	b.ch.CompareAndSwap(nil, &fresh)
	return *b.ch.Load()
}

func (b *bed) sleep() { <-b.get() }

func (b *bed) rouse(handoff bool) {
	b.get() <- struct{}{}
	if handoff {
		runtime.Gosched()
	}
}
