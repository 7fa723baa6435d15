//go:build virtual

package validation_test

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/ticket"
)

// The waiters of a tireless lock never give up their CPU: only the end of their slice takes
// it away. They pause for look between two looks.
type (
	tirelessTicket struct {
		next, serving primitives.Uint64
		look          time.Duration
	}
	tirelessTTAS struct {
		held primitives.Bool
		look time.Duration
	}
)

func (l *tirelessTicket) Lock() {
	for ticket := l.next.Add(1) - 1; l.serving.Load() != ticket; {
		primitives.Busy(l.look)
	}
}

func (l *tirelessTicket) Unlock() { l.serving.StoreRelease(l.serving.Load() + 1) }

func (l *tirelessTTAS) Lock() {
	for {
		for l.held.Load() {
			primitives.Busy(l.look)
		}
		if !l.held.Swap(true) {
			return
		}
	}
}

func (l *tirelessTTAS) Unlock() { l.held.StoreRelease(false) }

func newTirelessTicket(look time.Duration) locker {
	l := alone[tirelessTicket]()
	l.look = look
	return l
}

func newTirelessTTAS() locker {
	l := alone[tirelessTTAS]()
	l.look = shortLook
	return l
}

// What a waiter pauses between two looks, and what it does in runs that take many
// milliseconds.
const (
	shortLook = 20 * time.Nanosecond
	longLook  = 500 * time.Nanosecond
)

// A pinnedTicket is a ticket lock with preemption off.
type pinnedTicket struct{ lock ticket.Lock }

func (l *pinnedTicket) Lock()   { l.lock.LockPinned() }
func (l *pinnedTicket) Unlock() { l.lock.UnlockPinned() }

// One worker more than CPUs: a ticket lock collapses if its waiters never yield, because the
// next in line may wait for a CPU. A lock that any waiter may take does not, nor does a
// pinned one.
func TestOneMore(t *testing.T) {
	m := *machine(t, "skylake-client")
	cpus := m.CPUs()
	took := func(m *sim.Machine, workers, warm, calls int, l locker) float64 {
		return load{place: first(cpus), workers: workers, warm: warm, calls: calls, each: same(locked(l))}.perOp(t, m)
	}

	// At Go's slice of 10 ms a round of five sections takes about a slice.
	if testing.Short() {
		m.Slice /= 10
	}
	const rounds = 6
	all := took(&m, cpus, 10, 2000, newTirelessTicket(shortLook))
	more := took(&m, cpus+1, 2, rounds*(cpus+1), newTirelessTicket(longLook))
	holds(t, true, more >= 50*all, "a ticket lock that never yields collapses by 50 and more: %.0f ns with %d workers, %.0f with %d: ×%.0f with a slice of %v, published ×255", all, cpus, more, cpus+1, more/all, time.Duration(m.Slice))

	// A holder of the other lock is preempted once in a slice at most. So that some are, the
	// slices are short here.
	m.Slice = 200_000
	sections := 100_000
	if testing.Short() {
		sections = 10_000
	}
	all, more = took(&m, cpus, 10, 2000, newTirelessTTAS()), took(&m, cpus+1, 2, sections, newTirelessTTAS())
	holds(t, true, more < 3*all, "ttas that never yields does not: %.0f ns with %d workers, %.0f with %d: ×%.2f, published ×1.3 to 2.3", all, cpus, more, cpus+1, more/all)

	for _, l := range []struct {
		name string
		make func() locker
		most float64 // how many times as long it takes with one worker more
	}{
		{"pinned ticket", func() locker { return alone[pinnedTicket]() }, 1.5},
		{"ticket, which yields", func() locker { return alone[ticket.Lock]() }, 50},
		{"ttas, which yields", func() locker { return lockNamed(t, "ttas") }, 3},
		{"mcs, which parks", func() locker { return lockNamed(t, "mcs") }, 50},
	} {
		all, more := took(&m, cpus, 10, 2000, l.make()), took(&m, cpus+1, 10, sections/2, l.make())
		holds(t, true, more < l.most*all, "%s: by less than %.1f: %.0f ns with %d workers, %.0f with %d: ×%.2f", l.name, l.most, all, cpus, more, cpus+1, more/all)
	}
}
