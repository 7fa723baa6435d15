//go:build virtual

package property_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/primitives"
)

// A barging lock has a line but does not serve in its order.
type barging struct{ line, word primitives.Uint32 }

func (l *barging) Lock() {
	l.line.Add(1)
	var spin primitives.Spin
	for !l.word.CompareAndSwap(0, 1) {
		spin.Once()
	}
}

func (l *barging) Unlock() { l.word.Store(0) }

// A waiter for a barging lock is overtaken by all that come later, by each once.
func TestModelOvertaking(t *testing.T) {
	fresh := func() (sync.Locker, func() uint64) {
		l := new(barging)
		return l, func() uint64 { return uint64(l.line.Load()) }
	}
	for _, c := range []struct {
		waiters, rivals, most int
		fails                 bool
	}{
		{1, 1, 0, true},
		{1, 1, 1, false},
		{1, 2, 1, true},
		{1, 2, 2, false},
		{2, 0, 0, true},
	} {
		r, err := check.Run(check.Config{}, property.Overtaking(fresh, c.waiters, c.rivals, c.most))
		if err != nil {
			t.Fatal(err)
		}
		if failed := r.Failure != nil && r.Failure.Kind == check.Assertion; failed != c.fails {
			t.Errorf("Overtaking of a barging lock, %d waiters, %d rivals, at most %d times: failed = %v, want %v\n%v", c.waiters, c.rivals, c.most, failed, c.fails, r)
		}
	}
}

// A broken semaphore takes its permit with a load and a store.
type broken struct{ free primitives.Uint32 }

func (l *broken) Lock() {
	var spin primitives.Spin
	for l.free.Load() == 0 {
		spin.Once()
	}
	l.free.Store(l.free.Load() - 1)
}

func (l *broken) Unlock() { l.free.Add(1) }

// Begin and Retry make it a lock whose readers do not look again.
func (l *broken) Begin() uint64     { return 0 }
func (l *broken) Retry(uint64) bool { return false }

// A handing lock serves its waiters in the order of their numbers.
type handing struct{ next, owner primitives.Uint32 }

func (l *handing) Lock() {
	ticket := l.next.Add(1) - 1
	var spin primitives.Spin
	for l.owner.Load() != ticket {
		spin.Once()
	}
}

func (l *handing) Unlock() { l.owner.Add(1) }

// All works for a lock that has only Lock and Unlock, and does not panic.
func TestModelAll(t *testing.T) {
	property.All(t, func() *handing { return new(handing) })
	property.All(t, func() property.Lock { return new(polite) }, property.UnlockPanics)
}

// A polite lock has a TryLock, and panics at an Unlock too many.
type polite struct{ word primitives.Uint32 }

func (l *polite) Lock() {
	var spin primitives.Spin
	for !l.TryLock() {
		spin.Once()
	}
}

func (l *polite) TryLock() bool { return l.word.CompareAndSwap(0, 1) }

func (l *polite) Unlock() {
	if !l.word.CompareAndSwap(1, 0) {
		panic("Unlock of unlocked lock")
	}
}

// Each property fails a lock that does not have it, and FIFO passes one that has it.
func TestModelsFail(t *testing.T) {
	for _, test := range []struct {
		name  string
		body  func(*check.Machine)
		fails bool
	}{
		{"FIFO of a barging lock", property.FIFO(func() sync.Locker { return new(barging) }, 1, 1), true},
		{"FIFO of a barging lock, no rivals", property.FIFO(func() sync.Locker { return new(barging) }, 2, 0), true},
		{"FIFO of a ticket lock", property.FIFO(func() sync.Locker { return new(handing) }, 2, 1), false},
		{"Permits of a broken semaphore", property.Permits(func(n int) sync.Locker {
			l := new(broken)
			l.free.Store(uint32(n))
			return l
		}, 3, 1, 2), true},
		{"Reads of a lock without a sequence", property.Reads(func() property.Sequence {
			l := new(broken)
			l.free.Store(1)
			return l
		}, 1, 1, 1), true},
	} {
		r, err := check.Run(check.Config{}, test.body)
		if err != nil {
			t.Fatal(err)
		}
		if failed := r.Failure != nil; failed != test.fails || !failed && !r.Ended {
			t.Errorf("%s: failed = %v, want %v\n%v\n%v", test.name, failed, test.fails, r, r.Failure)
		}
	}
}
