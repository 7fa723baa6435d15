//go:build virtual

package rwlock_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rwlock"
)

// upgrader reads a word, and writes it one larger if nothing was written in between. It
// fails the execution otherwise.
func upgrader(m *check.Machine, l *rwlock.Upgradable, n *primitives.Cell[int]) func() {
	return func() {
		l.ULock()
		was := n.Get()
		l.Upgrade()
		if now := n.Get(); now != was {
			m.Failf("it was %d before the upgrade, and is %d", was, now)
		}
		n.Set(was + 1)
		l.Unlock()
	}
}

// Upgradable sections, writers and readers exclude each other as they should, with any
// others in line: none waits for another that waits for it.
func TestModelUpgrade(t *testing.T) {
	type lock = rwlock.Upgradable
	type cell = primitives.Cell[int]
	workers := map[string]func(*check.Machine, *lock, *cell) func(){
		"upgrader": upgrader,
		"writer": func(_ *check.Machine, l *lock, n *cell) func() {
			return func() { l.Lock(); n.Set(n.Get() + 1); l.Unlock() }
		},
		"downgrader": func(m *check.Machine, l *lock, n *cell) func() {
			return func() {
				l.Lock()
				was := n.Get() + 1
				n.Set(was)
				l.Downgrade()
				if now := n.Get(); now != was {
					m.Failf("it was %d before the downgrade, and is %d", was, now)
				}
				l.RUnlock()
			}
		},
		"reader": func(_ *check.Machine, l *lock, n *cell) func() {
			return func() { l.RLock(); n.Get(); l.RUnlock() }
		},
		"upgradable reader": func(_ *check.Machine, l *lock, n *cell) func() {
			return func() { l.ULock(); n.Get(); l.UUnlock() }
		},
		"trying upgrader": func(_ *check.Machine, l *lock, n *cell) func() {
			return func() {
				switch {
				case !l.TryULock():
				case l.TryUpgrade():
					n.Set(n.Get() + 1)
					l.Unlock()
				default:
					n.Get()
					l.UUnlock()
				}
			}
		},
	}
	for _, names := range [][]string{
		{"upgrader", "upgrader"},
		{"upgrader", "writer"},
		{"upgrader", "reader"},
		{"upgrader", "upgradable reader"},
		{"upgrader", "trying upgrader"},
		{"upgrader", "downgrader"},
		{"trying upgrader", "writer", "reader"},
		{"downgrader", "reader", "upgradable reader"},
	} {
		property.Every(t, join(names), func(m *check.Machine) {
			l, n := new(lock), new(cell)
			for _, name := range names {
				m.GoNamed(name, workers[name](m, l, n))
			}
			m.Wait()
			wantUnlocked(m, l)
		})
	}
	// These have too many schedules.
	for _, names := range [][]string{
		{"upgrader", "writer", "reader"},
		{"upgrader", "reader", "reader"},
		{"upgrader", "upgrader", "reader"},
		{"upgrader", "writer", "upgradable reader"},
	} {
		few(t, join(names), func(m *check.Machine) {
			l, n := new(lock), new(cell)
			for _, name := range names {
				m.GoNamed(name, workers[name](m, l, n))
			}
			m.Wait()
			wantUnlocked(m, l)
		})
	}
}

// An upgrade does not wait for the writer that is the head of the queue, nor for the
// reader that the writer before it left there, counted and not inside.
func TestModelUpgradeBesideTheQueue(t *testing.T) {
	few(t, "writer first", func(m *check.Machine) {
		l, n := new(rwlock.Upgradable), new(primitives.Cell[int])
		l.ULock()
		m.GoNamed("writer", func() { l.Lock(); n.Set(n.Get() + 1); l.Unlock() })
		m.GoNamed("reader", func() { l.RLock(); n.Get(); l.RUnlock() })
		was := n.Get()
		l.Upgrade()
		if n.Get() != was {
			m.Failf("a writer came between")
		}
		n.Set(was + 1)
		l.Unlock()
		m.Wait()
		wantUnlocked(m, l)
	})
	few(t, "counted reader", func(m *check.Machine) {
		l, n := new(rwlock.Upgradable), new(primitives.Cell[int])
		l.Lock()
		m.GoNamed("reader", func() { l.RLock(); n.Get(); l.RUnlock() })
		m.GoNamed("upgrader", upgrader(m, l, n))
		n.Set(n.Get() + 1)
		l.Unlock()
		m.Wait()
		wantUnlocked(m, l)
	})
}

// wantUnlocked fails the execution unless l is as if new.
func wantUnlocked(m *check.Machine, l *rwlock.Upgradable) {
	wantFree(m, l)
	if !l.TryULock() || !l.TryUpgrade() {
		m.Failf("cannot be upgraded: %v", l)
	}
	l.Unlock()
}

func join(names []string) string { return strings.Join(names, ", ") }
