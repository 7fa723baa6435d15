//go:build virtual

package reciprocating_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/reciprocating"
)

func fresh() sync.Locker { return new(reciprocating.Lock) }

func TestModelLock(t *testing.T) {
	property.All(t, func() property.Lock { return new(reciprocating.Lock) }, property.UnlockPanics)
	property.Every(t, "Exclusion/2x3", property.Exclusion(fresh, 2, 3))
	property.Every(t, "Exclusion/4x1", property.Exclusion(fresh, 4, 1))
	property.Every(t, "Overtaking", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := new(reciprocating.Lock)
		return l, l.Arrivals
	}, 2, 1, 2)) // of two waiters the first is overtaken by the second and by the rival
}

// A waiter is overtaken by each other goroutine at most once, however often that comes.
func TestModelBypass(t *testing.T) {
	property.Every(t, "1x3", bypass(1, 3))
	property.Every(t, "2x2", bypass(2, 2))
}

// bypass lets rivals acquire the lock several times while a waiter is in line. It is in
// line first, and then the rivals come.
func bypass(rivals, ops int) func(*check.Machine) {
	return func(m *check.Machine) {
		var l reciprocating.Lock
		var served primitives.Cell[[]int] // rivals by their numbers, the waiter is 0; guarded by l
		section := func(i int) {
			l.Lock()
			served.Set(append(served.Get(), i))
			l.Unlock()
		}
		l.Lock()
		m.GoFirst("waiter", func() { section(0) })
		numbers := 0
		m.GoAlike(rivals, func() {
			numbers++
			mine := numbers
			for range ops {
				section(mine)
			}
		})
		l.Unlock()
		m.Wait()
		before := served.Get()
		before = before[:slices.Index(before, 0)]
		for rival := range rivals {
			if n := count(before, rival+1); n > 1 {
				m.Failf("a rival overtook the waiter %d times, want at most once: served %v", n, served.Get())
			}
		}
	}
}

func count(all []int, of int) (n int) {
	for _, i := range all {
		if i == of {
			n++
		}
	}
	return n
}

// Workers that share a CPU share its waiters, and one of them gets a waiter as soon
// as it is retired. At the end all are free.
func TestModelSharedCPU(t *testing.T) {
	defer waiter.Limit(8)()
	for _, size := range [][2]int{{2, 2}, {3, 1}} {
		excludes := property.Exclusion(fresh, size[0], size[1])
		property.Explore(t, map[int]string{2: "2x2", 3: "3x1"}[size[0]], check.Config{CPUs: 1}, func(m *check.Machine) {
			excludes(m)
			m.Assert(waiter.Free() == 8)
		})
	}
}

// If waiters run out, goroutines that have none are served too. All waiters are free at
// the end.
func TestModelWithoutWaiters(t *testing.T) {
	for free := range 2 {
		undo := waiter.Limit(free)
		excludes := property.Exclusion(fresh, 3, 1)
		property.Every(t, map[int]string{0: "none", 1: "one"}[free], func(m *check.Machine) {
			excludes(m)
			m.Assert(len(waiter.Lines()) == 0 && waiter.Free() == free)
		})
		undo()
	}
}
