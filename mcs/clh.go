package mcs

import "github.com/lockbench/lockbench/primitives"

type CLH struct {
	tail   primitives.Uint64
	done   primitives.Uint64
	holder *Waiter
}

const gen = 1 << 16

func (l *CLH) Lock() {
	if t := l.tail.Load(); t != l.done.Load() || !l.tail.CompareAndSwap(t, t+gen) {
		l.wait(primitives.Spin{})
	}
}

func (l *CLH) LockPinned() {
	primitives.Pin()
	if t := l.tail.Load(); t != l.done.Load() || !l.tail.CompareAndSwap(t, t+gen) {
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *CLH) wait(spin primitives.Spin) {
	for !l.TryLock() {
		spin.Once()
	}
}

func (l *CLH) TryLock() bool {
	t := l.tail.Load()
	return t == l.done.Load() && l.tail.CompareAndSwap(t, t+gen)
}

func (l *CLH) Unlock() {
	if l.holder == nil {
		l.done.StoreRelease(l.done.Load() + gen)
	}
}
