package blocking_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

// A lookedAt context ends for a goroutine that looks at it again and again, and
// not for one that parks until Done is closed.
type lookedAt struct {
	context.Context
	looks primitives.Uint32
}

func (c *lookedAt) Err() error {
	if c.looks.Add(1) > 4 { // one is before the wait, and one at its end
		return context.Canceled
	}
	return c.Context.Err()
}

// A spinner looks whether its context has ended, and then does not get in line.
func TestSpinnersLookAtTheirContext(t *testing.T) {
	for _, lock := range giving() {
		t.Run(lock.name, func(t *testing.T) {
			const tries = 2_000 // a waiter does not spin while others want this CPU
			for range tries {
				lock.hold()
				// The holder runs; otherwise spinning would not pay.
				ended, tell := context.WithCancel(context.Background())
				ctx := &lookedAt{Context: ended}
				done := make(chan error, 1)
				go func() { done <- lock.wait(ctx) }()
				locktest.Until(func() bool { return len(done) > 0 || lock.inLine() > 0 })
				before := lock.inLine() == 0 // a waiter in line leaves it only when told
				tell()
				err := <-done
				lock.release()
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("wait for a held lock, cancelled = %v, want %v", err, context.Canceled)
				}
				if before {
					return
				}
			}
			t.Errorf("%d times the waiter got in line before it looked at its context", tries)
		})
	}
}

// A giver is a lock with a holder, and with a form of waiting that can be given
// up.
type giver struct {
	name          string
	hold, release func()
	wait          func(context.Context) error
	timeout       func(time.Duration) bool
	leave         func() // the release of a waiter that has acquired
	inLine        func() int
}

func giving() []giver {
	m, s, w, r := new(blocking.Mutex), blocking.NewSemaphore(1), new(blocking.RWSem), new(blocking.RWSem)
	return []giver{
		{"Mutex", m.Lock, m.Unlock, m.LockContext, m.LockTimeout, m.Unlock, m.InLine},
		{"Semaphore", s.Down, s.Up, s.DownContext, s.DownTimeout, s.Up, s.InLine},
		{"RWSem", w.Lock, w.Unlock, w.LockContext, w.LockTimeout, w.Unlock, w.InLine},
		{"RWSem/reader", r.Lock, r.Unlock, r.RLockContext, r.RLockTimeout, r.RUnlock, r.InLine},
	}
}

// completing is a Completion as a giver: it is free while it has one Complete that
// no wait has used. It does not spin.
func completing() giver {
	c := new(blocking.Completion)
	c.Complete()
	return giver{"Completion", c.Wait, c.Complete, c.WaitContext, c.WaitTimeout, c.Complete, c.InLine}
}

// A context that ends before the release ends the wait, in whichever order the
// waiter learns of both. If it was granted the lock meanwhile, the lock goes to
// the next.
func TestCancelThenRelease(t *testing.T) {
	for _, lock := range append(giving(), completing()) {
		t.Run(lock.name, func(t *testing.T) {
			const trials = 1_000
			granted := 0
			for range trials {
				lock.hold()
				ctx, cancel := context.WithCancelCause(context.Background())
				first, next := make(chan error, 1), make(chan error, 1)
				go func() { first <- lock.wait(ctx) }()
				locktest.Until(func() bool { return lock.inLine() == 1 })
				go func() { next <- lock.wait(context.Background()) }()
				locktest.Until(func() bool { return lock.inLine() == 2 })
				cancel(errTired)
				lock.release()
				switch err := <-first; {
				case err == nil:
					granted++
					lock.leave()
				case !errors.Is(err, errTired) || !strings.HasPrefix(err.Error(), "blocking: "):
					t.Fatalf("wait, cancelled and then released = %v, want %v, wrapped", err, errTired)
				}
				if err := <-next; err != nil {
					t.Fatalf("the next waiter's wait = %v, want nil", err)
				}
				lock.leave()
			}
			if granted > 0 {
				t.Errorf("%d of %d waits that were cancelled before the release succeeded, want none", granted, trials)
			}
			wantFree(t, lock)
		})
	}
}

// wantFree fails the test unless lock is free, for one holder, and its line is
// empty.
func wantFree(t *testing.T, lock giver) {
	t.Helper()
	if !lock.timeout(0) {
		t.Error("it is held, want it free")
	} else {
		lock.leave()
		lock.hold()
		if lock.timeout(0) {
			t.Error("it was acquired while another held it")
		}
		lock.release()
	}
	if n := lock.inLine(); n != 0 {
		t.Errorf("%d are in line, want none", n)
	}
}

// An untold context does not close Done when it ends: its user has to look. It
// ends after so many looks.
type untold struct {
	context.Context
	looks primitives.Int64 // how many more do not see the end
}

func (c *untold) Err() error {
	if c.looks.Add(-1) < 0 {
		return errTired
	}
	return nil
}

// A wait looks at its context once it has acquired, also if it acquired at once.
func TestLastLookAtContext(t *testing.T) {
	for _, lock := range append(giving(), completing()) {
		t.Run(lock.name, func(t *testing.T) {
			// A free lock: one look before, and one after.
			for looks := range int64(3) {
				ctx := &untold{Context: t.Context()}
				ctx.looks.Store(looks)
				switch err := lock.wait(ctx); {
				case looks == 2 && err != nil:
					t.Fatalf("wait for a free lock, whose context ends later = %v, want nil", err)
				case looks == 2:
					lock.leave()
				case !errors.Is(err, errTired):
					t.Fatalf("wait for a free lock, whose context ends after %d looks = %v, want %v", looks, err, errTired)
				}
				wantFree(t, lock)
			}
			// A lock that is handed over: the end comes between the grant and the
			// return.
			lock.hold()
			ctx := &untold{Context: t.Context()}
			ctx.looks.Store(math.MaxInt32)
			done := make(chan error)
			go func() { done <- lock.wait(ctx) }()
			locktest.Until(func() bool { return lock.inLine() == 1 })
			ctx.looks.Store(0)
			lock.release()
			if err := <-done; !errors.Is(err, errTired) {
				t.Fatalf("wait, granted when its context had ended = %v, want %v", err, errTired)
			}
			wantFree(t, lock)
		})
	}
}

// However short or long the patience, and wherever it ends, a waiter that gives up
// has acquired nothing, and takes nothing from the others.
func TestShortPatience(t *testing.T) {
	for _, lock := range append(giving(), completing()) {
		t.Run(lock.name, func(t *testing.T) {
			lock.hold()
			for _, d := range []time.Duration{math.MinInt64, 0, 1, time.Microsecond, 20 * time.Microsecond} {
				for range 50 {
					if lock.timeout(d) {
						t.Fatalf("wait of %v for a held lock succeeded", d)
					}
					ctx, cancel := context.WithTimeoutCause(context.Background(), d, errTired)
					if err := lock.wait(ctx); !errors.Is(err, errTired) {
						t.Fatalf("wait of %v for a held lock = %v, want %v", d, err, errTired)
					}
					cancel()
				}
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if !lock.timeout(math.MaxInt64) {
					t.Error("a wait of 292 years for what was released failed")
				} else {
					lock.leave()
				}
			})
			runtime.Gosched()
			lock.release()
			wg.Wait()
			wantFree(t, lock)
		})
	}
}

var errTired = errors.New("tired")

func TestCompletionWaitTimeout(t *testing.T) {
	var c blocking.Completion
	for _, d := range []time.Duration{-1, 0, time.Microsecond, time.Millisecond} {
		began := time.Now()
		if c.WaitTimeout(d) {
			t.Errorf("WaitTimeout(%v) before Complete = true", d)
		}
		if took := time.Since(began); took < d {
			t.Errorf("WaitTimeout(%v) took %v", d, took)
		}
	}
	if !c.Empty() {
		t.Error("a waiter that gave up is in line")
	}
	c.Complete() // the waits that gave up have not used it up
	for _, want := range []bool{true, false} {
		if got := c.WaitTimeout(0); got != want {
			t.Errorf("WaitTimeout(0) = %v, want %v", got, want)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if !c.WaitTimeout(math.MaxInt64) {
			t.Error("WaitTimeout with Complete during the wait = false")
		}
	})
	locktest.Until(func() bool { return !c.Empty() })
	c.Complete()
	wg.Wait()
	c.CompleteAll()
	if !c.WaitTimeout(-1) {
		t.Error("WaitTimeout after CompleteAll = false")
	}
}
