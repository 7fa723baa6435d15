package rcu

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// callbacks are the functions that wait for a grace period, and the goroutine
// that runs one for them: QEMU's call_rcu thread. It is started by the first
// Call, lets callbacks pile up for a moment, and sleeps while there are none.
type callbacks struct {
	// queue has those that nobody has taken, the last to come first; closed
	// after Close.
	//
	// I1: who makes it longer than it may be before the goroutine should look
	// (from empty, or to a batch) wakes the goroutine. So it sleeps for good
	// only while queue is empty.
	queue primitives.Pointer[callback]

	started primitives.Bool // whether there is a goroutine
	urgent  primitives.Bool // whether somebody waits for a callback
	wake    primitives.Parker
	waiting primitives.Int64 // how many were called and have not run
	ended   blocking.Completion
}

// A callback is one of them. Its fields are set before it is published.
type callback struct {
	next *callback
	n    int // how many are in the queue with it
	f    func()
}

// closed is what queue holds after Close.
var closed callback

// Call has f called after a grace period, by a goroutine of the updater's: one
// callback after the other, in the order of the calls. It may be called in a
// read-side critical section. It does not wait, but for a moment when too many
// callbacks are waiting; see [Config]. If f panics, that is logged, and counted
// in [Stats]. Call panics after Close.
func (u *Updater) Call(f func()) {
	u.enqueue(f, false)
	if n := u.callbacks.waiting.Load(); n > int64(u.cfg.HighWater) {
		// Not until there are fewer: the caller may be a reader, for whose end
		// they wait.
		primitives.Sleep(backPressure * time.Duration(min(n/int64(u.cfg.HighWater), 10)))
	}
}

// backPressure is for how long Call delays a caller for each HighWater of
// callbacks that wait.
const backPressure = 100 * time.Microsecond

func (u *Updater) enqueue(f func(), urgent bool) {
	q := &u.callbacks
	q.waiting.Add(1)
	c := &callback{f: f}
	for {
		last := q.queue.Load()
		if last == &closed {
			q.waiting.Add(-1)
			panic("rcu: Call after Close")
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
}

// rouse wakes the goroutine, or starts it.
func (u *Updater) rouse() {
	q := &u.callbacks
	if !q.started.Load() && q.started.CompareAndSwap(false, true) {
		primitives.Go(u.serve)
		return
	}
	q.wake.Unpark()
}

// serve is the goroutine.
func (u *Updater) serve() {
	q := &u.callbacks
	for {
		batch, done := u.take()
		if done {
			q.ended.CompleteAll()
			return
		}
		u.synchronize(q.waiting.Load() > int64(u.cfg.HighWater))
		for c := batch; c != nil; c = c.next {
			q.waiting.Add(-1)
			u.run(c.f)
		}
	}
}

// take waits for a batch and returns it, the first to come first; or says that
// there will be none.
func (u *Updater) take() (batch *callback, done bool) {
	q := &u.callbacks
	last := q.queue.Load()
	for last == nil {
		q.wake.Park()
		last = q.queue.Load()
	}
	for tries := 5; tries > 0 && last != &closed && last.n < u.cfg.Batch && !q.urgent.Load(); tries-- {
		q.wake.ParkTimeout(u.cfg.Patience)
		last = q.queue.Load()
	}
	q.urgent.Store(false) // before the look: who is urgent later finds it so, and says so again
	for {
		last = q.queue.Load()
		if last == &closed {
			return nil, true
		}
		if q.queue.CompareAndSwap(last, nil) { // acquire: pairs with enqueue
			break
		}
	}
	for last != nil {
		next := last.next
		last.next, batch, last = batch, last, next
	}
	return batch, false
}

func (u *Updater) run(f func()) {
	defer func() {
		u.counters.run.Add(1)
		if v := recover(); v != nil {
			u.counters.panicked.Add(1)
			u.cfg.Logger.Error("rcu: a callback panicked", "rcu", u.cfg.Name, "panic", fmt.Sprint(v))
		}
	}()
	f()
}

// Barrier waits until all callbacks have run that were given to [Updater.Call]
// before. It panics if it is called in a read-side critical section, where that
// can be known, and never returns if a callback calls it.
func (u *Updater) Barrier() {
	u.guard("Barrier")
	var done blocking.Completion
	u.enqueue(done.Complete, true)
	done.Wait()
}

// Close runs the callbacks that wait, and ends the goroutine that runs them.
// There must be no Call after it, nor at the same time; a second Close does
// nothing. Readers, Synchronize and Poll go on as ever.
func (u *Updater) Close() {
	q := &u.callbacks
	if q.queue.Load() == &closed {
		q.ended.Wait()
		return
	}
	if !q.started.Load() {
		q.ended.CompleteAll()
	} else {
		u.Barrier()
	}
	q.queue.Store(&closed)
	q.wake.Unpark()
	q.ended.Wait()
}
