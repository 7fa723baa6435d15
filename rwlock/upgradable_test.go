package rwlock_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/rwlock"
)

func TestUpgradableIsALock(t *testing.T) {
	locktest.AllRW(t, func() locktest.RWLock { return new(rwlock.Upgradable) })
}

// What each state lets in.
func TestUpgradableStates(t *testing.T) {
	var l rwlock.Upgradable
	want := func(state string, upgradable, reader, writer bool) {
		t.Helper()
		if got := l.TryULock(); got != upgradable {
			t.Errorf("%s: TryULock = %t, want %t", state, got, upgradable)
		} else if got {
			l.UUnlock()
		}
		if got := l.TryRLock(); got != reader {
			t.Errorf("%s: TryRLock = %t, want %t", state, got, reader)
		} else if got {
			l.RUnlock()
		}
		if got := l.TryLock(); got != writer {
			t.Errorf("%s: TryLock = %t, want %t", state, got, writer)
		} else if got {
			l.Unlock()
		}
	}
	want("unlocked", true, true, true)
	l.RLock()
	want("a reader", true, true, false)
	l.ULock()
	want("a reader and an upgradable one", false, true, false)
	if l.TryUpgrade() {
		t.Error("TryUpgrade while a reader holds it = true")
	}
	want("after a TryUpgrade that failed", false, true, false)
	l.RUnlock()
	if !l.TryUpgrade() {
		t.Error("TryUpgrade of the only reader = false")
	}
	want("upgraded", false, false, false)
	l.Downgrade()
	want("downgraded", true, true, false)
	l.RUnlock()
	want("unlocked again", true, true, true)
	l.ULock()
	l.Upgrade()
	want("upgraded", false, false, false)
	l.Unlock()
	want("unlocked at last", true, true, true)
	l.ULock()
	l.UUnlock()
	l.Lock()
	l.Downgrade()
	l.RUnlock()
	want("unlocked in the end", true, true, true)
}

// An upgrade turns new readers away, and waits for those inside.
func TestUpgradeWaits(t *testing.T) {
	var l rwlock.Upgradable
	l.RLock()
	done := make(chan bool)
	go func() {
		l.ULock()
		l.Upgrade()
		l.Unlock()
		close(done)
	}()
	locktest.Until(func() bool { return l.String() == "2 readers, one of them upgrades" })
	if l.TryRLock() {
		t.Error("TryRLock during an upgrade = true")
	}
	select {
	case <-done:
		t.Error("the upgrade did not wait for the reader")
	default:
	}
	l.RUnlock()
	<-done
	if got := l.String(); got != "unlocked" {
		t.Errorf("in the end it is %s", got)
	}
}

func TestUpgradableMisuse(t *testing.T) {
	for name, f := range map[string]func(*rwlock.Upgradable){
		"UUnlock of an Upgradable that has no upgradable section":    (*rwlock.Upgradable).UUnlock,
		"Upgrade of an Upgradable that has no upgradable section":    (*rwlock.Upgradable).Upgrade,
		"TryUpgrade of an Upgradable that has no upgradable section": func(l *rwlock.Upgradable) { l.TryUpgrade() },
		"Downgrade of an Upgradable that is not write-locked":        (*rwlock.Upgradable).Downgrade,
	} {
		for _, readers := range []int{0, 1} {
			l := new(rwlock.Upgradable)
			if readers == 1 {
				l.RLock()
			}
			if got, want := panicOf(func() { f(l) }), "rwlock: "+name; got != want {
				t.Errorf("with %d readers it panics %q, want %q", readers, got, want)
			}
			if readers == 1 {
				l.RUnlock()
			}
			if !l.TryULock() || !l.TryUpgrade() {
				t.Errorf("%s: afterwards the lock is %v", name, l)
			}
		}
	}
}

// Nothing is written between what an upgrader read and what it writes.
func TestUpgradeStress(t *testing.T) {
	var (
		l       rwlock.Upgradable
		n       int
		workers sync.WaitGroup
	)
	const each = 2000
	for range 2 {
		workers.Go(func() {
			for range each {
				l.ULock()
				was := n
				l.Upgrade()
				n = was + 1
				l.Unlock()
			}
		})
		workers.Go(func() {
			for range each {
				l.Lock()
				n++
				l.Downgrade()
				l.RUnlock()
			}
		})
		workers.Go(func() {
			for range each {
				l.RLock()
				if n < 0 {
					panic(fmt.Sprint(n))
				}
				l.RUnlock()
			}
		})
	}
	workers.Wait()
	if n != 4*each {
		t.Errorf("%d were counted, want %d", n, 4*each)
	}
}
