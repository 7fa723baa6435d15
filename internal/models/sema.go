package models

import (
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/spinlock"
)

// A sema is a semaphore: it counts wake-ups that were given, and a goroutine that takes
// one when there is none sleeps. A wake-up is not for the goroutine that it wakes:
// another may take it first, and then the sleeper sleeps again. The exception is one that
// is handed over.
//
// It needs a queue. A sema must not be copied after first use.
type sema struct {
	// free counts wake-ups that no goroutine has taken yet.
	//
	// I1: a goroutine that gives one adds it to free before it looks at queue.waiting, and
	// one that is to sleep adds itself to queue.waiting before it looks at free. So one of
	// them sees the other, and no wake-up is lost.
	free  primitives.Uint32
	queue *queue
}

// A queue has the goroutines that sleep on a semaphore, the next first. The runtime has it
// in a table of its own, so it shares no cache line with what the semaphore is in.
type queue struct {
	_       primitives.CacheLine
	lock    spinlock.TTAS     // guards the list; taken pinned, because the runtime's lock is
	waiting primitives.Uint32 // the length of the list, or 1 more; written under lock
	first   *sleeper
	last    *sleeper
	_       primitives.CacheLine
}

// A sleeper is the place of a goroutine in a queue.
type sleeper struct {
	next *sleeper
	has  bool // a wake-up was handed to it; set before it is woken
	turn primitives.Parker
}

// sleepers has the sleepers that are not in use.
var sleepers primitives.Pool[sleeper]

// take takes a wake-up if there is one, and reports whether it did.
func (s *sema) take() bool {
	for {
		n := s.free.Load()
		if n == 0 {
			return false
		}
		if s.free.CompareAndSwap(n, n-1) { // acquire: pairs with give
			return true
		}
	}
}

// acquire takes a wake-up, and sleeps until there is one: last in the queue, or first if
// front is true.
func (s *sema) acquire(front bool) {
	if s.take() {
		return
	}
	me := sleepers.Get()
	me.has = false
	for {
		s.queue.lock.LockPinned()
		s.queue.waiting.Add(1) // relies on SC, for I1
		if s.take() {
			s.queue.waiting.Add(minusOne)
			s.queue.lock.UnlockPinned()
			break
		}
		s.queue.push(me, front)
		s.queue.lock.UnlockPinned()
		me.turn.Park()
		if me.has || s.take() {
			break
		}
	}
	sleepers.Put(me)
}

// give gives a wake-up, and wakes the first in the queue. With handoff it also hands it the
// wake-up, unless another goroutine is quicker, and the CPU.
func (s *sema) give(handoff bool) {
	s.free.Add(1) // release: pairs with take; relies on SC, for I1
	if s.queue.waiting.Load() == 0 {
		return
	}
	s.queue.lock.LockPinned()
	next := s.queue.pop()
	s.queue.lock.UnlockPinned()
	switch {
	case next == nil: // it found the wake-up before it slept
	case handoff && s.take():
		next.has = true
		next.turn.Handoff()
	default:
		next.turn.Unpark()
	}
}

// minusOne is -1, modulo 2³².
const minusOne = ^uint32(0)

// push puts a sleeper in q, which counts it already. The caller holds q.lock.
func (q *queue) push(s *sleeper, front bool) {
	switch {
	case q.first == nil:
		q.first, q.last, s.next = s, s, nil
	case front:
		q.first, s.next = s, q.first
	default:
		q.last.next, q.last, s.next = s, s, nil
	}
}

// pop takes the first sleeper out of q, or returns nil. The caller holds q.lock.
func (q *queue) pop() *sleeper {
	s := q.first
	if s == nil {
		return nil
	}
	q.first = s.next
	q.waiting.Add(minusOne)
	return s
}
