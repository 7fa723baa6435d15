//go:build !race

package locktest_test

import (
	"runtime"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

// A busted lock excludes no goroutine. The race detector would stop the test, hence
// the build tag.
type busted struct{}

func (busted) Lock()               {}
func (busted) TryLock() bool       { return true }
func (busted) Unlock()             {}
func (busted) LockPinned()         { primitives.Pin() }
func (busted) TryLockPinned() bool { primitives.Pin(); return true }
func (busted) UnlockPinned()       { primitives.Unpin() }
func (busted) String() string      { return "unlocked" }

// A careless lock also does not notice that its caller is not pinned.
type careless struct{ busted }

func (careless) UnlockPinned() {}

// A lifo serves the latest arrival first.
type lifo struct {
	busted
	waiting []chan bool
	guard   chan bool
}

func (l *lifo) Lock() {
	l.guard <- true
	turn := make(chan bool)
	l.waiting = append(l.waiting, turn)
	<-l.guard
	if l.line() > 1 {
		<-turn
	}
}

func (l *lifo) Unlock() {
	l.guard <- true
	last := len(l.waiting) - 1
	if last > 0 {
		close(l.waiting[last])
	}
	l.waiting = l.waiting[:last]
	<-l.guard
}

func (l *lifo) line() uint64 {
	l.guard <- true
	defer func() { <-l.guard }()
	return uint64(len(l.waiting))
}

// A verdict notes whether a test failed.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Errorf(string, ...any) { v.failed = true }

// TestCheckersFail: a checker must be seen to fail.
func TestCheckersFail(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	l := &lifo{guard: make(chan bool, 1)}
	for name, check := range map[string]func(testing.TB){
		"Exclusion": func(t testing.TB) { locktest.Exclusion(t, busted{}) },
		"TryLock":   func(t testing.TB) { locktest.TryLock(t, busted{}) },
		"Misuse":    func(t testing.TB) { locktest.Misuse(t, careless{}) },
		"String":    func(t testing.TB) { locktest.String(t, busted{}) },
		"FIFO":      func(t testing.TB) { locktest.FIFO(t, l, l.line) },
	} {
		v := &verdict{TB: t}
		check(v)
		if !v.failed {
			t.Errorf("%s passed a lock that breaks it", name)
		}
	}
}
