package primitives

import (
	"context"
	"time"
	"unsafe"
)

// A Parker puts one goroutine to sleep until another wakes it. It holds at
// most one wake-up: an Unpark that comes first lets the next Park return at
// once, and two count as one. The zero Parker holds none.
// A Parker must not be copied after first use.
//
// Only one goroutine at a time may park on a Parker. Any may unpark it. What
// Unpark's caller did before it synchronizes before Park's return.
//
// In a bubble of testing/synctest a parked goroutine is not durably blocked, like one
// that waits for a sync.Mutex: synctest.Wait does not return, and the bubble's clock
// stands still. Under purego it is durably blocked.
type Parker struct {
	// state says what the sleeper and the waker do:
	//
	//	idle    no goroutine is parked, no wake-up is held
	//	held    a wake-up is held
	//	parked  the goroutine sleeps, or is about to
	//
	// I1: only the goroutine that parks makes idle -> parked and held -> idle.
	// I2: the goroutine that makes parked -> idle then wakes sema, exactly once, so
	// each sleep ends once.
	state Uint32
	sema  sema
}

const (
	idle = iota
	held
	parked
)

// Park sleeps until a wake-up comes, and consumes it.
func (p *Parker) Park() {
	if e := current(); e != nil {
		e.Park(unsafe.Pointer(p), nil, 0)
		return
	}
	if p.announce() {
		p.sleep()
	}
}

// sleep sleeps until sema is woken.
func (p *Parker) sleep() {
	p.sema.sleep()
	p.state.Load() // acquire: pairs with wake; the race detector does not see sema
}

// ParkContext is [Parker.Park] that gives up when ctx is done; it then returns the
// context's cause, and consumes no wake-up. A context that ends starts a goroutine to
// end the wait, so an Unpark that comes after it nearly always wakes first: a caller
// that needs the order looks at ctx again.
func (p *Parker) ParkContext(ctx context.Context) error {
	if ctx.Done() == nil {
		p.Park()
		return nil
	}
	if e := current(); e != nil {
		if !e.Park(unsafe.Pointer(p), ctx, 0) {
			return context.Cause(ctx)
		}
		return nil
	}
	if !p.parkUntil(func(f func()) func() bool { return context.AfterFunc(ctx, f) }) {
		return context.Cause(ctx)
	}
	return nil
}

// ParkTimeout is [Parker.Park] that gives up after d. It reports whether a
// wake-up came.
func (p *Parker) ParkTimeout(d time.Duration) bool {
	if e := current(); e != nil {
		return e.Park(unsafe.Pointer(p), nil, d)
	}
	return p.parkUntil(func(f func()) func() bool { return After(d, f) })
}

// parkUntil parks until a wake-up comes or the function that it hands to
// arrange is called, and reports whether it was the wake-up. It returns only
// when that function can no longer run, so a late call cannot disturb the
// next Park.
func (p *Parker) parkUntil(arrange func(func()) (stop func() bool)) bool {
	if !p.announce() {
		return true
	}
	gaveUp := false
	over := make(chan struct{})
	stop := arrange(func() {
		if p.state.CompareAndSwap(parked, idle) { // otherwise the wake-up won
			gaveUp = true
			p.sema.wake(false) // sleep's load sees this CAS
		}
		close(over)
	})
	p.sleep()
	if !stop() {
		<-over
	}
	return !gaveUp
}

// announce announces that the caller will sleep, and reports whether it must: if a
// wake-up is held, announce consumes that instead.
func (p *Parker) announce() bool {
	if p.state.CompareAndSwap(idle, parked) {
		return true
	}
	p.state.Store(idle) // was held, by I1; acquire: pairs with wake
	return false
}

// Unpark wakes the parked goroutine, or lets the next Park return at once.
func (p *Parker) Unpark() { p.wake(false) }

// Handoff is [Parker.Unpark] that also gives the woken goroutine the caller's
// CPU at once; the caller continues when a CPU is free. For a lock that chooses its
// next holder this halves the time in which the lock is idle. A pinned caller keeps
// its CPU.
func (p *Parker) Handoff() { p.wake(true) }

func (p *Parker) wake(handoff bool) {
	if e := current(); e != nil {
		e.Unpark(unsafe.Pointer(p), handoff)
		return
	}
	for {
		// First a CAS without a load: the cache line is then fetched once, for writing.
		if p.state.CompareAndSwap(idle, held) { // release: pairs with announce and Await
			return
		}
		if p.state.CompareAndSwap(parked, idle) {
			p.sema.wake(handoff) // release: pairs with sleep
			return
		}
		if p.state.Load() == held {
			return
		}
	}
}

// Await is [Parker.Park] that first watches for the wake-up, for as long as
// spin says that this can pay; under a pinned spin, until it comes.
func (p *Parker) Await(spin Spin) {
	if e := current(); e != nil {
		e.Await(unsafe.Pointer(p), spin.Pinned)
		return
	}
	for p.state.Load() != held { // acquire: pairs with wake
		if !spin.Try() {
			p.Park()
			return
		}
	}
	p.state.StoreRelease(idle) // by I1
}
