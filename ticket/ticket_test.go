package ticket_test

import (
	"math"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/ticket"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(ticket.Lock) })
}

func TestProportional(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(ticket.Proportional) })
}

// The first hundred acquisitions carry both counters past zero.
func TestExclusionAcrossWrap(t *testing.T) {
	locktest.Exclusion(t, ticket.NewAt(math.MaxUint32-100))
	locktest.Exclusion(t, ticket.NewProportionalAt(math.MaxUint32-100))
}

func TestTryLockAcrossWrap(t *testing.T) {
	l := ticket.NewAt(math.MaxUint32 - 1)
	for range 4 {
		locktest.TryLock(t, l)
	}
}

func TestFIFO(t *testing.T) {
	var l ticket.Lock
	locktest.FIFO(t, &l, l.Next)
	across := ticket.NewAt(math.MaxUint32 - 3)
	locktest.FIFO(t, across, across.Next)
	var pb ticket.Proportional
	locktest.FIFO(t, &pb, pb.Next)
}

func TestStringCountsWaiters(t *testing.T) {
	l := ticket.NewAt(7)
	l.Lock()
	done := make(chan bool)
	go func() {
		l.Lock()
		l.Unlock()
		close(done)
	}()
	locktest.Until(func() bool { return l.Next() == 9 })
	if got, want := l.String(), "locked, serving ticket 7, 1 waiting"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	l.Unlock()
	<-done
	if got, want := l.String(), "unlocked, ticket 9 is next"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func TestSize(t *testing.T) {
	if got := unsafe.Sizeof(ticket.Lock{}); got != 8 {
		t.Errorf("a Lock has %d bytes, want 8", got)
	}
	if got := unsafe.Sizeof(ticket.Proportional{}); got != 8 {
		t.Errorf("a Proportional has %d bytes, want 8", got)
	}
}
