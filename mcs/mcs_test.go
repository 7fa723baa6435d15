package mcs_test

import (
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(mcs.Lock) })
	wantNobodyEnlisted(t)
}

func TestCLH(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(mcs.CLH) })
	wantNobodyEnlisted(t)
}

// Waiters are on one node, as on most machines, or each on any of three.
func TestCNA(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(mcs.CNA) })
	wantNobodyEnlisted(t)
	var arrivals primitives.Uint32
	defer mcs.SetWhere(func() int { return int(arrivals.Add(1) * 0x9e3779b1 >> 16 % 3) })()
	t.Run("nodes=3", func(t *testing.T) {
		locktest.Exclusion(t, new(mcs.CNA))
		locktest.Exclusion(t, locktest.Pinned(new(mcs.CNA)))
		locktest.Oversubscribed(t, 2, new(mcs.CNA))
	})
	wantNobodyEnlisted(t)
	defer mcs.SetMostPassed(1)()
	t.Run("nodes=3/passed=1", func(t *testing.T) {
		locktest.Exclusion(t, new(mcs.CNA))
	})
	wantNobodyEnlisted(t)
}

// The first waiter is served first, and then those of its node; the others are in the
// order of arrival when none of that node is left in line.
func TestCNAOrder(t *testing.T) {
	for _, test := range []struct{ nodes, want []int }{
		{[]int{0, 0, 0}, []int{0, 1, 2}},
		{[]int{0, 1, 0, 1, 0}, []int{0, 2, 4, 1, 3}},
		{[]int{1, 0, 0, 1, 2, 1, 0}, []int{0, 3, 5, 1, 2, 6, 4}},
	} {
		if got := servedByNode(test.nodes); !slices.Equal(got, test.want) {
			t.Errorf("nodes %v: served in order %v, want %v", test.nodes, got, test.want)
		}
	}
	wantNobodyEnlisted(t)
}

// A waiter on another node than all others waits for at most MostPassed of them that
// come later, and a second one, on a third node, is next.
func TestCNABound(t *testing.T) {
	nodes := make([]int, mcs.MostPassed+20) // on node 0
	nodes[1], nodes[2] = 1, 2
	got := servedByNode(nodes)
	// The first waiter is served before it, in order, and then those that pass it.
	if i := slices.Index(got, 1); i != 1+mcs.MostPassed {
		t.Errorf("the waiter on node 1 was served after %d, want %d", i, 1+mcs.MostPassed)
	} else if got[i+1] != 2 {
		t.Errorf("waiter %d was served after it, want that on node 2", got[i+1])
	}
	wantNobodyEnlisted(t)
}

// servedByNode returns the order in which a CNA serves waiters that arrive one after the
// other, each on its node.
func servedByNode(nodes []int) (served []int) {
	var l mcs.CNA
	var wg sync.WaitGroup
	var arrived int
	defer mcs.SetWhere(func() int { return nodes[arrived] })()
	l.Lock()
	for i := range nodes {
		before := l.Tail()
		wg.Go(func() {
			l.Lock()
			served = append(served, i)
			l.Unlock()
		})
		locktest.Until(func() bool { return l.Tail() != before })
		arrived++
	}
	l.Unlock()
	wg.Wait()
	return served
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
	defer mcs.SetWhere(func() int { return 0 })() // on a machine with several nodes it is not FIFO
	var cna mcs.CNA
	locktest.FIFO(t, &cna, cna.Tail)
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
	defer waiter.HighNumbers()()
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
	for w := waiter.Enlist(); w != nil; w = waiter.Enlist() {
		defer w.Retire()
	}
	locktest.Exclusion(t, new(mcs.Lock))
	locktest.Exclusion(t, new(mcs.CLH))
	locktest.Exclusion(t, new(mcs.CNA))
	locktest.Exclusion(t, locktest.Pinned(new(mcs.Lock)))
	locktest.FIFO(t, new(mcs.Lock), waiter.LineTail)
	locktest.FIFO(t, new(mcs.CLH), waiter.LineTail)
	nested(t)
	if lines := waiter.Lines(); len(lines) > 0 {
		t.Errorf("locks %#x have a line after the last Unlock", lines)
	}
	var q mcs.OSQ
	if q.Lock(func() bool { return true }) {
		t.Error("OSQ.Lock without waiters = true, want false")
	}
	if q.TryLock() {
		t.Error("OSQ.TryLock without waiters = true, want false")
	}
}

// nested lets goroutines wait for one lock while they hold another for which others
// wait: the lines of the two must not wait for each other.
func nested(t *testing.T) {
	var outer, inner mcs.Lock
	var wg sync.WaitGroup
	n := 0 // guarded by inner
	inner.Lock()
	for i := range 6 { // two get behind a holder that waits itself
		before := waiter.LineTail()
		wg.Go(func() {
			if i%2 == 0 {
				outer.Lock()
				defer outer.Unlock()
			}
			inner.Lock()
			n++
			inner.Unlock()
		})
		locktest.Until(func() bool { return waiter.LineTail() != before })
	}
	inner.Unlock()
	wg.Wait()
	if n != 6 {
		t.Errorf("%d of 6 critical sections ran", n)
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
	if got := unsafe.Sizeof(mcs.CNA{}); got != 12 {
		t.Errorf("a CNA has %d bytes, want 12", got)
	}
	if got := unsafe.Sizeof(mcs.OSQ{}); got != 8 {
		t.Errorf("an OSQ has %d bytes, want 8", got)
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Lock).Lock", "(*Lock).TryLock", "(*CNA).Lock", "(*CNA).TryLock", "(*Queue).TryLock")
}

func wantNobodyEnlisted(t *testing.T) {
	t.Helper()
	if got := waiter.Enlisted(); len(got) > 0 {
		t.Errorf("waiters %v are enlisted after the last Unlock", got)
	}
}
