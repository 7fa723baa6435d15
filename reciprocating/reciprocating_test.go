package reciprocating_test

import (
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/reciprocating"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(reciprocating.Lock) })
	wantNobodyEnlisted(t)
}

// Waiters of a segment are served from the newest to the oldest.
func TestReverse(t *testing.T) {
	var l reciprocating.Lock
	var served []int
	var wg sync.WaitGroup
	l.Lock()
	for i := range locktest.Workers {
		arrive(&wg, &l, func() { served = append(served, i) })
	}
	l.Unlock()
	wg.Wait()
	slices.Reverse(served)
	if len(served) != locktest.Workers || !slices.IsSorted(served) {
		t.Errorf("acquired, the last one first, in order %v, want the reverse of the order of arrival", served)
	}
	wantNobodyEnlisted(t)
}

// arrive starts a goroutine that acquires l and calls section, and returns when it
// is in line.
func arrive(wg *sync.WaitGroup, l *reciprocating.Lock, section func()) {
	before := l.Arrivals()
	wg.Go(func() {
		l.Lock()
		section()
		l.Unlock()
	})
	locktest.Until(func() bool { return l.Arrivals() != before })
}

// A segment is served to its end before those that arrive meanwhile, which are the next
// segment. So c, which comes when b has the lock, sees b have it once more before it, and
// not twice.
func TestSegments(t *testing.T) {
	var l reciprocating.Lock
	var wg sync.WaitGroup
	holds, goOn := make(chan string), make(chan bool)
	arrives := func(name string) {
		arrive(&wg, &l, func() {
			holds <- name
			<-goOn
		})
	}
	l.Lock()
	arrives("a")
	arrives("b")
	l.Unlock()
	for _, step := range []struct{ holds, arrives string }{
		{"b", "c"}, {"a", "b"}, // that was the first segment
		{"b", "d"}, {"c", "b"},
		{"b", ""}, {"d", ""},
	} {
		if got := <-holds; got != step.holds {
			t.Fatalf("%s holds the lock, want %s", got, step.holds)
		}
		if l.TryLock() {
			t.Error("TryLock of locked lock = true, want false")
		}
		if step.arrives != "" {
			arrives(step.arrives)
		}
		goOn <- true
	}
	wg.Wait()
	wantNobodyEnlisted(t)
}

// Without waiters the lock still excludes.
func TestWithoutWaiters(t *testing.T) {
	for w := waiter.Enlist(); w != nil; w = waiter.Enlist() {
		defer w.Retire()
	}
	locktest.Exclusion(t, new(reciprocating.Lock))
	locktest.Exclusion(t, locktest.Pinned(new(reciprocating.Lock)))
	if lines := waiter.Lines(); len(lines) > 0 {
		t.Errorf("locks %#x have a line after the last Unlock", lines)
	}
}

func TestString(t *testing.T) {
	var l reciprocating.Lock
	var wg sync.WaitGroup
	l.Lock()
	if got, want := l.String(), "locked, no arrivals"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	arrive(&wg, &l, func() {})
	cpu, context := waiter.Split(uint32(l.Arrivals()))
	if cpu < 0 || context < 0 || l.String() == "locked, no arrivals" {
		t.Errorf("String with an arrival = %q", l.String())
	}
	l.Unlock()
	wg.Wait()
	if got, want := l.String(), "unlocked"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func TestSize(t *testing.T) {
	if got := unsafe.Sizeof(reciprocating.Lock{}); got != 12 {
		t.Errorf("a Lock has %d bytes, want 12", got)
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Lock).Lock", "(*Lock).TryLock")
}

func wantNobodyEnlisted(t *testing.T) {
	t.Helper()
	if got := waiter.Enlisted(); len(got) > 0 {
		t.Errorf("waiters %v are enlisted after the last Unlock", got)
	}
}
