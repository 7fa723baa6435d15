package mcs

import "github.com/lockbench/lockbench/primitives"

type Lock struct {
	tail   primitives.Uint32
	next   primitives.Uint32
	holder uint32
}

const own = 1

func (l *Lock) Lock() {
	if !l.tail.CompareAndSwap(0, own) {
		l.wait(primitives.Spin{})
	}
}

func (l *Lock) LockPinned() {
	primitives.Pin()
	if !l.tail.CompareAndSwap(0, own) {
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *Lock) wait(spin primitives.Spin) {
	w := Enlist()
	if w == nil {
		for !l.TryLock() {
			spin.Once()
		}
		return
	}
	switch prev := l.tail.Swap(w.number); prev {
	case 0:
	case own:
		l.next.StoreRelease(w.number)
		w.Await(spin)
	default:
		WaiterAt(prev).Next.StoreRelease(w.number)
		w.Await(spin)
	}
	l.holder = w.number
}

func (l *Lock) TryLock() bool { return l.tail.CompareAndSwap(0, own) }

func (l *Lock) Unlock() {
	if l.holder != 0 || l.next.Load() != 0 || !l.tail.CompareAndSwap(own, 0) {
		l.handoff(primitives.Spin{})
	}
}

func (l *Lock) UnlockPinned() {
	if l.holder != 0 || l.next.Load() != 0 || !l.tail.CompareAndSwap(own, 0) {
		l.handoff(primitives.Spin{Pinned: true})
	}
	primitives.Unpin()
}

func (l *Lock) handoff(spin primitives.Spin) {
	if l.holder == 0 {
		WaiterAt(follower(&l.next, spin)).Handoff()
		return
	}
	w := WaiterAt(l.holder)
	l.holder = 0
	if w.Next.Load() == 0 && l.tail.CompareAndSwap(w.number, 0) {
		w.Retire()
		return
	}
	next := WaiterAt(w.Follower(spin))
	w.Retire()
	next.Handoff()
}
