package anderson_test

import (
	"math"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/anderson"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(anderson.Lock) })
}

// More goroutines than slots, so that they share them.
func TestFewSlots(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return anderson.NewAt(2, 0) })
}

// The first hundred acquisitions carry the tickets past zero.
func TestExclusionAcrossWrap(t *testing.T) {
	locktest.Exclusion(t, anderson.NewAt(anderson.Slots, math.MaxUint32-100))
}

func TestTryLockAcrossWrap(t *testing.T) {
	l := anderson.NewAt(anderson.Slots, math.MaxUint32-1)
	for range 4 {
		locktest.TryLock(t, l)
	}
}

func TestFIFO(t *testing.T) {
	for _, l := range []*anderson.Lock{new(anderson.Lock), anderson.NewAt(anderson.Slots, math.MaxUint32-3), anderson.NewAt(2, 5)} {
		locktest.FIFO(t, l, l.Next)
	}
}

// Waiters next to each other in line have lines of their own, and the slots come around.
func TestSlots(t *testing.T) {
	var l anderson.Lock
	seen := make(map[*primitives.Uint32]bool)
	for ticket := range uint32(anderson.Slots) {
		seen[l.Slot(ticket)] = true
	}
	if len(seen) != anderson.Slots {
		t.Errorf("%d slots for as many tickets in line as %d", len(seen), anderson.Slots)
	}
	for _, ticket := range []uint32{0, 1, math.MaxUint32} {
		if l.Slot(ticket) != l.Slot(ticket+anderson.Slots) {
			t.Errorf("tickets %d and %d later have different slots", ticket, anderson.Slots)
		}
	}
	if d := uintptr(unsafe.Pointer(l.Slot(1))) - uintptr(unsafe.Pointer(l.Slot(0))); d < primitives.CacheLineSize {
		t.Errorf("slots are %d bytes apart, want a line", d)
	}
}

func TestStringCountsWaiters(t *testing.T) {
	for _, first := range []uint32{0, 7, math.MaxUint32} {
		l := anderson.NewAt(anderson.Slots, first)
		l.Lock()
		done := make(chan bool)
		go func() {
			l.Lock()
			l.Unlock()
			close(done)
		}()
		locktest.Until(func() bool { return uint32(l.Next()) == first+2 })
		want := map[uint32][2]string{
			0:              {"locked, serving ticket 0, 1 waiting", "unlocked, ticket 2 is next"},
			7:              {"locked, serving ticket 7, 1 waiting", "unlocked, ticket 9 is next"},
			math.MaxUint32: {"locked, serving ticket 4294967295, 1 waiting", "unlocked, ticket 1 is next"},
		}[first]
		if got := l.String(); got != want[0] {
			t.Errorf("String = %q, want %q", got, want[0])
		}
		l.Unlock()
		<-done
		if got := l.String(); got != want[1] {
			t.Errorf("String = %q, want %q", got, want[1])
		}
	}
	if got, want := new(anderson.Lock).String(), "unlocked, ticket 0 is next"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

// No two slots share a cache line, and none shares one with the words that arrivals
// write.
func TestSize(t *testing.T) {
	least := uintptr(anderson.Slots * primitives.CacheLineSize)
	if got := unsafe.Sizeof(anderson.Lock{}); got < least || got > least+least/8 {
		t.Errorf("a Lock has %d bytes, want %d and some more", got, least)
	}
}
