package mcs

import (
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/primitives"
)

// An OSQ is an MCS lock whose waiters can give up: the kernel's optimistic
// spin queue. The waiters of a sleeping lock queue here while they spin because it
// may be released soon. The head of the queue watches the sleeping lock itself, and
// each of them leaves and parks when spinning no longer pays.
// The zero OSQ is unlocked. An OSQ must not be copied after first use.
//
// The n'th call to [OSQ.Unlock] synchronizes before the m'th return of true
// from [OSQ.Lock], for n < m.
type OSQ struct {
	// tail is the number of the last waiter in line.
	//
	//	0       unlocked
	//	number  locked; that waiter is last in line, or holds the lock
	//
	// I1: Next and Prev link the waiters from the holder's to tail in both
	// directions, except while one arrives or leaves.
	// I2: a waiter can leave once its predecessor does not name it any more, so
	// that it will not be granted the lock. Either the waiter's CAS of the
	// predecessor's Next succeeds, or it is granted the lock.
	tail primitives.Uint32

	// holder is the number of the holder's waiter. Only the holder touches it.
	holder uint32
}

// A waiter in an OSQ has, besides Next, the number of the waiter before it
// (Prev), and a word that is 1 once it has the lock (Granted).
//
// I3: Granted is 0 when the waiter is enlisted.

// Lock locks q, spinning behind the waiters already in line, and reports whether
// it did. It gives up, having acquired nothing, as soon as goOn returns false or
// spinning no longer pays because other goroutines wait to run on this CPU; and at once
// if all waiters are taken, see the package comment. It calls goOn at every look.
func (q *OSQ) Lock(goOn func() bool) bool {
	w := waiter.Enlist()
	if w == nil {
		return false
	}
	prev := q.tail.Swap(w.Number()) // acquire: pairs with Unlock's CAS
	if prev != 0 {
		w.Prev.Store(prev) // before the link: a predecessor that leaves writes it
		w.Follow(prev)
		var spin primitives.Spin
		for w.Granted.Load() == 0 { // acquire: pairs with grant
			if !(goOn() && spin.Try()) && q.leave(w) {
				w.Retire()
				return false
			}
		}
		w.Granted.StoreRelease(0) // restores I3
	}
	q.holder = w.Number()
	return true
}

// leave takes w out of the line and reports whether it did: if not, the lock
// was granted to it first.
func (q *OSQ) leave(w *waiter.Waiter) bool {
	var spin primitives.Spin

	// Step A: make the predecessor forget w. If the predecessor leaves or unlocks
	// then, it waits in successor for a new Next, or to be last.
	before := waiter.At(w.Prev.Load())
	for before.Next.Load() != w.Number() || !before.Next.CompareAndSwap(w.Number(), 0) {
		if w.Granted.Load() != 0 { // acquire: pairs with grant
			return false
		}
		// The predecessor is granting w the lock, or it leaves and will set w.Prev
		// in its step C.
		spin.Once()
		before = waiter.At(w.Prev.Load())
	}

	// Step B: get the successor, which then cannot leave, or make the predecessor
	// the last in line.
	next := q.successor(w, w.Prev.Load())
	if next == 0 {
		return true
	}

	// Step C: link the predecessor and the successor.
	waiter.At(next).Prev.Store(w.Prev.Load())
	before.Next.Store(next)
	return true
}

// successor returns the number of the waiter behind w, which then cannot leave
// until its Prev has changed, or 0 after making last the last in line.
func (q *OSQ) successor(w *waiter.Waiter, last uint32) uint32 {
	var spin primitives.Spin
	for {
		if q.tail.Load() == w.Number() && q.tail.CompareAndSwap(w.Number(), last) { // release: pairs with Lock
			return 0
		}
		// The waiter behind w may be about to link itself. Or it is leaving and takes
		// its number back; then the waiter behind it links itself to w.
		if w.Next.Load() != 0 {
			if next := w.Next.Swap(0); next != 0 {
				return next
			}
		}
		spin.Once()
	}
}

// TryLock tries to lock q without waiting and reports whether it succeeded.
func (q *OSQ) TryLock() bool {
	w := waiter.Enlist()
	if w == nil {
		return false
	}
	if !q.tail.CompareAndSwap(0, w.Number()) { // acquire: pairs with Unlock's CAS
		w.Retire()
		return false
	}
	q.holder = w.Number()
	return true
}

// Unlock unlocks q and grants it to the next in line, if there is one.
// It panics if q is not locked.
func (q *OSQ) Unlock() {
	if q.holder == 0 {
		panic("mcs: Unlock of unlocked OSQ")
	}
	w := waiter.At(q.holder)
	q.holder = 0
	if next := q.successor(w, 0); next != 0 {
		waiter.At(next).Granted.StoreRelease(1) // release (grant)
	}
	w.Retire()
}

// String says whether q is locked, for diagnosis.
func (q *OSQ) String() string {
	if q.tail.Load() == 0 {
		return "unlocked"
	}
	return "locked"
}
