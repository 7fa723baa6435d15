//go:build purego

package primitives

import "runtime"

// A sema is the semaphore on which a parked goroutine sleeps: a channel that holds
// one wake-up. The sleeper and the waker may come in either order; the one that comes
// first makes the channel.
//
// A channel is used once. One that was made in a testing/synctest bubble cannot be
// used outside of it, and the next goroutine gets the Parker from a pool.
type sema struct{ ch Pointer[chan struct{}] }

func (s *sema) get() chan struct{} {
	if ch := s.ch.Load(); ch != nil {
		return *ch
	}
	fresh := make(chan struct{}, 1)
	s.ch.CompareAndSwap(nil, &fresh)
	return *s.ch.Load()
}

func (s *sema) sleep() {
	<-s.get()
	s.ch.Store(nil) // only the sleeper uses it until the next sleep: each ends once, see Parker
}

func (s *sema) wake(handoff bool) {
	s.get() <- struct{}{}
	if handoff {
		runtime.Gosched()
	}
}
