package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A trap is a mutex that, once it has been acquired often enough, keeps every worker
// that comes until the test releases it.
type trap struct {
	sync.Mutex
	after, uses atomic.Int32
	released    atomic.Bool
	hold        func(released *atomic.Bool)
}

func (l *trap) Lock() {
	if l.uses.Add(1) > l.after.Load() {
		l.hold(&l.released)
	}
	l.Mutex.Lock()
}

func (l *trap) String() string { return "trapped" }

// How a trap keeps them.

func parked(released *atomic.Bool) {
	var p primitives.Parker
	for !released.Load() {
		p.ParkTimeout(20 * time.Millisecond)
	}
}

func yielding(released *atomic.Bool) {
	for !released.Load() {
		runtime.Gosched()
	}
}

func spinning(released *atomic.Bool) {
	for !released.Load() {
	}
}

func pinned(released *atomic.Bool) {
	primitives.Pin()
	for !released.Load() {
	}
	primitives.Unpin()
}

// stuck asserts that Run of s reports its lock as stuck, which lets in some workers
// before it keeps all, and returns the error. It then waits for the workers.
func stuck(t *testing.T, s Scenario, after int, hold func(*atomic.Bool)) *StuckError {
	t.Helper()
	var locks []*trap
	s.Name = "trap"
	s.New = func() sync.Locker {
		l := &trap{hold: hold}
		l.after.Store(int32(after))
		locks = append(locks, l)
		return l
	}
	s.Pinned = s.New
	s.Patience = 100 * time.Millisecond
	s.Duration = 50 * time.Millisecond // long enough to let them in on a busy machine, too
	before := runtime.NumGoroutine()
	_, err := Run(context.Background(), s)
	for _, l := range locks {
		l.released.Store(true)
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

func TestStuck(t *testing.T) {
	for _, how := range []struct {
		name string
		hold func(*atomic.Bool)
	}{
		{"parked", parked},
		{"yielding", yielding},
		{"spinning", spinning},
	} {
		// At once, in the preflight, or in the measured run.
		for _, after := range []int{0, 5, 100} {
			for _, workers := range []int{1, 2, 5} {
				t.Run(fmt.Sprintf("%s/after=%d/workers=%d", how.name, after, workers), func(t *testing.T) {
					restoresCPUs(t)
					s := quick(Subject{})
					s.Workers = workers
					err := stuck(t, s, after, how.hold)
					if err.Lock != "trap" || err.State != "trapped" || err.For < s.Patience/100 {
						t.Errorf("StuckError of %q in state %q for %v", err.Lock, err.State, err.For)
					}
					waiting := 0
					for _, w := range err.Workers {
						if w.Doing == "waits to write" {
							waiting++
						}
					}
					if waiting == 0 {
						t.Errorf("no worker is said to wait:\n%v", err)
					}
					if !strings.Contains(err.Stacks, "harness.(*trap).Lock") {
						t.Errorf("stacks do not show the trap:\n%s", err.Stacks)
					}
				})
			}
		}
	}
}

// All workers spin with preemption off, on every CPU that there is for them.
func TestStuckPinned(t *testing.T) {
	if !canStandBy {
		t.Skip("no thread could watch")
	}
	for _, cpus := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
		defer debug.SetGCPercent(debug.SetGCPercent(100))
		s := quick(Subject{})
		s.Mode, s.CPUs, s.Workers = Pinned, cpus, 2*cpus
		var err *StuckError
		for range 5 { // on a busy machine a worker of the preflight may not have run
			if err = stuck(t, s, 100, pinned); len(err.Workers) == 2*cpus {
				break
			}
		}
		if err.State != "trapped" || len(err.Workers) != 2*cpus {
			t.Errorf("StuckError: %v", err)
		}
		if err.Stacks != "" {
			t.Error("stacks were taken, which stops the world")
		}
	}
}

// A lost wake-up: one waiter stays parked while the others acquire and release.
func TestLostWakeUp(t *testing.T) {
	var err *StuckError
	for range 5 { // on a busy machine a worker may not have run
		var lost atomic.Bool
		err = stuck(t, quick(Subject{}), 100, func(released *atomic.Bool) {
			if lost.CompareAndSwap(false, true) {
				parked(released)
			}
		})
		waiting := 0
		for _, w := range err.Workers {
			if w.Doing == "waits to write" {
				waiting++
			}
		}
		if waiting == 1 {
			return
		}
	}
	t.Errorf("want 1 worker that waits:\n%v", err)
}

func TestStuckErrorText(t *testing.T) {
	err := &StuckError{
		Lock:  "ticket",
		For:   10*time.Second + time.Microsecond,
		State: "locked, 2 waiting",
		Workers: []WorkerState{
			{ID: 0, Doing: "waits to write", For: 10 * time.Second, Ops: 17},
			{ID: 1, Doing: "has finished", For: 11 * time.Second, Ops: 18},
		},
		Stacks: "goroutine 1 [running]:",
	}
	const want = `lock "ticket" is stuck: no worker made progress for 10s
	state: locked, 2 waiting
	worker 0 waits to write, for 10s, after 17 operations
	worker 1 has finished, for 11s, after 18 operations`
	if err.Error() != want {
		t.Errorf("Error:\n%v\nwant\n%s", err, want)
	}
}

// Cancelling needs no worker to look at the clock.
func TestCancel(t *testing.T) {
	for _, mode := range []Mode{Goroutine, Pinned} {
		restoresCPUs(t)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		l := subject[cancelling]("cancelling")
		l.New = func() sync.Locker { return &cancelling{cancel: func() { cancel(cause) }} }
		l.Pinned = l.New
		s := quick(l)
		s.Mode = mode
		s.Duration = time.Hour
		if _, err := Run(ctx, s); !errors.Is(err, cause) {
			t.Errorf("Run in %v mode, cancelled = %v, want %v", mode, err, cause)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, quick(mutex)); !errors.Is(err, context.Canceled) {
		t.Errorf("Run, cancelled before = %v, want %v", err, context.Canceled)
	}
}

// A cancelling lock cancels when it is acquired for the thousandth time.
type cancelling struct {
	spinner
	uses   atomic.Int32
	cancel func()
}

func (l *cancelling) Lock() {
	l.spinner.Lock()
	if l.uses.Add(1) == 1000 {
		l.cancel()
	}
}

// A cancelled run whose workers are stuck is reported as stuck.
func TestCancelStuck(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := quick(Subject{})
	s.Duration = time.Hour
	s.Patience = 100 * time.Millisecond
	var locks []*trap
	s.Subject = Subject{Name: "trap", New: func() sync.Locker {
		l := &trap{hold: func(released *atomic.Bool) {
			cancel()
			parked(released)
		}}
		l.after.Store(100)
		locks = append(locks, l)
		return l
	}}
	_, err := Run(ctx, s)
	for _, l := range locks {
		l.released.Store(true)
	}
	var stuck *StuckError
	if !errors.As(err, &stuck) {
		t.Errorf("Run = %v, want a StuckError", err)
	}
}

// A worker that holds or thinks for long is not stuck.
func TestPatience(t *testing.T) {
	for _, test := range []struct {
		idle time.Duration
		want bool
	}{
		{6*time.Second - 1, false},
		{6 * time.Second, true},
	} {
		s := quick(mutex)
		s.Patience, s.Hold, s.Think = time.Second, 2*time.Second, 3*time.Second
		dog := newWatchdog(newRun(s, new(sync.Mutex), 2))
		if got := dog.expired(int64(test.idle)); got != test.want {
			t.Errorf("stuck after %v = %v, want %v", test.idle, got, test.want)
		}
		dog.run.workers[1].read++
		if dog.expired(int64(test.idle)) {
			t.Errorf("stuck after %v though a worker has moved", test.idle)
		}
	}
}

// A trickle is a lock that, once it has been acquired for the hundredth time,
// cancels, and from then on lets in a worker with each tick.
type trickle struct {
	sync.Mutex
	uses   atomic.Int32
	cancel func()
	slow   atomic.Bool
	tick   *time.Ticker
	open   chan struct{}
}

func (l *trickle) Lock() {
	if l.slow.Load() {
		select {
		case <-l.tick.C:
		case <-l.open:
		}
	}
	l.Mutex.Lock()
	if l.uses.Add(1) == 100 {
		l.slow.Store(true)
		l.cancel()
	}
}

// A cancelled run does not wait until each of many workers has had its turn.
func TestCancelWhileManyWait(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	ctx, cancel := context.WithCancel(context.Background())
	open := make(chan struct{})
	var locks []*trickle
	s := quick(Subject{Name: "trickle", New: func() sync.Locker {
		l := &trickle{cancel: cancel, tick: time.NewTicker(20 * time.Millisecond), open: open}
		locks = append(locks, l)
		return l
	}})
	s.Workers, s.Duration = 1000, time.Hour
	_, err := Run(ctx, s)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want %v", err, context.Canceled)
	}
	got := int32(0)
	for _, l := range locks {
		if l.slow.Load() {
			got = l.uses.Load() - 100
		}
		l.tick.Stop()
	}
	close(open)
	if got < 1 || got > 900 {
		t.Errorf("%d workers had had a turn when Run returned, want some and not nearly all 1000", got)
	}
}
