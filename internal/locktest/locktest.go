// Package locktest has the tests that every lock must pass, written once.
package locktest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Lock has the methods of every spinlock of this module.
type Lock interface {
	sync.Locker
	TryLock() bool
	LockPinned()
	TryLockPinned() bool
	UnlockPinned()
	fmt.Stringer
}

// Workers is how many goroutines a stress test runs: more than CPUs, so that
// holders and waiters lose theirs now and then.
const Workers = 8

// All runs every test that holds for any lock. newLock returns a fresh one.
func All(t *testing.T, newLock func() Lock) {
	t.Run("TryLock", func(t *testing.T) { TryLock(t, newLock()) })
	t.Run("Misuse", func(t *testing.T) { Misuse(t, newLock()) })
	t.Run("String", func(t *testing.T) { String(t, newLock()) })
	t.Run("Exclusion", func(t *testing.T) { Exclusion(t, newLock()) })
	t.Run("ExclusionPinned", func(t *testing.T) { Exclusion(t, Pinned(newLock())) })
	t.Run("ExclusionTryLock", func(t *testing.T) { Exclusion(t, &trying{newLock()}) })
	t.Run("Tries", func(t *testing.T) { Tries(t, newLock()) })
	for _, cpus := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("Oversubscribed/cpus=%d", cpus), func(t *testing.T) { Oversubscribed(t, cpus, newLock()) })
		t.Run(fmt.Sprintf("OversubscribedPinned/cpus=%d", cpus), func(t *testing.T) { Oversubscribed(t, cpus, Pinned(newLock())) })
	}
}

// Pinned returns l with its pinned forms as Lock, TryLock and Unlock.
func Pinned(l Lock) TryLocker { return pinned{l} }

// A TryLocker can also be tried, without waiting.
type TryLocker interface {
	sync.Locker
	TryLock() bool
}

type pinned struct{ l Lock }

func (p pinned) Lock()         { p.l.LockPinned() }
func (p pinned) TryLock() bool { return p.l.TryLockPinned() }
func (p pinned) Unlock()       { p.l.UnlockPinned() }

// trying calls TryLock before it waits, so that waiters in line meet goroutines that
// are not.
type trying struct{ l Lock }

func (t *trying) Lock() {
	for range 3 {
		if t.l.TryLock() {
			return
		}
		runtime.Gosched()
	}
	t.l.Lock()
}

func (t *trying) Unlock() { t.l.Unlock() }

// Tries checks that l admits one holder at a time if all goroutines only try, in tight
// loops on different CPUs, so that their looks meet each step of a release. A CLH whose
// TryLock read the lock's two words in the wrong order failed it in 3 of 16 runs, and
// passed Exclusion in all.
func Tries(t testing.TB, l Lock) {
	t.Helper()
	const duration = 100 * time.Millisecond
	var n int // guarded by l
	var total primitives.Uint64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			mine := 0
			for began := time.Now(); time.Since(began) < duration; {
				for range 1000 {
					for !l.TryLock() {
					}
					n++
					l.Unlock()
				}
				mine += 1000
			}
			total.Add(uint64(mine))
		})
	}
	wg.Wait()
	if want := int(total.Load()); n != want {
		t.Errorf("after %d critical sections the counter reads %d", want, n)
	}
}

// TryLock checks what TryLock promises to a single goroutine, and that Lock
// and the pinned forms agree with it.
func TryLock(t testing.TB, l Lock) {
	t.Helper()
	take := map[string]func(){
		"Lock":    l.Lock,
		"TryLock": func() { wantTry(t, "TryLock of unlocked lock", l.TryLock(), true) },
		"LockPinned": func() {
			l.LockPinned()
			primitives.Unpin() // so that the test may go on to Unlock
		},
		"TryLockPinned": func() {
			wantTryPinned(t, "TryLockPinned of unlocked lock", l.TryLockPinned(), true)
		},
	}
	give := map[string]func(){
		"Unlock": l.Unlock,
		"UnlockPinned": func() {
			primitives.Pin()
			l.UnlockPinned()
		},
	}
	for took, lock := range take {
		for gave, unlock := range give {
			lock()
			wantTry(t, "TryLock after "+took, l.TryLock(), false)
			wantTryPinned(t, "TryLockPinned after "+took, l.TryLockPinned(), false)
			unlock()
			wantTry(t, "TryLock after "+gave, l.TryLock(), true)
			l.Unlock()
		}
	}
}

func wantTry(t testing.TB, what string, got, want bool) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// wantTryPinned is wantTry, and turns preemption on again after a success.
func wantTryPinned(t testing.TB, what string, got, want bool) {
	t.Helper()
	if got {
		primitives.Unpin()
	}
	wantTry(t, what, got, want)
}

// Misuse checks that Unlock of an unlocked lock panics and breaks nothing.
func Misuse(t testing.TB, l Lock) {
	t.Helper()
	for range 2 {
		Panics(t, "Unlock of unlocked lock", l.Unlock)
		Panics(t, "UnlockPinned of unlocked lock", l.UnlockPinned) // unpinned: a pinned panic is fatal
		wantTry(t, "TryLock after a panic", l.TryLock(), true)
		l.Unlock()
	}
}

// Panics checks that f panics, and that the lock says so and not the runtime.
func Panics(t testing.TB, what string, f func()) {
	t.Helper()
	defer func() {
		switch v := recover().(type) {
		case nil:
			t.Errorf("%s did not panic", what)
		case runtime.Error:
			t.Errorf("%s panicked with %q, want a panic of the lock's own", what, v.Error())
		}
	}()
	f()
}

// String checks that the lock says whether it is locked.
func String(t testing.TB, l Lock) {
	t.Helper()
	free := l.String()
	l.Lock()
	held := l.String()
	l.Unlock()
	if free == held || len(free) < len("unlocked") || free[:len("unlocked")] != "unlocked" {
		t.Errorf("String of unlocked lock = %q, of locked lock = %q", free, held)
	}
}

// Exclusion checks that l admits one holder at a time.
//
// The counters are plain on purpose: a second holder loses an update, and
// trips the race detector under -race.
func Exclusion(t testing.TB, l sync.Locker) {
	t.Helper()
	const sections = 1000
	_, isPinned := l.(pinned)
	var (
		n, twin int // guarded by l; equal whenever it is free
		torn    int
		wg      sync.WaitGroup
	)
	for range Workers {
		wg.Go(func() {
			for i := range sections {
				l.Lock()
				if n != twin {
					torn++
				}
				n++
				// Holders lose the CPU now and then. Before they did, this passed
				// a lock whose wraparound was broken, because no two met.
				if i%16 == 0 && !isPinned {
					runtime.Gosched()
				}
				twin++
				l.Unlock()
			}
		})
	}
	wg.Wait()
	if want := Workers * sections; n != want || twin != want || torn != 0 {
		t.Errorf("after %d critical sections the counters read %d and %d, and differed %d times", want, n, twin, torn)
	}
}

// Oversubscribed checks that 64 goroutines on a few CPUs all acquire the lock: a
// waiter that kept its CPU from the holder would hang here.
func Oversubscribed(t testing.TB, cpus int, l sync.Locker) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
	const goroutines = 64
	sections := 50
	if cpus > runtime.NumCPU() {
		sections = 2 // a FIFO lock now waits for the operating system, too
	}
	_, isPinned := l.(pinned)
	var n int // guarded by l
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range sections {
				l.Lock()
				n++
				if i%8 == 0 && !isPinned {
					runtime.Gosched() // so that a queue forms
				}
				l.Unlock()
			}
		})
	}
	wg.Wait()
	if want := goroutines * sections; n != want {
		t.Errorf("after %d critical sections the counter reads %d", want, n)
	}
}

// FIFO checks that l serves waiters in the order of arrival. line returns a
// number that changes whenever a goroutine gets in line.
func FIFO(t testing.TB, l sync.Locker, line func() uint64) {
	t.Helper()
	var got []int // guarded by l
	var wg sync.WaitGroup
	l.Lock()
	for i := range Workers {
		before := line()
		wg.Go(func() {
			l.Lock()
			got = append(got, i)
			l.Unlock()
		})
		// Start the next waiter only once this one is in line.
		Until(func() bool { return line() != before })
	}
	l.Unlock()
	wg.Wait()
	for i := range got {
		if got[i] != i {
			t.Errorf("acquired in order %v, want arrival order", got)
			return
		}
	}
}

// Until waits for a condition that another goroutine is about to make true.
func Until(condition func() bool) {
	for !condition() {
		runtime.Gosched()
	}
}
