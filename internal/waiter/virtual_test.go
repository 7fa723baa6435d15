//go:build virtual

package waiter_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

var inLine = primitives.Spin{InLine: true}

// Only one goroutine has a waiter from Enlist to Retire, also if the waiters of two
// CPUs are taken and their goroutines look for one of a third.
func TestModelEnlist(t *testing.T) {
	property.Every(t, "2x1", func(m *check.Machine) {
		users := make(map[uint32]*primitives.Cell[int]) // by waiter; only its user accesses it
		m.GoAlike(2, func() {
			for range 4 {
				waiter.Enlist()
			}
			w := waiter.Enlist()
			if users[w.Number()] == nil {
				users[w.Number()] = new(primitives.Cell[int])
			}
			users[w.Number()].Set(1)
			w.Retire()
		})
	})
}

// A waiter's follower is the goroutine that links itself behind it this time, whether
// that comes before the call or after it, and the follower's wait ends with the hand-off.
func TestModelFollower(t *testing.T) {
	for _, end := range []struct {
		name string
		wait func(*waiter.Waiter)
	}{{"Handoff", (*waiter.Waiter).Handoff}, {"Wake", (*waiter.Waiter).Wake}} {
		for cpus := range 2 { // 0: each worker has its own, so that each follower is the first of its CPU
			property.Explore(t, fmt.Sprintf("%s/cpus=%d", end.name, cpus), check.Config{CPUs: cpus}, func(m *check.Machine) {
				var n primitives.Cell[int] // guarded by the turn
				head := waiter.Enlist()
				for i := range 2 {
					var mine primitives.Uint32
					m.Go(func() {
						w := waiter.Enlist()
						mine.Store(w.Number())
						w.Follow(head.Number())
						w.Await(inLine)
						n.Set(n.Get() + 1)
						w.Retire()
					})
					n.Set(2 * i)
					next := head.Follower(inLine)
					m.Assert(next.Number() == mine.Load() && head.Next.Load() == 0)
					end.wait(next)
					m.Wait()
					m.Assert(n.Get() == 2*i+1)
				}
				head.Retire()
			})
		}
	}
}

// The first waiter of a CPU is the one that may spin; no other is, nor one that its
// goroutine got from another CPU.
func TestModelFirst(t *testing.T) {
	property.Every(t, "5", func(m *check.Machine) {
		for i := range 5 {
			m.Assert(waiter.Enlist().First() == (i == 0))
		}
	})
}

// A pinned waiter does not park, even if it is not the first of its CPU.
func TestModelPinned(t *testing.T) {
	property.Every(t, "1", func(m *check.Machine) {
		head := waiter.Enlist()
		m.Go(func() {
			primitives.Pin()
			waiter.Enlist()
			w := waiter.Enlist()
			spin := primitives.Spin{InLine: true, Pinned: true}
			w.Follow(head.Number())
			w.Await(spin)
			primitives.Unpin()
		})
		head.Follower(inLine).Handoff()
	})
}

// If waiters run out, goroutines that have none are served too, one at a time. All
// waiters are free at the end, and no line is left.
func TestModelLine(t *testing.T) {
	for free := range 2 {
		undo := waiter.Limit(free)
		for _, pinned := range []bool{false, true} {
			excludes := property.Exclusion(func() sync.Locker { return &tas{pinned: pinned} }, 3, 1)
			property.Every(t, fmt.Sprintf("%d/pinned=%t", free, pinned), func(m *check.Machine) {
				excludes(m)
				m.Wait()
				m.Assert(len(waiter.Lines()) == 0 && waiter.Free() == free)
			})
		}
		undo()
	}
}

// Goroutines in a line get a waiter in the order of arrival, each when the one before it
// has arrived in its lock's queue. The last finds the line shorter or gone.
func TestModelLineOrder(t *testing.T) {
	defer waiter.Limit(1)()
	property.Every(t, "3", func(m *check.Machine) {
		const address = 1
		var served primitives.Cell[[]int] // guarded by the only waiter
		only := waiter.Enlist()
		for i := range 3 {
			m.GoFirst(fmt.Sprintf("goroutine %d", i), func() {
				w := waiter.EnlistFor(address, func() bool { return false }, inLine)
				served.Set(append(served.Get(), i))
				w.Arrived()
				w.Retire()
			})
		}
		only.Retire()
		m.Wait()
		m.Assert(len(served.Get()) == 3 && slices.IsSorted(served.Get()))
		m.Assert(len(waiter.Lines()) == 0 && waiter.Free() == 1)
	})
}

// A goroutine that waits for one lock without a waiter does not wait for a goroutine
// that wants another lock.
func TestModelLinePerLock(t *testing.T) {
	property.Every(t, "2", func(m *check.Machine) {
		leave := waiter.InLineFor(1)
		m.Go(func() {
			other := waiter.InLineFor(2)
			other()
			leave()
		})
		m.Go(func() { waiter.InLineFor(1)() })
		m.Wait()
		m.Assert(len(waiter.Lines()) == 0)
	})
}

// While others are in a lock's line, a goroutine that comes gets in line behind
// them, though a waiter is free; one that is pinned cannot, and takes the waiter.
func TestModelLineIsNotOvertaken(t *testing.T) {
	const address = 1
	property.Every(t, "Lock", func(m *check.Machine) {
		leave := waiter.InLineFor(address)
		var left primitives.Cell[bool]
		m.Go(func() {
			w := waiter.EnlistFor(address, func() bool { return false }, inLine)
			m.Assert(left.Get())
			w.Arrived()
			w.Retire()
		})
		pinned := primitives.Spin{InLine: true, Pinned: true}
		waiter.EnlistFor(address, func() bool { m.Failf("TryLock, want a waiter"); return true }, pinned).Retire()
		left.Set(true)
		leave()
		m.Wait()
		m.Assert(len(waiter.Lines()) == 0)
	})
}
