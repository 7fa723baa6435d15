package mcs

import (
	"fmt"
	"unsafe"

	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// A CNA is the compact NUMA-aware lock of Dice and Kogan: an MCS lock that is handed to a
// waiter on the holder's node while there is one, so that the lock, and what it protects,
// seldom travels from node to node. Waiters that it is handed past stand aside, in a queue
// of their own. The zero CNA is unlocked.
// A CNA must not be copied after first use.
//
// It is not FIFO. It is handed past waiters that stand aside at most [MostPassed] times;
// then they are the first in line again, in the order of arrival. So the first of them waits
// for no more than so many that came later, and one that came behind k other waiters is
// overtaken at most MostPassed*(k+1) times. Waiters on one node are served in the order of
// arrival.
//
// Nodes are those of [primitives.Node]. Where it always returns 0, because the
// machine has one node or because the node of a CPU is not known, a CNA serves all in the
// order of arrival, as a [Lock] does.
//
// The n'th call to [CNA.Unlock] synchronizes before the return of the m'th
// call to [CNA.Lock], for n < m. A failed TryLock synchronizes nothing.
type CNA struct {
	// tail is the place of the last in line. A waiter's place is its number in the lower
	// 16 bits, and its node in the upper.
	//
	//	0      unlocked
	//	own    locked by a holder that did not wait; no waiters
	//	place  locked; that waiter is last in line, or holds the lock
	//
	// I1: own is never behind a waiter: it enters by 0 -> own only.
	// I2: the places from the holder's to tail are linked, except between an
	// arrival's swap of tail and its link. Those that stand aside are not among them.
	// I3: while any waiter stands aside the holder has a waiter, and tail is not 0.
	tail primitives.Uint32

	// next is the place of the waiter behind own, or 0. A Waiter has its own Next, which
	// is a place, too: so a holder knows the node of the next without a look at its line.
	next primitives.Uint32

	// holder is the place of the holder's waiter, or 0 if it is own.
	// Only the holder touches it.
	holder uint32
}

// placeOf returns the place of w on that node, of which it takes 16 bits.
func placeOf(w *waiter.Waiter, node int) uint32 { return uint32(node)<<16 | w.Number() }

// at returns the waiter that has a place.
func at(place uint32) *waiter.Waiter { return waiter.At(place & numberMask) }

// A waiter of a CNA that has the lock also has those that stand aside (Aside). It got them
// with the lock, and hands them on with it.
//
// I4: Aside is empty when a waiter is enlisted and when it is retired. It is written
// before a handoff, and only the holder has one that is not empty.
// I5: a queue aside is linked by Next, in the order of arrival; the Next of its last is 0.
// Those in it came before all that are in line.

// MostPassed is how often a [CNA] is handed past waiters that stand aside, until they are
// first in line. To look for waiters of a node and to change the node costs lines' travel
// between nodes, which is shared by so many acquisitions.
const MostPassed = 256

// mostPassed is MostPassed, and where is primitives.Node, except in tests.
var (
	mostPassed uint32 = MostPassed
	where             = primitives.Node
)

// Lock locks l, waiting for its turn.
func (l *CNA) Lock() {
	if !l.tail.CompareAndSwap(0, own) { // acquire: pairs with release
		l.wait(primitives.Spin{InLine: true}) // outlined so that Lock inlines
	}
}

// LockPinned locks l and disables preemption until [CNA.UnlockPinned].
//
// Nothing in the critical section may block: no channel, no sync.Mutex, no
// I/O, nothing long. A lock is used pinned by all or by none: a pinned waiter
// keeps its CPU until its turn, and a holder that can be preempted may need it.
func (l *CNA) LockPinned() {
	primitives.Pin()
	if !l.tail.CompareAndSwap(0, own) { // acquire: pairs with release
		l.wait(primitives.Spin{InLine: true, Pinned: true})
	}
}

func (l *CNA) wait(spin primitives.Spin) {
	w := waiter.EnlistFor(uintptr(unsafe.Pointer(l)), l.TryLock, spin)
	if w == nil { // the caller holds the lock
		return
	}
	place := placeOf(w, where())
	switch prev := l.tail.Swap(place); prev { // acquire: pairs with release
	case 0: // the caller holds the lock, and by I3 none stands aside
		w.Arrived()
	case own:
		l.next.StoreRelease(place) // release (link): pairs with follower
		w.Arrived()
		w.Await(spin) // acquire: pairs with handoff in hand
	default:
		at(prev).Next.StoreRelease(place) // release (link): pairs with follower and nearest
		w.Arrived()
		w.Await(spin)
	}
	l.holder = place
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *CNA) TryLock() bool {
	return l.tail.CompareAndSwap(0, own) // acquire: pairs with release
}

// TryLockPinned is [CNA.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *CNA) TryLockPinned() bool {
	primitives.Pin()
	if l.TryLock() {
		return true
	}
	primitives.Unpin()
	return false
}

// Unlock unlocks l and hands it to a waiter, if there is one: to the next on the holder's
// node, or to the longest waiter. It panics if l is not locked.
func (l *CNA) Unlock() {
	if l.holder != 0 || l.next.Load() != 0 || !l.tail.CompareAndSwap(own, 0) { // release: publishes the critical section
		l.unlockSlow(primitives.Spin{InLine: true})
	}
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *CNA) UnlockPinned() {
	if l.holder != 0 || l.next.Load() != 0 || !l.tail.CompareAndSwap(own, 0) { // release: publishes the critical section
		l.unlockSlow(primitives.Spin{InLine: true, Pinned: true})
	}
	primitives.Unpin()
}

func (l *CNA) unlockSlow(spin primitives.Spin) {
	if l.holder == 0 { // by I3 none stands aside
		if l.tail.Load() == 0 {
			panic("mcs: Unlock of unlocked CNA")
		}
		hand(follower(&l.next, spin), waiter.Aside{})
		return
	}
	mine := l.holder
	l.holder = 0
	w := at(mine)
	aside := w.Aside.Get()
	if aside.First != 0 {
		w.Aside.Set(waiter.Aside{}) // restores I4
	}

	// If no other is in line, those that stand aside are the line: the last of them is last,
	// or the lock is free if there are none.
	if w.Next.Load() == 0 && l.tail.CompareAndSwap(mine, aside.Last) { // release: publishes the critical section
		w.Retire()
		if aside.First != 0 {
			hand(aside.First, waiter.Aside{})
		}
		return
	}
	next := follower(&w.Next, spin)
	w.Retire() // by I2 the follower was the last goroutine to look at it

	if aside.Passed < mostPassed {
		if near := nearest(next, mine>>16, &aside); near != 0 {
			if aside.First != 0 {
				aside.Passed++
			}
			hand(near, aside)
			return
		}
	}
	if aside.First != 0 { // they are in front of the line again
		at(aside.Last).Next.StoreRelease(next) // ordered by the handoff
		next = aside.First
	}
	hand(next, waiter.Aside{})
}

// follower is [waiter.Behind] for places: it returns that in next, and clears next.
func follower(next *primitives.Uint32, spin primitives.Spin) (place uint32) {
	for place = next.Load(); place == 0; place = next.Load() { // acquire: pairs with link
		spin.Once()
	}
	next.StoreRelease(0)
	return place
}

// nearest returns the first place in line, which begins with first, that is on that node,
// and puts those before it aside. It returns 0, and changes nothing, if there is none.
// Places behind a waiter that has not linked itself yet are not looked at.
func nearest(first, node uint32, aside *waiter.Aside) uint32 {
	place, last := first, uint32(0) // last is of those that are passed
	for place>>16 != node {
		next := at(place).Next.Load() // acquire: pairs with link
		if next == 0 {
			return 0
		}
		last, place = place, next
	}
	if last == 0 {
		return place
	}
	at(last).Next.StoreRelease(0) // by I5; ordered by the handoff
	if aside.First == 0 {
		aside.First = first
	} else {
		at(aside.Last).Next.StoreRelease(first)
	}
	aside.Last = last
	return place
}

// hand gives the lock to the waiter at next, and with it those that stand aside.
func hand(next uint32, aside waiter.Aside) {
	w := at(next)
	if aside.First != 0 {
		w.Aside.Set(aside)
	}
	w.Handoff() // release (handoff): publishes the critical section and what was done to the queues
}

// String says whether l is locked and which waiter is last in line, for diagnosis.
func (l *CNA) String() string {
	switch tail := l.tail.Load(); tail {
	case 0:
		return "unlocked"
	case own:
		return "locked, no waiters"
	default:
		cpu, context := waiter.Split(tail & numberMask)
		return fmt.Sprintf("locked, last in line: waiter %d of CPU %d", context, cpu)
	}
}
