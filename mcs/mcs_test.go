package mcs_test

import (
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/mcs"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(mcs.Lock) })
	wantNobodyEnlisted(t)
}

func TestCLH(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(mcs.CLH) })
	wantNobodyEnlisted(t)
}

func TestQueue(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(queue) })
}

// A queue is a Queue that brings its own nodes, so that it can run the tests of the
// other locks.
type queue struct {
	mcs.Queue
	node *mcs.Node // the holder's
}

func (q *queue) hold(n *mcs.Node) { q.node = n }

func (q *queue) Lock() {
	n := new(mcs.Node)
	q.Queue.Lock(n)
	q.hold(n)
}

func (q *queue) LockPinned() {
	n := new(mcs.Node)
	q.Queue.LockPinned(n)
	q.hold(n)
}

func (q *queue) TryLock() bool {
	n := new(mcs.Node)
	if !q.Queue.TryLock(n) {
		return false
	}
	q.hold(n)
	return true
}

func (q *queue) TryLockPinned() bool {
	n := new(mcs.Node)
	if !q.Queue.TryLockPinned(n) {
		return false
	}
	q.hold(n)
	return true
}

func (q *queue) Unlock()       { q.Queue.Unlock(q.given()) }
func (q *queue) UnlockPinned() { q.Queue.UnlockPinned(q.given()) }

func (q *queue) given() *mcs.Node {
	if q.node == nil {
		return new(mcs.Node)
	}
	return q.node
}

// A node is ready again after Unlock, whether or not a goroutine waited.
func TestNodeReuse(t *testing.T) {
	var q mcs.Queue
	var mine mcs.Node
	n := 0 // guarded by q
	done := make(chan bool)
	go func() {
		defer close(done)
		var mine mcs.Node
		for range 20000 {
			q.Lock(&mine)
			n++
			q.Unlock(&mine)
		}
	}()
	for range 20000 {
		q.Lock(&mine)
		n++
		q.Unlock(&mine)
	}
	<-done
	if n != 40000 {
		t.Errorf("after 40000 critical sections the counter reads %d", n)
	}
}

func TestFIFO(t *testing.T) {
	var l mcs.Lock
	locktest.FIFO(t, &l, l.Tail)
	var clh mcs.CLH
	locktest.FIFO(t, &clh, clh.Tail)
	var q queue
	locktest.FIFO(t, &q, q.Tail)
	wantNobodyEnlisted(t)
}

func TestCLHAcrossWrap(t *testing.T) {
	for _, n := range []uint64{1, 2, 100} {
		mcs.SetPlaces(n)
		locktest.Exclusion(t, mcs.NewCLHAt(n))
		locktest.TryLock(t, mcs.NewCLHAt(n))
		l := mcs.NewCLHAt(n)
		locktest.FIFO(t, l, l.Tail)
	}
	wantNobodyEnlisted(t)
}

// An Unlock too many is also noticed if the last holder had waited, so that the
// lock's word names a waiter that is retired.
func TestCLHMisuseAfterWaiting(t *testing.T) {
	misuseAfterWaiting(t)
	defer mcs.HighNumbers()()
	misuseAfterWaiting(t)
}

func misuseAfterWaiting(t *testing.T) {
	t.Helper()
	var l mcs.CLH
	l.Lock()
	in, out := l.Tail(), make(chan bool)
	go func() {
		l.Lock()
		l.Unlock()
		close(out)
	}()
	locktest.Until(func() bool { return l.Tail() != in })
	l.Unlock()
	<-out
	locktest.Misuse(t, &l)
	locktest.TryLock(t, &l)
}

// Without waiters the locks still exclude, and serve in the order of arrival.
func TestWithoutWaiters(t *testing.T) {
	var all []*mcs.Waiter
	for w := mcs.Enlist(); w != nil; w = mcs.Enlist() {
		all = append(all, w)
	}
	if got, want := len(all), 4*(1<<14-1); got != want {
		t.Errorf("%d waiters could enlist, want %d", got, want)
	}
	locktest.Exclusion(t, new(mcs.Lock))
	locktest.Exclusion(t, new(mcs.CLH))
	locktest.Exclusion(t, locktest.Pinned(new(mcs.Lock)))
	locktest.FIFO(t, new(mcs.Lock), mcs.LineTail)
	locktest.FIFO(t, new(mcs.CLH), mcs.LineTail)
	nested(t)
	if n := mcs.InLines(); n != 0 {
		t.Errorf("%d goroutines are in line after the last Unlock", n)
	}
	var q mcs.OSQ
	if q.Lock(func() bool { return true }) {
		t.Error("OSQ.Lock without waiters = true, want false")
	}
	if q.TryLock() {
		t.Error("OSQ.TryLock without waiters = true, want false")
	}
	seen := make(map[uint32]bool)
	for _, w := range all {
		if seen[w.Number()] || mcs.WaiterAt(w.Number()) != w {
			t.Fatalf("number %d names two waiters, or not this one", w.Number())
		}
		seen[w.Number()] = true
		w.Retire()
	}
	wantNobodyEnlisted(t)
}

// nested lets goroutines wait for one lock while they hold another for which others
// wait: the lines of the two must not wait for each other.
func nested(t *testing.T) {
	var outer, inner mcs.Lock
	var wg sync.WaitGroup
	n := 0 // guarded by inner
	inner.Lock()
	for i := range 6 {
		wg.Go(func() {
			if i%2 == 0 {
				outer.Lock()
				defer outer.Unlock()
			}
			inner.Lock()
			n++
			inner.Unlock()
		})
	}
	locktest.Until(func() bool { return mcs.InLines() == 6 }) // two behind a holder that waits itself, and four
	inner.Unlock()
	wg.Wait()
	if n != 6 {
		t.Errorf("%d of 6 critical sections ran", n)
	}
}

// Each lock has its own line, which goes when the last goroutine leaves it, in
// whatever order that is.
func TestLines(t *testing.T) {
	for _, order := range [][]uintptr{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		leave := make(map[uintptr]func())
		for lock := range uintptr(3) {
			leave[lock+1] = mcs.InLineFor(lock + 1)
		}
		want := []uintptr{1, 2, 3}
		for _, lock := range order {
			leave[lock]()
			want = slices.DeleteFunc(want, func(l uintptr) bool { return l == lock })
			got := mcs.Lines()
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("leaving %v: after %d there are lines for %v, want %v", order, lock, got, want)
			}
		}
	}
}

// A CPU beyond those that a number can name shares the waiters of another. Their
// numbers fit in a lock's word.
func TestManyCPUs(t *testing.T) {
	for _, cpu := range []int{0, 16382, 16383, 20000, 32766} {
		w := mcs.EnlistOn(cpu)
		if w == nil {
			t.Fatalf("no waiter is free on CPU %d", cpu)
		}
		if n := w.Number(); n < 4 || n > 0xffff || mcs.WaiterAt(n) != w {
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
		if got := mcs.Number(c.cpu, c.context); got != c.number {
			t.Errorf("Number(%d, %d) = %#x, want %#x", c.cpu, c.context, got, c.number)
		}
		if cpu, context := mcs.Split(c.number); cpu != c.cpu || context != c.context {
			t.Errorf("Split(%#x) = %d, %d, want %d, %d", c.number, cpu, context, c.cpu, c.context)
		}
	}
}

func TestSizes(t *testing.T) {
	const word = unsafe.Sizeof(uintptr(0))
	if got := unsafe.Sizeof(mcs.Queue{}); got != word {
		t.Errorf("a Queue has %d bytes, want a word, %d", got, word)
	}
	if got := unsafe.Sizeof(mcs.Lock{}); got != 12 {
		t.Errorf("a Lock has %d bytes, want 12", got)
	}
	if got := unsafe.Sizeof(mcs.OSQ{}); got != 8 {
		t.Errorf("an OSQ has %d bytes, want 8", got)
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Lock).Lock", "(*Lock).TryLock", "(*Queue).TryLock")
}

func wantNobodyEnlisted(t *testing.T) {
	t.Helper()
	if got := mcs.Enlisted(); len(got) > 0 {
		t.Errorf("waiters %v are enlisted after the last Unlock", got)
	}
}
