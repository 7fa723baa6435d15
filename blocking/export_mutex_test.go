package blocking

import (
	"context"
	"time"
)

// Reserve and Steal are the two steps of the head of the spinners. A test that
// calls them takes its place, one step at a time.
func (m *Mutex) Reserve()    { m.reserve(m.word.Load()) }
func (m *Mutex) Steal() bool { return m.steal(m.word.Load()) }

// GiveUpSpinning is its step when spinning does not pay any more; the lock's slow
// path goes on from there.
func (m *Mutex) GiveUpSpinning() { m.word.And(^uint32(spinning)) }

// Park is Lock without the spinning.
func (m *Mutex) Park() { m.park(patience{}) }

// Owe makes the next Unlock hand m over, as an overtaker does.
func (m *Mutex) Owe() { m.word.Or(handoff) }

// Arrive puts a waiter in line. No goroutine waits with it until PickUp.
func (m *Mutex) Arrive() Waiter {
	w := newWaiter(0)
	m.line.lock.LockPinned()
	m.line.push(w)
	m.word.Add(oneWaiting)
	m.line.lock.UnlockPinned()
	return w
}

// LeaveDuring takes w out of line again, and calls f while no other goroutine can
// look at the line. f must not block: the goroutines that want to look keep their
// CPUs.
func (m *Mutex) LeaveDuring(w Waiter, f func()) {
	m.line.lock.LockPinned()
	f()
	m.line.remove(w)
	m.gaveUp()
	m.line.lock.UnlockPinned()
}

// PickUp is the last step of a waiter that m is handed to.
func (m *Mutex) PickUp(w Waiter) {
	m.line.wait(w, patience{}, nil)
	m.word.And(^uint32(pickup))
}

// Word returns m's word.
func (m *Mutex) Word() uint32 { return m.word.Load() }

// Empty reports whether the line itself is empty.
func (m *Mutex) Empty() bool { return m.line.empty() }

// Empty reports whether the line is empty.
func (c *Completion) Empty() bool { return c.line.empty() }

// Waiting returns how many are in line.
func (c *Completion) Waiting() (n int) {
	c.line.lock.LockPinned()
	defer c.line.lock.UnlockPinned()
	for w := c.line.first; w != nil; w = w.next {
		n++
	}
	return n
}

// Fill completes c as often as it can be.
func (c *Completion) Fill() { c.done.Store(MaxCompletes) }

// GiveBack is the last step of a wait that was let go too late.
func (c *Completion) GiveBack() { c.giveBack() }

// Count adds n to how many are in line, by the word alone.
func (m *Mutex) Count(n int) { m.word.Add(uint32(n) * oneWaiting) }

// Count adds n readers to those that hold s.
func (s *RWSem) Count(n int64) { s.word.Add(uint64(n) * rwReader) }

func (l *waitList) empty() bool {
	l.lock.LockPinned()
	defer l.lock.UnlockPinned()
	return l.first == nil && l.last == nil
}

// Far and Learn are travel's, for its tests.
func (m *Mutex) Learn(look int64) { m.travel.Learn(time.Duration(look)) }
func (m *Mutex) Far() bool        { return m.travel.Far() }
func (m *Mutex) Timed() bool      { _, timed := m.travel.Stay(); return timed }

// A List is a waitList, and a Waiter one of its waiters.
type (
	List   struct{ l waitList }
	Waiter = *waiter
)

// Arrive puts a new waiter in line.
func (l *List) Arrive() Waiter {
	w := newWaiter(0)
	l.l.lock.LockPinned()
	l.l.push(w)
	l.l.lock.UnlockPinned()
	return w
}

// Leave takes w out of the line.
func (l *List) Leave(w Waiter) {
	l.l.lock.LockPinned()
	l.l.remove(w)
	l.l.lock.UnlockPinned()
}

// Grant lets the first in line go and returns it; it calls before with the list
// locked. before must not block: the goroutines that want to look keep their CPUs.
func (l *List) Grant(before func()) Waiter {
	l.l.lock.LockPinned()
	before()
	w := l.l.pop()
	l.l.lock.UnlockPinned()
	if w != nil {
		w.turn.Unpark()
	}
	return w
}

// Wait waits for w to be granted, unless ctx is done first; left is called if
// it leaves.
func (l *List) Wait(ctx context.Context, w Waiter, left func()) error {
	return l.l.wait(w, patience{ctx: ctx}, left)
}

// Order returns those in line, read forwards and then backwards.
func (l *List) Order() (forwards, backwards []Waiter) {
	l.l.lock.LockPinned()
	defer l.l.lock.UnlockPinned()
	for w := l.l.first; w != nil; w = w.next {
		forwards = append(forwards, w)
	}
	for w := l.l.last; w != nil; w = w.prev {
		backwards = append(backwards, w)
	}
	return
}
