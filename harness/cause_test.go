package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A fickle lock misbehaves when it is locked for the n'th time, in one of several ways,
// until the test releases it.
type fickle struct {
	held atomic.Bool
	n    int32
	how  string
	pins bool

	locks    atomic.Int32
	lost     atomic.Bool
	released atomic.Bool
}

//go:noinline
func (l *fickle) wait() {
	spin := primitives.Spin{Pinned: l.pins}
	for !l.held.CompareAndSwap(false, true) {
		spin.Once()
	}
}

func (l *fickle) Lock() {
	if l.pins {
		primitives.Pin()
	}
	last := l.locks.Add(1) == l.n
	l.wait()
	if last && l.how == "locks twice" {
		l.wait()
	}
	if last && l.how == "loses a wake-up" {
		l.lost.Store(true)
	}
	if l.lost.Load() {
		l.held.Store(false)
		for spin := (primitives.Spin{Pinned: l.pins}); !l.released.Load(); {
			spin.Once()
		}
		l.lost.Store(false)
		l.wait()
	}
}

func (l *fickle) Unlock() {
	if l.how != "forgets" || l.locks.Load() < l.n || l.released.Load() {
		l.held.Store(false)
	}
	if l.pins {
		primitives.Unpin()
	}
}

// release ends the wait of workers that wait for the lock that they hold themselves.
func (l *fickle) release() {
	l.released.Store(true)
	if l.how != "" {
		l.held.Store(false)
	}
}

func (l *fickle) String() string { return fmt.Sprintf("held: %t", l.held.Load()) }

// A trier also has a TryLock, which waits for the lock that its caller holds if that is
// the fault.
type trier struct{ fickle }

func (l *trier) TryLock() bool {
	if l.how == "tries" {
		l.wait()
		return false
	}
	return l.held.CompareAndSwap(false, true)
}

// hang runs s with a lock that gets stuck, and returns the error. It then releases the
// workers and waits for them.
func hang(t *testing.T, s Scenario, fresh func(pins bool) sync.Locker) *StuckError {
	t.Helper()
	var locks []sync.Locker
	s.Name = "fickle"
	form := func(pins bool) func() sync.Locker {
		return func() sync.Locker {
			l := fresh(pins)
			locks = append(locks, l)
			return l
		}
	}
	s.New, s.Pinned = form(false), form(true)
	s.Patience, s.Duration = 200*time.Millisecond, 100*time.Millisecond
	before := runtime.NumGoroutine()
	_, err := Run(context.Background(), s)
	for _, l := range locks {
		l.(interface{ release() }).release()
	}
	var stuck *StuckError
	if errors.As(err, &stuck) && stuck.Unpreemptible {
		primitives.Unpin()
	}
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	if stuck == nil {
		t.Fatalf("Run = %v, want a StuckError", err)
	}
	return stuck
}

// hangAs calls hang until the error is as it should be, up to five times: on a busy
// machine a worker may not run at all for as long as the watchdog waits.
func hangAs(t *testing.T, s Scenario, fresh func(pins bool) sync.Locker, ok func(*StuckError) bool) *StuckError {
	t.Helper()
	err := hang(t, s, fresh)
	for tries := 1; tries < 5 && !ok(err); tries++ {
		err = hang(t, s, fresh)
	}
	return err
}

// Each way in which a worker can wait for itself is named, in every mode.
func TestCause(t *testing.T) {
	for _, test := range []struct {
		how     string
		n       int32
		workers int
		want    string
	}{
		{"locks twice", 1, 2, "AA deadlock: worker 0 is alone with a new lock, so its Lock waits for itself"},
		{"locks twice", 200, 1, "AA deadlock: worker 0 waits for the lock that no other worker has held: it has not been released"},
		{"locks twice", 200, 2, "no worker holds the lock, and 2 workers wait for it: worker "},
		{"forgets", 1, 2, "AA deadlock: worker 0 waits for the lock that no other worker has held: it has not been released"},
		{"forgets", 200, 1, "AA deadlock: worker 0 waits for the lock that no other worker has held: it has not been released"},
		{"forgets", 200, 3, "which held it last, has not released it (an AA deadlock), or a wake-up was lost"},
	} {
		for _, mode := range []Mode{Goroutine, Thread, Pinned} {
			if mode == Thread && !hasAffinity || mode == Pinned && !canStandBy {
				continue
			}
			if racy && test.workers == 3 {
				continue // the workers that release lets in race
			}
			t.Run(fmt.Sprintf("%s/n=%d/workers=%d/%v", test.how, test.n, test.workers, mode), func(t *testing.T) {
				s := quick(Subject{})
				s.Mode, s.Workers = mode, test.workers
				err := hangAs(t, s, func(pins bool) sync.Locker {
					return &fickle{n: test.n, how: test.how, pins: pins}
				}, func(err *StuckError) bool { return strings.Contains(err.Cause, test.want) })
				if !strings.Contains(err.Cause, test.want) || err.State != "held: true" {
					t.Errorf("cause %q, state %q, want %q and held", err.Cause, err.State, test.want)
				}
				if !strings.Contains(err.Error(), "\n\tcause: "+err.Cause+"\n\tstate: held: true\n") {
					t.Errorf("Error without cause and state:\n%v", err)
				}
			})
		}
	}
}

// A stuck worker that is not waiting for the lock's holder gets another cause.
func TestCauseNotHeld(t *testing.T) {
	for _, test := range []struct {
		how  string
		n    int32
		want string
	}{
		{"tries", 1, "AA deadlock: worker 0 holds the lock, and its TryLock waits for it"},
		{"loses a wake-up", 1, "lost wake-up: the lock is free, and 1 worker wait for it"},
		{"loses a wake-up", 200, "lost wake-up: the lock is free, and 2 workers wait for it"},
	} {
		err := hangAs(t, quick(Subject{}), func(bool) sync.Locker {
			return &trier{fickle{n: test.n, how: test.how}}
		}, func(err *StuckError) bool { return err.Cause == test.want })
		if err.Cause != test.want {
			t.Errorf("%s: cause %q, want %q", test.how, err.Cause, test.want)
		}
	}
}

// A workload that locks the lock that its worker holds gets another cause than one that
// does not return.
func TestCauseInWorkload(t *testing.T) {
	for _, mode := range []Mode{Goroutine, Thread, Pinned} {
		if mode == Thread && !hasAffinity || mode == Pinned && !canStandBy {
			continue
		}
		for _, workers := range []int{1, 3} {
			for _, again := range []bool{true, false} {
				if again && mode == Pinned && !unpreemptible {
					continue
				}
				t.Run(fmt.Sprintf("%v/workers=%d/again=%t", mode, workers, again), func(t *testing.T) {
					var locks []*fickle
					over := func(locks []*fickle) bool {
						for _, l := range locks {
							if l.released.Load() {
								return true
							}
						}
						return false
					}
					var writes atomic.Int32
					s := quick(Subject{})
					s.Mode, s.Workers = mode, workers
					s.Workload = (&custom{write: func(int) {
						if writes.Add(1) != 100 {
							return
						}
						if !again {
							for !over(locks) {
							}
							return
						}
						for _, l := range locks {
							if l.held.Load() {
								l.wait()
							}
						}
					}}).workload()
					err := hang(t, s, func(pins bool) sync.Locker {
						l := &fickle{pins: pins}
						if again {
							l.how = "is locked again"
						}
						locks = append(locks, l)
						return l
					})
					want := " holds the lock, and does not return from the workload's Write"
					if again {
						want = " holds the lock, and locks it again in the workload's Write"
					}
					if !strings.HasSuffix(err.Cause, want) || strings.HasPrefix(err.Cause, "AA deadlock: worker ") != again {
						t.Errorf("cause %q, want …%q", err.Cause, want)
					}
				})
			}
		}
	}
}
