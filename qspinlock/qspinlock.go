package qspinlock

import (
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

type Lock struct {
	word primitives.Uint32
}

const (
	lockedMask  = 0xff
	locked      = 1
	pending     = 1 << 8
	pendingMask = 0xff00
	tailShift   = 16
	tailMask    = 0xffff_0000
)

func (l *Lock) Lock() {
	if !l.word.CompareAndSwap(0, locked) {
		l.wait(primitives.Spin{})
	}
}

func (l *Lock) LockPinned() {
	primitives.Pin()
	if !l.word.CompareAndSwap(0, locked) {
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *Lock) TryLock() bool { return l.word.CompareAndSwap(0, locked) }

func (l *Lock) Unlock() {
	if word := l.word.Load(); word != locked {
		l.unlockSlow(word)
		return
	}
	l.word.ClearLowByteRelease()
}

func (l *Lock) unlockSlow(word uint32) {
	if word&lockedMask == 0 {
		panic("qspinlock: Unlock of unlocked Lock")
	}
	l.word.ClearLowByteRelease()
	var spin primitives.Spin
	spin.Yield()
}

func (l *Lock) UnlockPinned() {
	if l.word.Load()&lockedMask == 0 {
		panic("qspinlock: Unlock of unlocked Lock")
	}
	l.word.ClearLowByteRelease()
	primitives.Unpin()
}

func (l *Lock) wait(spin primitives.Spin) {
	word := l.word.Load()
	if word == pending {
		handover := spin
		for range 4 {
			if word = l.word.Load(); word != pending {
				break
			}
			handover.Once()
		}
	}
	if word&^lockedMask == 0 {
		word = l.word.Or(pending)
		if word&^lockedMask == 0 {
			for l.word.Load()&lockedMask != 0 {
				spin.Once()
			}
			l.word.Add(^uint32(pending - locked - 1))
			return
		}
		if word&pending == 0 {
			l.word.And(^uint32(pending))
		}
	}
	l.queue(spin)
}

func (l *Lock) queue(spin primitives.Spin) {
	w := mcs.Enlist()
	if w == nil {
		for !l.TryLock() {
			spin.Once()
		}
		return
	}
	if l.TryLock() {
		w.Retire()
		return
	}
	tail := w.Number() << tailShift
	word := l.word.Load()
	for !l.word.CompareAndSwap(word, word&^tailMask|tail) {
		word = l.word.Load()
	}
	if prev := word >> tailShift; prev != 0 {
		mcs.WaiterAt(prev).Next.StoreRelease(w.Number())
		w.Await(spin)
	}
	head := spin
	for {
		word = l.word.Load()
		if word&^tailMask != 0 {
			head.Once()
			continue
		}
		if word == tail {
			if l.word.CompareAndSwap(tail, locked) {
				w.Retire()
				return
			}
			continue
		}
		l.word.Or(locked)
		break
	}
	next := mcs.WaiterAt(w.Follower(spin))
	w.Retire()
	next.Wake()
}
