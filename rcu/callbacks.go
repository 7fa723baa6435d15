package rcu

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// callbacks are the functions that wait for a grace period, and the goroutine
// that runs one for them: QEMU's call_rcu thread. It is started by the first
// that comes, lets callbacks pile up for a moment, and ends when there are none:
// so a flavour that is dropped without Close leaves none behind.
type callbacks struct {
	// queue has those that nobody has taken, the last to come first; closed
	// after Close.
	//
	// I1: who makes it longer than it may be before the goroutine should look
	// (from empty, or to a batch) starts the goroutine if it is not started, or
	// wakes it. It says that it is not, and then looks whether queue is empty. So
	// it ends only while queue is empty.
	// I2: only the goroutine closes it, between two callbacks, and when it is
	// empty. So nothing is left behind, and no callback finds it closed.
	queue primitives.Pointer[callback]

	started primitives.Bool   // whether there is a goroutine, or was when it closed queue
	runner  primitives.Uint64 // its id, or that of the last
	urgent  primitives.Bool   // whether somebody waits for a callback
	closing primitives.Bool   // whether to close queue when it is empty
	wake    primitives.Parker
	waiting primitives.Int64  // how many were given to Call and have not run
	polled  primitives.Uint64 // the latest Cookie that a callback was put in the queue for
	ended   blocking.Completion
}

// A callback is one of them. Its fields are set before it is published.
type callback struct {
	next *callback
	n    int // how many are in the queue with it
	f    func()
	own  bool // Barrier's or StartPoll's: not counted
}

// closed is what queue holds after Close.
var closed callback

// Call has f called after a grace period, by a goroutine of the updater's: one
// callback after the other, in the order of the calls. It may be called in a
// read-side critical section, and by callbacks. It waits for nothing. But when
// more callbacks are waiting than Config.HighWater says, it delays its caller, by
// 100 µs, and twice as long for each HighWater that wait beyond; the delay ends
// early when they have become fewer. It is for the caller to know that it may
// sleep: who has taken a lock with LockPinned, or is in a section of another
// [Pinned], must not call it. In a section of the same Pinned it does not sleep,
// but keeps the CPU busy, for 50 µs at most.
//
// If f panics, or calls runtime.Goexit, that is logged, and counted in [Stats].
// Call panics after Close, and if f is nil.
//
// Callbacks have one goroutine: one that waits for another that was called later,
// or for a [Updater.Barrier] that was, waits for itself. So does a section that
// waits for a callback called in it or after it began, by a channel or in any
// other way.
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
	longestNap         = 10 * time.Millisecond // until who is delayed looks again
)

// slowDown delays a caller who finds n callbacks waiting, and has grace periods
// expedited. It never waits until there are fewer, however long that takes: the
// caller may be a reader, for whose end they wait, or hold a lock that one of
// them wants.
func (u *Updater) slowDown(n int64) {
	q, mark := &u.callbacks, int64(u.cfg.HighWater)
	if u.hurry.Load()&overWater == 0 {
		u.hurry.Or(overWater)
	}
	switch _, pins := u.protocol.(*Pinned); {
	case pins && u.protocol.reads() != nil:
		spin := primitives.Spin{Pinned: true} // to sleep here would end the program
		spin.TryFor(pinnedBackPressure)
	case q.mine(): // a callback: all the others wait for it
	default:
		left := backPressure << min(n/mark-1, mostDoublings)
		for nap := backPressure; left > 0 && q.waiting.Load() > mark; nap = min(2*nap, longestNap) {
			primitives.Sleep(min(nap, left))
			left -= nap
		}
	}
	u.ebb()
}

// ebb ends the hurry if no more callbacks wait than may. Who sets overWater, and
// who makes callbacks fewer, calls it afterwards: so it does not stay set.
func (u *Updater) ebb() {
	if u.hurry.Load()&overWater != 0 && u.callbacks.waiting.Load() <= int64(u.cfg.HighWater) {
		u.hurry.And(^uint32(overWater))
	}
}

// enqueue puts c in the queue, unless that is closed, and reports whether it did.
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
		q.urgent.Store(true) // after c is there, or the goroutine could take the word for an old one
	}
	if urgent || c.n == 1 || c.n == u.cfg.Batch {
		u.rouse() // by I1
	}
	return true
}

// rouse wakes the goroutine, or starts it.
func (u *Updater) rouse() {
	q := &u.callbacks
	if !q.started.Load() && q.started.CompareAndSwap(false, true) {
		primitives.Go(func() { u.serve(nil) })
		return
	}
	q.wake.Unpark()
}

// serve is the goroutine. It begins with callbacks whose grace period is over.
func (u *Updater) serve(batch *callback) {
	q := &u.callbacks
	q.runner.Store(goroutine())
	for {
		for c := batch; c != nil; c = c.next {
			u.run(c)
		}
		u.ebb()
		var done bool
		if batch, done = u.take(); done {
			return
		}
		u.synchronize().report()
	}
}

// take returns a batch, the first to come first, for which it waits while it
// grows; or says that there is none and the goroutine ends.
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
	q.urgent.Store(false)    // before the look: who is urgent later finds it so, and says so again
	last = q.queue.Swap(nil) // acquire: pairs with enqueue; not closed, by I2
	for last != nil {
		next := last.next
		last.next, batch, last = batch, last, next
	}
	return batch, false
}

// stay reports whether the goroutine, which found nothing to do, goes on.
func (q *callbacks) stay() bool {
	q.started.Store(false) // full: by I1, relies on SC
	return (q.queue.Load() != nil || q.closing.Load()) && q.started.CompareAndSwap(false, true)
}

// run runs a callback. If that ends the goroutine another goes on with the next.
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
// before. If there are none it returns at once, though readers may be in their
// sections. It panics if it is called by a callback or, where that can be known,
// in a read-side critical section.
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

// Close runs the callbacks that wait, and those that they give to Call in their
// turn, until there are none, and ends the goroutine that runs them. Nobody else
// may Call after it, nor at the same time; a second Close waits for the first.
// Readers, Synchronize, Poll and Barrier go on as ever. Close panics if Barrier
// would.
func (u *Updater) Close() {
	q := &u.callbacks
	u.guard("Close")
	u.guardCallback("Close")
	q.closing.Store(true)
	u.rouse()
	q.ended.Wait()
}
