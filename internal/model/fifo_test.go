//go:build virtual

package model_test

import (
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/model"
	"github.com/lockbench/lockbench/primitives"
)

// A barging lock has a line that means nothing.
type barging struct{ line, word primitives.Uint32 }

func (l *barging) Lock() {
	l.line.Add(1)
	var spin primitives.Spin
	for !l.word.CompareAndSwap(0, 1) {
		spin.Once()
	}
}

func (l *barging) Unlock() { l.word.Store(0) }

// Who waits for a barging lock is overtaken by all who come later, and by nobody
// twice.
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
		r, err := check.Run(check.Config{}, model.Overtaking(fresh, c.waiters, c.rivals, c.most))
		if err != nil {
			t.Fatal(err)
		}
		if failed := r.Failure != nil && r.Failure.Kind == check.Assertion; failed != c.fails {
			t.Errorf("Overtaking of a barging lock, %d waiters, %d rivals, at most %d times: failed = %v, want %v\n%v", c.waiters, c.rivals, c.most, failed, c.fails, r)
		}
	}
}
