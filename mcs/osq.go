package mcs

import "github.com/lockbench/lockbench/primitives"

// An OSQ is an MCS lock whose waiters can give up: the kernel's optimistic
// spin queue. A sleeping lock lets those of its waiters queue here that spin
// in the hope that it is released soon; the one at the head watches the
// sleeping lock itself, and any of them leaves to park when hope is lost.
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
	// I1: next and prev link the waiters from the holder's to tail in both
	// directions, but for the moments when one arrives or leaves.
	// I2: a waiter can leave once its predecessor does not name it any more,
	// so that it will not be granted the lock; only its own CAS of the
	// predecessor's next, or a grant, decides which of the two it is.
	tail primitives.Uint32

	// holder is the number of the holder's waiter. Only the holder touches it.
	holder uint32
}

// A waiter in an OSQ has, besides next, the number of the waiter before it
// (prev), and a word that is 1 once the lock is its own (granted).
//
// I3: granted is 0 whenever the waiter is enlisted.

// Lock locks q, spinning behind those already in line, and reports whether it
// did. It gives up, having acquired nothing, as soon as goOn returns false or
// spinning can no longer pay: when others wait to run on this CPU. goOn is
// called at every look.
func (q *OSQ) Lock(goOn func() bool) bool {
	w := Enlist()
	if w == nil {
		return false
	}
	prev := q.tail.Swap(w.number) // acquire: pairs with Unlock's CAS
	if prev != 0 {
		w.prev.Store(prev) // before the link: who leaves before us writes it
		w.Follow(prev)
		var spin primitives.Spin
		for w.granted.Load() == 0 { // acquire: pairs with grant
			if !(goOn() && spin.Try()) && q.leave(w) {
				w.Retire()
				return false
			}
		}
		w.granted.StoreRelease(0) // restores I3
	}
	q.holder = w.number
	return true
}

// leave takes w out of the line and reports whether it did: if not, the lock
// was granted to it first.
func (q *OSQ) leave(w *Waiter) bool {
	var spin primitives.Spin

	// Step A: make the predecessor forget w. It then waits in successor for a
	// new next, or to be last.
	before := WaiterAt(w.prev.Load())
	for before.next.Load() != w.number || !before.next.CompareAndSwap(w.number, 0) {
		if w.granted.Load() != 0 { // acquire: pairs with grant
			return false
		}
		// It is granting w the lock, or leaves itself and will tell w, in
		// step C, who comes before it.
		spin.Once()
		before = WaiterAt(w.prev.Load())
	}

	// Step B: make the successor's next word ours alone, or the predecessor
	// the last in line.
	next := q.successor(w, w.prev.Load())
	if next == 0 {
		return true
	}

	// Step C: link the two.
	WaiterAt(next).prev.Store(w.prev.Load())
	before.next.Store(next)
	return true
}

// successor returns the number of the waiter behind w, which then cannot leave
// until its prev is someone else, or 0 after making last the last in line.
func (q *OSQ) successor(w *Waiter, last uint32) uint32 {
	var spin primitives.Spin
	for {
		if q.tail.Load() == w.number && q.tail.CompareAndSwap(w.number, last) { // release: pairs with Lock
			return 0
		}
		// It may be about to link itself, or about to leave: then it takes
		// its number back, and the one behind it comes.
		if w.next.Load() != 0 {
			if next := w.next.Swap(0); next != 0 {
				return next
			}
		}
		spin.Once()
	}
}

// TryLock tries to lock q without waiting and reports whether it succeeded.
func (q *OSQ) TryLock() bool {
	w := Enlist()
	if w == nil {
		return false
	}
	if !q.tail.CompareAndSwap(0, w.number) { // acquire: pairs with Unlock's CAS
		w.Retire()
		return false
	}
	q.holder = w.number
	return true
}

// Unlock unlocks q and grants it to the next in line, if there is one.
// It panics if q is not locked.
func (q *OSQ) Unlock() {
	if q.holder == 0 {
		panic("mcs: Unlock of unlocked OSQ")
	}
	w := WaiterAt(q.holder)
	q.holder = 0
	if next := q.successor(w, 0); next != 0 {
		WaiterAt(next).granted.StoreRelease(1) // release (grant)
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
