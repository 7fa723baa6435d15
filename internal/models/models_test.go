package models_test

import (
	"fmt"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/models"
)

// tries checks what a TryLock promises to one goroutine.
func tries(t *testing.T, l locktest.TryLocker) {
	t.Helper()
	for _, take := range []func(){l.Lock, func() {
		if !l.TryLock() {
			t.Fatal("TryLock of unlocked lock = false, want true")
		}
	}} {
		take()
		if l.TryLock() {
			t.Error("TryLock of locked lock = true, want false")
		}
		l.Unlock()
	}
	locktest.Panics(t, "Unlock of unlocked lock", l.Unlock)
}

func TestMutex(t *testing.T) {
	tries(t, models.NewMutex())
	locktest.Exclusion(t, models.NewMutex())
	for _, cpus := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("Oversubscribed/cpus=%d", cpus), func(t *testing.T) { locktest.Oversubscribed(t, cpus, models.NewMutex()) })
	}
}

// A mutex that is starving at once hands itself over at each Unlock with waiters.
func TestStarving(t *testing.T) {
	defer models.Starve(-1)()
	locktest.Exclusion(t, models.NewMutex())
	locktest.Oversubscribed(t, 2, models.NewMutex())

	m := models.NewMutex()
	m.Lock()
	got := make(chan int, 2)
	for i := range 2 {
		go func() {
			m.Lock()
			got <- i
			m.Unlock()
		}()
		locktest.Until(func() bool { return m.Asleep() == i+1 })
	}
	m.Unlock()
	if first, second := <-got, <-got; first != 0 || second != 1 {
		t.Errorf("got by waiter %d and then by %d, want the order in which they came", first, second)
	}
	locktest.Until(func() bool { n, starving := m.Waiters(); return n == 0 && !starving })
	tries(t, m)
}

func TestRWMutex(t *testing.T) {
	tries(t, models.NewRWMutex())
	locktest.Exclusion(t, models.NewRWMutex())
	locktest.ReadersExclude(t, models.NewRWMutex())
	locktest.ReadersOverlap(t, models.NewRWMutex())
	for _, cpus := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("Oversubscribed/cpus=%d", cpus), func(t *testing.T) { locktest.Oversubscribed(t, cpus, models.NewRWMutex()) })
		t.Run(fmt.Sprintf("ReadersOversubscribed/cpus=%d", cpus), func(t *testing.T) { locktest.ReadersOversubscribed(t, cpus, models.NewRWMutex()) })
	}

	m := models.NewRWMutex()
	locktest.Panics(t, "RUnlock of unlocked RWMutex", m.RUnlock)
	m = models.NewRWMutex()
	m.RLock()
	if m.TryLock() || !m.TryRLock() {
		t.Error("while a reader holds it, TryLock = true or TryRLock = false, want the reverse")
	}
	m.RUnlock()
	m.RUnlock()
	m.Lock()
	if m.TryRLock() {
		t.Error("while a writer holds it, TryRLock = true, want false")
	}
	m.Unlock()
}

// A writer that waits shuts out readers that come later, and lets them all in when it
// leaves, before the writer behind it.
func TestPhases(t *testing.T) {
	m := models.NewRWMutex()
	m.RLock()
	order := make(chan string, 4)
	starts := func(name string, lock, unlock func(), within func() bool) {
		go func() {
			lock()
			order <- name
			unlock()
		}()
		locktest.Until(within)
	}
	starts("writer", m.Lock, m.Unlock, func() bool { return !m.TryRead() })
	starts("reader", m.RLock, m.RUnlock, func() bool { return m.Readers() == 2 })
	starts("reader", m.RLock, m.RUnlock, func() bool { return m.Readers() == 3 })
	starts("writer behind", m.Lock, m.Unlock, func() bool { return m.Queued() == 1 })
	m.RUnlock()
	for i, want := range []string{"writer", "reader", "reader", "writer behind"} {
		if got := <-order; got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
}
