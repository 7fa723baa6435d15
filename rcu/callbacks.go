package rcu

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// callbacks has the functions that wait for a grace period, and the goroutine that
// runs grace periods for them, like QEMU's call_rcu thread. The first callback
// starts the goroutine. It lets callbacks pile up for a moment, and ends when there
// are none: so a flavour that is dropped without Close leaves no goroutine behind.
type callbacks struct {
	// queue has the callbacks that the goroutine has not taken, the latest first;
	// it is closed after Close.
	//
	// I1: a caller whose callback is the first in queue, or completes a batch,
	// starts the goroutine if it is not started, or wakes it. Before the goroutine
	// ends it clears started, and then looks whether queue is empty. So it ends
	// only while queue is empty.
	// I2: only the goroutine closes queue, between two callbacks, and when it is
	// empty. So no callback is left behind, and no callback finds queue closed.
	queue primitives.Pointer[callback]

	started primitives.Bool   // whether there is a goroutine, or was when it closed queue
	runner  primitives.Uint64 // the goroutine's id, or that of the last one
	urgent  primitives.Bool   // whether a Barrier waits for a callback
	closing primitives.Bool   // whether to close queue when it is empty
	wake    primitives.Parker
	waiting primitives.Int64  // how many were given to Call and have not run
	polled  primitives.Uint64 // the latest Cookie that a callback was put in the queue for
	ended   blocking.Completion
}

// A callback is a function that waits. Its fields are set before it is published.
type callback struct {
	next *callback
	n    int // how many are in the queue, with this one
	f    func()
	own  bool // made by Barrier or StartPoll: not counted
}

// closed is in queue after Close.
var closed callback

// Call has f called after a grace period, by a goroutine of the updater: one
// callback after the other, in the order of the calls. It may be called in a
// read-side critical section, and by callbacks. It does not wait. But if more than
// Config.HighWater callbacks are waiting, it delays its caller, by 100 µs, and
// twice as long for each further HighWater of them; the delay ends early when there
// are fewer. So Call may sleep: a caller that has acquired a lock with LockPinned,
// or is in a section of another [Pinned], must not call it. In a section of the
// same Pinned it does not sleep, but keeps the CPU busy, for 50 µs at most.
//
// If f panics, or calls runtime.Goexit, that is logged, and counted in [Stats].
// Call panics after Close, and if f is nil.
//
// One goroutine runs all callbacks. So a callback that waits for a later callback,
// or for a later [Updater.Barrier], waits for itself. So does a section that waits
// for a callback that was given to Call in it or after it began, by a channel or in
// any other way.
func (u *Updater) Call(f func()) {
	if f == nil {
		panic("rcu: Call of nil")
	}
	u.mustBeMade("Call")
	n := u.callbacks.waiting.Add(1)
	if !u.enqueue(&callback{f: f}, false) {
		u.callbacks.waiting.Add(-1)
		panic("rcu: Call after Close")
	}
	if n > int64(u.cfg.HighWater) {
		u.slowDown(n)
	}
}

const (
	backPressure       = 100 * time.Microsecond // the first delay, see Call
	pinnedBackPressure = 50 * time.Microsecond
	mostDoublings      = 30
	longestNap         = 10 * time.Millisecond // until a delayed caller looks again
)

// slowDown delays a caller that finds n callbacks waiting, and has grace periods
// expedited. It does not wait until there are fewer: the callbacks may wait for
// the caller, which may be a reader or hold a lock that one of them wants.
func (u *Updater) slowDown(n int64) {
	q, mark := &u.callbacks, int64(u.cfg.HighWater)
	if u.hurry.Load()&overWater == 0 {
		u.hurry.Or(overWater)
	}
	switch _, pins := u.protocol.(*Pinned); {
	case pins && u.protocol.reads() != nil:
		spin := primitives.Spin{Pinned: true} // a sleep here would end the program
		spin.TryFor(pinnedBackPressure)
	case q.mine(): // a callback: all the other callbacks wait for it
	default:
		left := backPressure << min(n/mark-1, mostDoublings)
		for nap := backPressure; left > 0 && q.waiting.Load() > mark; nap = min(2*nap, longestNap) {
			primitives.Sleep(min(nap, left))
			left -= nap
		}
	}
	u.clearOverWater()
}

// clearOverWater clears overWater if at most HighWater callbacks wait. It is called
// after overWater is set and after callbacks have run, so overWater does not stay set.
func (u *Updater) clearOverWater() {
	if u.hurry.Load()&overWater != 0 && u.callbacks.waiting.Load() <= int64(u.cfg.HighWater) {
		u.hurry.And(^uint32(overWater))
	}
}

// enqueue puts c in the queue, unless the queue is closed, and reports whether it
// did.
func (u *Updater) enqueue(c *callback, urgent bool) bool {
	q := &u.callbacks
	for {
		last := q.queue.Load()
		if last == &closed {
			return false
		}
		c.next, c.n = last, 1
		if last != nil {
			c.n = last.n + 1
		}
		if q.queue.CompareAndSwap(last, c) { // release: pairs with take
			break
		}
	}
	if urgent {
		q.urgent.Store(true) // after c is in queue: otherwise the goroutine could clear urgent and miss c
	}
	if urgent || c.n == 1 || c.n == u.cfg.Batch {
		u.wake() // by I1
	}
	return true
}

// wake wakes the callback goroutine, or starts it.
func (u *Updater) wake() {
	q := &u.callbacks
	if !q.started.Load() && q.started.CompareAndSwap(false, true) {
		primitives.Go(func() { u.serve(nil) })
		return
	}
	q.wake.Unpark()
}

// serve is the callback goroutine. It begins by running batch, whose grace period
// is over.
func (u *Updater) serve(batch *callback) {
	q := &u.callbacks
	q.runner.Store(goroutine())
	for {
		for c := batch; c != nil; c = c.next {
			u.run(c)
		}
		u.clearOverWater()
		var done bool
		if batch, done = u.take(); done {
			return
		}
		u.synchronize().report()
	}
}

// take waits while a batch grows and returns it, the first to come first. If there
// is none and the goroutine must end, it returns done.
func (u *Updater) take() (batch *callback, done bool) {
	q := &u.callbacks
	last := q.queue.Load()
	for last == nil {
		switch {
		case !q.closing.Load():
			if !q.stay() {
				return nil, true
			}
		case q.queue.CompareAndSwap(nil, &closed): // I2
			q.ended.CompleteAll()
			return nil, true
		}
		last = q.queue.Load()
	}
	for tries := 5; tries > 0 && last.n < u.cfg.Batch && !q.urgent.Load() && !q.closing.Load(); tries-- {
		q.wake.ParkTimeout(u.cfg.Patience)
		last = q.queue.Load()
	}
	q.urgent.Store(false)    // before the Swap: a later urgent callback sets it again
	last = q.queue.Swap(nil) // acquire: pairs with enqueue; not closed, by I2
	for last != nil {
		next := last.next
		last.next, batch, last = batch, last, next
	}
	return batch, false
}

// stay reports whether the goroutine, which found queue empty, continues.
func (q *callbacks) stay() bool {
	q.started.Store(false) // full: by I1, relies on SC
	return (q.queue.Load() != nil || q.closing.Load()) && q.started.CompareAndSwap(false, true)
}

// run runs a callback. If that ends the goroutine, another one continues with the
// next callback.
func (u *Updater) run(c *callback) {
	if c.own {
		c.f()
		return
	}
	returned := false
	defer func() {
		v := recover()
		u.counters.run.Add(1)
		if !returned {
			u.counters.panicked.Add(1)
		}
		u.callbacks.waiting.Add(-1) // release: pairs with Barrier
		switch {
		case returned:
		case v != nil:
			u.cfg.Logger.Error("rcu: a callback panicked", "rcu", u.cfg.Name, "panic", fmt.Sprint(v))
		default:
			u.cfg.Logger.Error("rcu: a callback called runtime.Goexit", "rcu", u.cfg.Name)
			primitives.Go(func() { u.serve(c.next) })
		}
	}()
	c.f()
	returned = true
}

// Barrier waits until all callbacks have run that were given to [Updater.Call]
// before. If there are none it returns at once, even if readers are in their
// sections. It panics if it is called by a callback or, if that is known, in a
// read-side critical section.
func (u *Updater) Barrier() {
	u.guard("Barrier")
	if u.callbacks.waiting.Load() == 0 { // acquire: pairs with run
		return
	}
	u.guardCallback("Barrier")
	var done blocking.Completion
	if !u.enqueue(&callback{f: done.Complete, own: true}, true) {
		u.callbacks.ended.Wait()
		return
	}
	done.Wait()
}

// Close runs the waiting callbacks, and the callbacks that these give to Call, until
// there are none, and ends the goroutine that runs them. Other goroutines must not
// use Call after Close or at the same time; a second Close waits for the first.
// Readers, Synchronize, Poll and Barrier work as before. Close panics if Barrier
// would.
func (u *Updater) Close() {
	q := &u.callbacks
	u.guard("Close")
	u.guardCallback("Close")
	q.closing.Store(true)
	u.wake()
	q.ended.Wait()
}
