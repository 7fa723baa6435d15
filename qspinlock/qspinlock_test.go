package qspinlock_test

import (
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/qspinlock"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(qspinlock.Lock) })
}

func TestFIFO(t *testing.T) {
	var l qspinlock.Lock
	locktest.FIFO(t, &l, l.Word)
}

// The second goroutine sets the pending bit and does not queue, and the third
// queues. The word is always as the table in Lock says.
func TestWord(t *testing.T) {
	var l qspinlock.Lock
	done := make(chan bool)
	waiter := func() {
		l.Lock()
		l.Unlock()
		done <- true
	}
	want := func(what string, want qspinlock.State) {
		t.Helper()
		got := qspinlock.Decode(uint32(l.Word()))
		got.Word, got.CPU, got.Context = 0, 0, 0 // the scheduler chooses the CPU
		if got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}

	want("unlocked", qspinlock.State{})
	l.Lock()
	want("locked", qspinlock.State{Locked: true})
	for _, c := range []struct {
		what  string
		state qspinlock.State
	}{
		{"one waits", qspinlock.State{Locked: true, Pending: true}},
		{"two wait", qspinlock.State{Locked: true, Pending: true, Queued: true}},
		{"three wait", qspinlock.State{Locked: true, Pending: true, Queued: true}},
	} {
		before := l.Word()
		go waiter()
		locktest.Until(func() bool { return l.Word() != before })
		want(c.what, c.state)
	}
	l.Unlock()
	for range 3 {
		<-done
	}
	want("after the last Unlock", qspinlock.State{})
	if l.Word() != 0 {
		t.Errorf("word of unlocked lock = %#x, want 0", l.Word())
	}
}

// Without nodes the lock still excludes; it only loses its order.
func TestWithoutNodes(t *testing.T) {
	for w := waiter.Enlist(); w != nil; w = waiter.Enlist() {
		defer w.Retire()
	}
	locktest.Exclusion(t, new(qspinlock.Lock))
	locktest.Exclusion(t, locktest.Pinned(new(qspinlock.Lock)))
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		word uint32
		want string
	}{
		{0, "unlocked"},
		{1, "locked"},
		{0x101, "locked, pending"},
		{0x100, "unlocked, pending"},
		// From the analysis of a kernel crash.
		{0x00100101, "locked, pending, tail CPU 3, context 0"},
		{0x00040001, "locked, tail CPU 0, context 0"},
		{0xffff0001, "locked, tail CPU 16382, context 3"},
	} {
		if got := qspinlock.Decode(c.word).String(); got != c.want {
			t.Errorf("Decode(%#x) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestSize(t *testing.T) {
	if got := unsafe.Sizeof(qspinlock.Lock{}); got != 4 {
		t.Errorf("a Lock has %d bytes, want 4", got)
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Lock).Lock", "(*Lock).TryLock")
}
