//go:build virtual

package qspinlock_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/model"
	"github.com/lockbench/lockbench/qspinlock"
)

func TestModel(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(qspinlock.Lock) })
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(qspinlock.Lock)
		return l, l.Word
	}, 2, 1, 0))
}

// Four at once have tens of millions of schedules: 45,562,880 were not all. So the
// first has the lock and the second is in line before it releases, which leaves
// the schedules that have a queue; without that, four are tried at random.
func TestModelFour(t *testing.T) {
	model.Explore(t, "Exclusion/4x1", check.Config{Mode: check.PCT, Bound: 3, Seed: 1, Schedules: 50_000},
		model.Exclusion(func() sync.Locker { return new(qspinlock.Lock) }, 4, 1))
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(qspinlock.Lock)
		return l, l.Word
	}, 1, 2, 0))
}

// Three are enough for a holder, a pending waiter and a queue, on some
// schedules.
func TestModelCoverage(t *testing.T) {
	seen := make(map[qspinlock.State]bool)
	model.Every(t, "3x1", model.Exclusion(func() sync.Locker { return &watched{seen: seen} }, 3, 1))
	for _, want := range []qspinlock.State{
		{},
		{Locked: true},
		{Locked: true, Pending: true},
		{Locked: true, Queued: true},
		{Locked: true, Pending: true, Queued: true},
	} {
		if !seen[want] {
			t.Errorf("no schedule has a word that says %v", want)
		}
	}
}

// A watched is a Lock that notes what its word says before and after each call,
// on all schedules together.
type watched struct {
	lock qspinlock.Lock
	seen map[qspinlock.State]bool
}

func (l *watched) Lock() {
	l.note()
	l.lock.Lock()
	l.note()
}

func (l *watched) Unlock() {
	l.lock.Unlock()
	l.note()
}

func (l *watched) note() {
	s := qspinlock.Decode(l.lock.Peek())
	s.Word, s.CPU, s.Context = 0, 0, 0
	l.seen[s] = true
}
