package mcs

import "github.com/lockbench/lockbench/primitives"

// A Queue is an MCS lock: a list of the waiting goroutines, of which it holds the
// end. Each acquisition brings a [Node] that stays in the list until the release.
// The zero Queue is unlocked.
// A Queue must not be copied after first use.
//
// The n'th call to [Queue.Unlock] synchronizes before the return of the m'th
// call to [Queue.Lock], for n < m. A failed TryLock synchronizes nothing.
type Queue struct {
	// tail is the node of the last in line.
	//
	//	nil        unlocked
	//	n          locked; n is the holder's if there are no waiters
	//
	// I1: the nodes from the holder's to tail are linked by next, except between
	// an arrival's swap of tail and its link.
	tail primitives.Pointer[Node]
}

// A Node is a place in a [Queue]. The zero Node is ready for use, and ready
// again after Unlock; give it a cache line of its own. It must not serve two
// acquisitions at a time, nor be copied.
type Node struct {
	// next is the node of the goroutine behind this one.
	//
	// I2: the next of a node that is in no queue is nil.
	next primitives.Pointer[Node]

	// turn wakes the goroutine when it has the lock.
	turn primitives.Parker
}

// Lock locks q with node n, waiting behind the goroutines already in line.
func (q *Queue) Lock(n *Node) { q.lock(n, primitives.Spin{InLine: true}) }

// LockPinned locks q with node n and disables preemption until
// [Queue.UnlockPinned].
//
// Nothing in the critical section may block: no channel, no sync.Mutex, no
// I/O, nothing long. A lock is used pinned by all or by none: a pinned waiter
// keeps its CPU until its turn, and a holder that can be preempted may need it.
func (q *Queue) LockPinned(n *Node) {
	primitives.Pin()
	q.lock(n, primitives.Spin{InLine: true, Pinned: true})
}

func (q *Queue) lock(n *Node, spin primitives.Spin) {
	prev := q.tail.Swap(n) // acquire: pairs with Unlock's CAS, if prev is nil
	if prev == nil {
		return
	}
	prev.next.Store(n) // release (link): pairs with handoff; by I2 it is nil
	n.turn.Await(spin) // acquire: pairs with handoff
}

// TryLock tries to lock q with node n without waiting and reports whether it
// succeeded. If it fails, n is not in use.
func (q *Queue) TryLock(n *Node) bool {
	return q.tail.CompareAndSwap(nil, n) // acquire: pairs with Unlock's CAS
}

// TryLockPinned is [Queue.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (q *Queue) TryLockPinned(n *Node) bool {
	primitives.Pin()
	if q.TryLock(n) {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks q, which must be locked with node n, and hands it to the
// longest waiter, if there is one. It panics if q is not locked. With another node than
// the holder's it may wait for a waiter that never comes.
func (q *Queue) Unlock(n *Node) { q.unlock(n, primitives.Spin{InLine: true}) }

// UnlockPinned unlocks q, as [Queue.Unlock] does, and enables preemption again. If it
// panics while preemption is off, that ends the program.
func (q *Queue) UnlockPinned(n *Node) {
	q.unlock(n, primitives.Spin{InLine: true, Pinned: true})
	primitives.Unpin()
}

func (q *Queue) unlock(n *Node, spin primitives.Spin) {
	if n.next.Load() == nil && q.tail.CompareAndSwap(n, nil) { // release: no waiters
		return
	}
	if q.tail.Load() == nil {
		panic("mcs: Unlock of unlocked Queue")
	}
	q.handoff(n, spin)
}

// handoff gives the lock to the goroutine behind n.
func (q *Queue) handoff(n *Node, spin primitives.Spin) {
	next := n.next.Load() // acquire: pairs with link in lock
	for next == nil {     // the next waiter has swapped tail and is about to link, by I1
		spin.Once()
		next = n.next.Load()
	}
	next.turn.Handoff() // release (handoff): publishes the critical section
	n.next.Store(nil)   // restores I2; only the caller still knows n
}

// String says whether q is locked, for diagnosis.
func (q *Queue) String() string {
	if q.tail.Load() == nil {
		return "unlocked"
	}
	return "locked"
}
