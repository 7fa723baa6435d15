package waiter_test

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// A tas is a test-and-set lock whose waiters need a Waiter, and do nothing with it.
type tas struct {
	locked primitives.Bool
	pinned bool
}

func (l *tas) Lock() {
	spin := primitives.Spin{InLine: true, Pinned: l.pinned}
	if l.pinned {
		primitives.Pin()
	}
	if l.tryLock() {
		return
	}
	w := waiter.EnlistFor(uintptr(unsafe.Pointer(l)), l.tryLock, spin)
	if w == nil {
		return
	}
	for !l.tryLock() {
		spin.Once()
	}
	w.Arrived()
	w.Retire()
}

func (l *tas) tryLock() bool { return l.locked.CompareAndSwap(false, true) }

func (l *tas) Unlock() {
	l.locked.Store(false)
	if l.pinned {
		primitives.Unpin()
	}
}

// Each waiter has a number of its own, and there are as many as the package says.
func TestEnlistAll(t *testing.T) {
	byNumber := make(map[uint32]*waiter.Waiter)
	for w := waiter.Enlist(); w != nil; w = waiter.Enlist() {
		byNumber[w.Number()] = w
	}
	if got, want := len(byNumber), 4*(1<<14-1); got != want || waiter.Free() != 0 {
		t.Errorf("%d waiters could enlist, and %d are free, want %d and 0", got, waiter.Free(), want)
	}
	locktest.Exclusion(t, new(tas))
	if lines := waiter.Lines(); len(lines) > 0 {
		t.Errorf("locks %#x have a line after the last Unlock", lines)
	}
	for number, w := range byNumber {
		if waiter.At(number) != w {
			t.Fatalf("number %d names another waiter", number)
		}
		w.Retire()
	}
	if left := waiter.Enlisted(); len(left) > 0 {
		t.Errorf("waiters %v are enlisted after the last Retire", left)
	}
}

// Each lock has its own line, which goes when the last goroutine leaves it, in
// whatever order that is.
func TestLines(t *testing.T) {
	for _, order := range [][]uintptr{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		leave := make(map[uintptr]func())
		for lock := range uintptr(3) {
			leave[lock+1] = waiter.InLineFor(lock + 1)
		}
		want := []uintptr{1, 2, 3}
		for _, lock := range order {
			leave[lock]()
			want = slices.DeleteFunc(want, func(l uintptr) bool { return l == lock })
			got := waiter.Lines()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("leaving %v: after %d there are lines for %v, want %v", order, lock, got, want)
			}
		}
	}
}

// In a line goroutines are served in the order of arrival.
func TestLineOrder(t *testing.T) {
	const address = 1
	var got []int // by the head of the line
	done := make(chan bool)
	leave := waiter.InLineFor(address)
	for i := range locktest.Workers {
		before := waiter.LineTail()
		go func() {
			leave := waiter.InLineFor(address)
			got = append(got, i)
			leave()
			done <- true
		}()
		locktest.Until(func() bool { return waiter.LineTail() != before })
	}
	leave()
	for range locktest.Workers {
		<-done
	}
	if len(got) != locktest.Workers || !slices.IsSorted(got) {
		t.Errorf("served in order %v, want arrival order", got)
	}
}

// A CPU beyond those that a number can name shares the waiters of another. Their
// numbers fit in a lock's word.
func TestManyCPUs(t *testing.T) {
	for _, cpu := range []int{0, 16382, 16383, 20000, 32766} {
		w := waiter.EnlistOn(cpu)
		if w == nil {
			t.Fatalf("no waiter is free on CPU %d", cpu)
		}
		if n := w.Number(); n < 4 || n > 0xffff || waiter.At(n) != w {
			t.Errorf("on CPU %d the waiter has number %#x, want one of 16 bits that names it", cpu, n)
		}
		w.Retire()
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		cpu, context int
		number       uint32
	}{{0, 0, 4}, {0, 3, 7}, {3, 0, 0x10}, {16382, 3, 0xffff}} {
		if got := waiter.Number(c.cpu, c.context); got != c.number {
			t.Errorf("Number(%d, %d) = %#x, want %#x", c.cpu, c.context, got, c.number)
		}
		if cpu, context := waiter.Split(c.number); cpu != c.cpu || context != c.context {
			t.Errorf("Split(%#x) = %d, %d, want %d, %d", c.number, cpu, context, c.cpu, c.context)
		}
	}
}

// What the locks call in their loops costs them no call.
func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Waiter).Number", "(*Waiter).First", "(*Waiter).Retire", "(*Waiter).Park", "(*Waiter).Wake", "(*Waiter).Handoff")
}
