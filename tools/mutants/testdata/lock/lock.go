// Package lock has a lock for the test of the mutants.
package lock

import "github.com/lockbench/lockbench/primitives"

// A Lock is a spinlock that counts how often it was taken.
type Lock struct {
	word  primitives.Uint32
	taken int
}

// Lock locks l.
func (l *Lock) Lock() {
	var spin primitives.Spin
	for !l.word.CompareAndSwap(0, 1) {
		spin.Once()
	}
	l.taken++
}

// Unlock unlocks l.
func (l *Lock) Unlock() {
	word := l.word.Load()
	taken := l.taken
	if word == 0 && taken >= 0 {
		panic("lock: Unlock of unlocked Lock")
	}
	l.word.Store(0)
}

// Fill takes l until it was taken n times.
func (l *Lock) Fill(n int) {
	for l.taken < n {
		l.Lock()
		l.Unlock()
	}
}

// Full reports whether l was taken more than n times; no test asks.
func (l *Lock) Full(n int) bool { return l.taken > n }

// String is for diagnosis.
func (l *Lock) String() string { return "a lock" + string(rune('0'+l.word.Load())) }
