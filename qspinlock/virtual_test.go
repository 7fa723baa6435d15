//go:build virtual

package qspinlock_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
)

func TestModel(t *testing.T) {
	property.All(t, func() property.Lock { return new(qspinlock.Lock) }, property.UnlockPanics)
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(qspinlock.Lock)
		return l, l.Word
	}, 2, 1, 0))
}

// Four workers at once have more than 45,562,880 schedules, so the test tries those
// with at most three preemptions. If the first holds the lock and the second is in
// line before its release, so that there is a queue, the test tries all schedules.
func TestModelFour(t *testing.T) {
	seen := newSeen()
	property.Bounded(t, "Exclusion/4x1", 3, property.Exclusion(func() sync.Locker { return &watched{seen: seen} }, 4, 1))
	seen.want(t)
	if !seen.two {
		t.Error("no schedule has two waiters in the queue at a time")
	}
	inTurn := property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(qspinlock.Lock)
		return l, l.Word
	}, 1, 2, 0)
	if testing.Short() { // 5,781,532 schedules are all
		property.Bounded(t, "FIFO", 3, inTurn)
	} else {
		property.Every(t, "FIFO", inTurn)
	}
}

// A waiter has no follower when the next goroutine enlists it, and gets none that
// is another's: it is not retired before its follower has linked itself.
func TestModelRetire(t *testing.T) {
	property.Explore(t, "Lock", check.Config{CPUs: 1, Mode: check.Bounded, Bound: 1}, func(m *check.Machine) {
		var l qspinlock.Lock
		section := func() {
			l.Lock()
			l.Unlock()
		}
		l.Lock()
		m.GoFirst("pending", section)
		m.GoFirst("head", section)
		m.GoNamed("follower", section)
		m.Go(func() {
			w := waiter.Enlist()
			m.Assert(w.Next.Load() == 0)
			primitives.GiveWay()
			m.Assert(w.Next.Load() == 0)
			w.Retire()
		})
		l.Unlock()
	})
}

// A goroutine that sees the word without waiters, and sets the pending bit when there is
// a queue and no pending waiter any more, takes the bit back. All waiters are free at the end.
func TestModelPendingBesideQueue(t *testing.T) {
	defer waiter.Limit(4)()
	property.Explore(t, "Lock", check.Config{Mode: check.Bounded, Bound: 1}, func(m *check.Machine) {
		var l qspinlock.Lock
		var n primitives.Cell[int] // guarded by l
		l.Lock()
		m.GoAlike(3, func() {
			l.Lock()
			n.Set(n.Get() + 1)
			l.Unlock()
		})
		for spin := (primitives.Spin{}); !qspinlock.Decode(uint32(l.Word())).Queued; {
			spin.Once()
		}
		l.Unlock()
		m.Wait()
		m.Assert(n.Get() == 3)
		for range 4 {
			m.Assert(waiter.Enlist() != nil)
		}
		for context := range 4 {
			waiter.At(waiter.Number(0, context)).Retire()
		}
	})
}

// A goroutine that gets in line while the head of the queue takes the lock stays in line.
func TestModelHeadBesideArrival(t *testing.T) {
	property.Explore(t, "Lock", check.Config{Mode: check.Bounded, Bound: 1}, func(m *check.Machine) {
		var l qspinlock.Lock
		var served primitives.Uint32
		section := func() {
			l.Lock()
			served.Add(1)
			l.Unlock()
		}
		l.Lock()
		m.GoFirst("pending", section)
		m.GoFirst("head", section)
		m.GoFirst("follower", section)
		l.Unlock()
		for spin := (primitives.Spin{}); served.Load() == 0; {
			spin.Once()
		}
		section()
		m.Wait()
		m.Assert(served.Load() == 4)
	})
}

// The number of a waiter can have all 16 bits.
func TestModelHighNumbers(t *testing.T) {
	defer waiter.HighNumbers()()
	property.Every(t, "3x1", property.Exclusion(func() sync.Locker { return new(qspinlock.Lock) }, 3, 1))
}

// A goroutine whose waiter has a low number gets in line behind one with a high number.
func TestModelLowNumberBehindHigh(t *testing.T) {
	defer waiter.HighNumbers()()
	property.Bounded(t, "Lock", 0, func(m *check.Machine) {
		var l qspinlock.Lock
		section := func() {
			l.Lock()
			l.Unlock()
		}
		l.Lock()
		m.GoFirst("pending", section)
		m.GoFirst("high", section)
		high := qspinlock.Decode(uint32(l.Word()))
		waiter.At(waiter.Number(3, 0)).Retire() // of the CPU of the third worker
		m.GoFirst("low", section)
		low := qspinlock.Decode(uint32(l.Word()))
		if high.CPU < 1<<13 || low.CPU != 3 {
			m.Failf("waiters on CPUs %d and %d, want a high number and 3", high.CPU, low.CPU)
		}
		l.Unlock()
	})
}

// A goroutine that was in line because no waiter was free leaves that line when it has
// one and is in the lock's queue.
func TestModelJoinsQueue(t *testing.T) {
	defer waiter.Limit(1)()
	property.Bounded(t, "Lock", 1, func(m *check.Machine) {
		var l qspinlock.Lock
		section := func() {
			l.Lock()
			l.Unlock()
		}
		l.Lock()
		w := waiter.Enlist()
		for range 3 {
			m.GoFirst("waiter", section)
		}
		w.Retire()
		l.Unlock()
		m.Wait()
		w = waiter.Enlist()
		m.Assert(w != nil)
		w.Retire()
	})
}

// If waiters run out, goroutines that have none are served too.
func TestModelWithoutNodes(t *testing.T) {
	for free := range 2 {
		undo := waiter.Limit(free)
		property.Every(t, fmt.Sprintf("%d/3x1", free), property.Exclusion(func() sync.Locker { return new(qspinlock.Lock) }, 3, 1))
		undo()
	}
}

// Three workers are enough for a holder, a pending waiter and a queue, on some
// schedules.
func TestModelCoverage(t *testing.T) {
	seen := newSeen()
	property.Every(t, "3x1", property.Exclusion(func() sync.Locker { return &watched{seen: seen} }, 3, 1))
	seen.want(t)
}

// A seen notes what was seen on all schedules together.
type seen struct {
	states map[qspinlock.State]bool
	two    bool // whether two were in the queue at a time
}

func newSeen() *seen { return &seen{states: make(map[qspinlock.State]bool)} }

// want fails t unless the word was in each of the five states in which it can be.
func (s *seen) want(t *testing.T) {
	t.Helper()
	for _, want := range []qspinlock.State{
		{},
		{Locked: true},
		{Locked: true, Pending: true},
		{Locked: true, Queued: true},
		{Locked: true, Pending: true, Queued: true},
	} {
		if !s.states[want] {
			t.Errorf("no schedule has a word that says %v", want)
		}
	}
}

// A watched is a Lock that notes what its word says before and after each call,
// on all schedules together.
type watched struct {
	lock qspinlock.Lock
	last uint32 // the last waiter in the queue when the holder came in
	seen *seen
}

func (l *watched) Lock() {
	l.note()
	l.lock.Lock()
	l.last = l.note()
}

func (l *watched) Unlock() {
	l.lock.Unlock()
	// The store is in the buffer: no waiter has left the queue since.
	if last := l.note(); l.last != 0 && last != 0 && last != l.last {
		l.seen.two = true
	}
}

// note returns the last waiter in the queue, or 0.
func (l *watched) note() (last uint32) {
	s := qspinlock.Decode(l.lock.Peek())
	if s.Queued {
		last = waiter.Number(s.CPU, s.Context)
	}
	s.Word, s.CPU, s.Context = 0, 0, 0
	l.seen.states[s] = true
	return last
}
