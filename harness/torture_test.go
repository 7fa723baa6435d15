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

// A gate is a reader-writer lock that has all methods that a torture uses, and one
// fault.
type gate struct {
	fault string
	state *gateState
}

type gateState struct {
	sync.Mutex
	writing  bool
	readers  int
	released bool // ends all waits
	uses     atomic.Int64
}

func (l gate) enter(reads bool) bool {
	s := l.state
	s.Lock()
	defer s.Unlock()
	s.uses.Add(1)
	if l.fault == "excludes no worker" {
		return true
	}
	if s.writing || !reads && s.readers > 0 && l.fault != "writes beside readers" {
		return s.released
	}
	if reads {
		s.readers++
	} else {
		s.writing = true
	}
	return true
}

func (l gate) leave(reads bool) {
	s := l.state
	s.Lock()
	defer s.Unlock()
	switch {
	case l.fault == "forgets to release" && s.uses.Load() > 100:
	case reads:
		s.readers--
	default:
		s.writing = false
	}
}

func (l gate) wait(reads bool, goOn func() bool) bool {
	for !l.enter(reads) {
		if !goOn() {
			return false
		}
		runtime.Gosched()
	}
	return true
}

func forever() bool { return true }

func (l gate) Lock() {
	if l.fault == "panics" && l.state.uses.Load() > 100 {
		panic("no more")
	}
	l.wait(false, forever)
}
func (l gate) RLock()   { l.wait(true, forever) }
func (l gate) Unlock()  { l.leave(false) }
func (l gate) RUnlock() { l.leave(true) }

func (l gate) TryLock() bool {
	switch ok := l.enter(false); l.fault {
	case "TryLock never fails":
		return true
	case "TryLock fails when free":
		if ok {
			l.leave(false)
		}
		return false
	default:
		return ok
	}
}

func (l gate) TryRLock() bool { return l.enter(true) || l.fault == "TryRLock never fails" }

func (l gate) LockTimeout(d time.Duration) bool {
	until := primitives.Nanotime() + int64(d)
	return l.wait(false, func() bool { return primitives.Nanotime() < until }) || l.fault == "a timeout acquires"
}

func (l gate) RLockTimeout(d time.Duration) bool {
	until := primitives.Nanotime() + int64(d)
	return l.wait(true, func() bool { return primitives.Nanotime() < until })
}

func (l gate) LockContext(ctx context.Context) error {
	if l.wait(false, func() bool { return ctx.Err() == nil }) {
		return nil
	}
	switch l.fault {
	case "another error":
		return errors.New("no luck")
	case "a cancelled wait acquires":
		l.wait(false, forever)
	}
	return fmt.Errorf("gate: %w", context.Cause(ctx))
}

func (l gate) RLockContext(ctx context.Context) error {
	if l.wait(true, func() bool { return ctx.Err() == nil }) {
		return nil
	}
	return context.Cause(ctx)
}

func (l gate) Downgrade() {
	if l.fault == "Downgrade releases" {
		l.Unlock()
		runtime.Gosched()
		l.RLock()
		return
	}
	l.state.Lock()
	defer l.state.Unlock()
	l.state.writing = false
	l.state.readers++
}

func (l gate) String() string { return "a gate" }

// tortured tortures a gate with a fault.
func tortured(t *testing.T, fault string, duration, patience time.Duration) (Tortured, error) {
	t.Helper()
	restoresCPUs(t)
	state := new(gateState)
	before := runtime.NumGoroutine()
	done, err := Torture{Duration: duration, Seed: 1, Patience: patience}.RunLock(t.Context(), Subject{
		Name: "gate",
		New:  func() sync.Locker { return gate{fault, state} },
	})
	state.Lock()
	state.released = true
	state.Unlock()
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	return done, err
}

func TestTortureLock(t *testing.T) {
	done, err := tortured(t, "", 300*time.Millisecond, 0)
	if err != nil {
		t.Fatal(err)
	}
	if done.Name != "gate" || done.Rounds == 0 || done.Reads == 0 || done.Writes == 0 || done.Took == 0 || done.Flips == 0 {
		t.Errorf("done: %+v, want reads and writes in some rounds", done)
	}
}

func TestTortureFindsFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"excludes no worker":        "",
		"writes beside readers":     "",
		"TryLock never fails":       "",
		"TryLock fails when free":   "TryLock of the free lock, after round",
		"TryRLock never fails":      "",
		"a timeout acquires":        "",
		"another error":             "waiting with a context: want the lock, or the context's cause, context canceled, have no luck",
		"a cancelled wait acquires": hangs,
		"Downgrade releases":        "",
		"forgets to release":        hangs,
		"panics":                    "Lock by worker",
	} {
		t.Run(strings.ReplaceAll(fault, " ", "-"), func(t *testing.T) {
			if racy && (want == "" || want == hangs) {
				t.Skip("races")
			}
			patience := time.Duration(0)
			if want == hangs {
				want, patience = "", 200*time.Millisecond
			}
			done, err := tortured(t, fault, time.Minute, patience) // a minute at most
			if err == nil || !strings.Contains(err.Error(), `lock "gate" is `) || !strings.Contains(err.Error(), want) {
				t.Fatalf("after %+v: %v, want %s", done, err, want)
			}
			stuck := (*StuckError)(nil)
			if errors.As(err, &stuck) && stuck.State != "a gate" {
				t.Errorf("stuck in state %q, want a gate", stuck.State)
			}
		})
	}
}

// hangs says that no worker makes progress, unless all have returned before.
const hangs = "hangs"

// The same seed makes the same choices, another seed makes others, and workers and
// rounds differ.
func TestTortureSeed(t *testing.T) {
	acts := func(seed uint64, round, worker int) string {
		b := Torture{Seed: seed}.draw(Subject{Name: "gate"}, nil, round)
		rng := b.stream(worker)
		text := fmt.Sprint(b.Workers, b.CPUs, b.Duration, b.tight, b.reads)
		for range 20 {
			text += fmt.Sprint(b.act(rng))
		}
		return text
	}
	first := acts(1, 0, 0)
	if again := acts(1, 0, 0); again != first {
		t.Errorf("the same seed does\n%s\nand then\n%s", first, again)
	}
	for _, other := range [][3]int{{2, 0, 0}, {1, 1, 0}, {1, 0, 1}} {
		if acts(uint64(other[0]), other[1], other[2]) == first {
			t.Errorf("seed %d, round %d, worker %d do what seed 1, round 0, worker 0 do", other[0], other[1], other[2])
		}
	}
}

func TestTortureReports(t *testing.T) {
	restoresCPUs(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	var reports atomic.Int32
	torture := Torture{Duration: time.Hour, Report: func(d Tortured) {
		if n := reports.Add(1); int(n) != d.Rounds {
			t.Errorf("report %d of %d rounds", n, d.Rounds)
		}
		if d.Rounds == 3 {
			cancel(enough)
		}
	}}
	done, err := torture.RunLock(ctx, subject[sync.Mutex]("mutex"))
	if !errors.Is(err, enough) || done.Rounds != 3 || done.Writes == 0 {
		t.Errorf("Lock = %+v, %v, want what was done in 3 rounds, and %v", done, err, enough)
	}
}

// In an interrupted round workers return early.
func TestTortureInterrupted(t *testing.T) {
	restoresCPUs(t)
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	lock := &notified{f: func() { once.Do(cancel) }}
	done, err := Torture{Duration: time.Hour}.RunLock(ctx, Subject{Name: "notified", New: func() sync.Locker { return lock }})
	if !errors.Is(err, context.Canceled) || done.Rounds != 1 {
		t.Errorf("Lock = %+v, %v, want one round, and %v", done, err, context.Canceled)
	}
}

// A notified lock calls f before each Lock.
type notified struct {
	sync.Mutex
	f func()
}

func (l *notified) Lock() {
	l.f()
	l.Mutex.Lock()
}

func TestTortureValidate(t *testing.T) {
	_, err := Torture{CPUs: -1, Patience: -1}.RunLock(t.Context(), Subject{Name: "a b"})
	for _, want := range []string{"duration 0s: must be", "CPUs -1: must be", "patience -1ns: must be", `lock "a b"`, "New is nil"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Lock: %v, want %s", err, want)
		}
	}
	_, err = Torture{Duration: 1}.RunLock(t.Context(), Subject{Name: "none", New: func() sync.Locker { return none{} }, Unlocked: true})
	if want := `lock "none": does not claim to exclude,`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Lock: %v, want %s", err, want)
	}
}
