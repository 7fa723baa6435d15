//go:build !race

package locktest_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

// A bustedRW excludes no reader and no writer.
type bustedRW struct{ busted }

func (bustedRW) RLock()               {}
func (bustedRW) TryRLock() bool       { return true }
func (bustedRW) RUnlock()             {}
func (bustedRW) RLockPinned()         { primitives.Pin() }
func (bustedRW) TryRLockPinned() bool { primitives.Pin(); return true }
func (bustedRW) RUnlockPinned()       { primitives.Unpin() }
func (bustedRW) RLocker() sync.Locker { return busted{} }

// An honest lock is correct, except that readers starve its writers. The types that
// embed it have one fault each.
type honest struct {
	bustedRW
	guard   sync.Mutex
	readers int
	writer  bool
}

func (l *honest) try(f func() bool) bool {
	l.guard.Lock()
	defer l.guard.Unlock()
	return f()
}

func (l *honest) TryLock() bool {
	return l.try(func() bool {
		free := !l.writer && l.readers == 0
		l.writer = l.writer || free
		return free
	})
}

func (l *honest) TryRLock() bool {
	return l.try(func() bool {
		if !l.writer {
			l.readers++
		}
		return !l.writer
	})
}

func (l *honest) Lock()    { locktest.Until(l.TryLock) }
func (l *honest) RLock()   { locktest.Until(l.TryRLock) }
func (l *honest) Unlock()  { l.try(func() bool { l.writer = false; return true }) }
func (l *honest) RUnlock() { l.try(func() bool { l.readers--; return true }) }

// Writers do not wait for readers.
type rude struct{ honest }

func (l *rude) Lock() {
	locktest.Until(func() bool {
		return l.try(func() bool {
			free := !l.writer
			l.writer = true
			return free
		})
	})
}

// Readers do not wait for writers.
type nosy struct{ honest }

func (l *nosy) RLock() { l.try(func() bool { l.readers++; return true }) }

// Readers exclude each other.
type lonely struct{ honest }

func (l *lonely) RLock()   { l.Lock() }
func (l *lonely) RUnlock() { l.Unlock() }

// A reader must leave from the CPU it came on.
type homebound struct {
	honest
	here [64]int // readers by CPU, guarded by guard
}

func (l *homebound) RLock() {
	l.honest.RLock()
	l.try(func() bool { l.here[primitives.Pin()%64]++; primitives.Unpin(); return true })
}

func (l *homebound) RUnlock() {
	cpu := primitives.Pin() % 64
	primitives.Unpin()
	if l.try(func() bool { l.here[cpu]--; return l.here[cpu] >= 0 }) {
		l.honest.RUnlock()
	}
}

// TestReaderCheckersFail: a checker must be seen to fail.
func TestReaderCheckersFail(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	for name, check := range map[string]func(testing.TB){
		"ReadersExclude of writers that ignore readers": func(t testing.TB) { locktest.ReadersExclude(t, new(rude)) },
		"ReadersExclude of readers that ignore writers": func(t testing.TB) { locktest.ReadersExclude(t, new(nosy)) },
		"ReaderTries":           func(t testing.TB) { locktest.ReaderTries(t, bustedRW{}) },
		"ReadersOversubscribed": func(t testing.TB) { locktest.ReadersOversubscribed(t, 2, bustedRW{}) },
		"ReadersOverlap":        func(t testing.TB) { locktest.ReadersOverlap(t, new(lonely)) },
		"RUnlockElsewhere":      func(t testing.TB) { locktest.RUnlockElsewhere(t, new(homebound)) },
		"WriterProgress":        func(t testing.TB) { locktest.WriterProgress(t, new(honest)) },
		"TryRLock":              func(t testing.TB) { locktest.TryRLock(t, bustedRW{}) },
		"ReaderMisuse":          func(t testing.TB) { locktest.ReaderMisuse(t, bustedRW{}) },
		"RLocker":               func(t testing.TB) { locktest.RLocker(t, bustedRW{}) },
	} {
		v := &verdict{TB: t}
		for tries := 0; tries < 5 && !v.failed; tries++ { // stress may miss it once
			check(v)
		}
		if !v.failed {
			t.Errorf("%s passed a lock that breaks it", name)
		}
	}
	// None of them fails a correct lock.
	locktest.ReadersExclude(t, new(honest))
	locktest.ReadersOverlap(t, new(honest))
	locktest.RUnlockElsewhere(t, new(honest))
}
