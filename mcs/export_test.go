package mcs

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/waiter"
)

// Tail returns a number that changes whenever a goroutine gets in line.
func (q *Queue) Tail() uint64 { return uint64(uintptr(unsafe.Pointer(q.tail.Load()))) }

// Tail returns a number that changes whenever a goroutine gets in line.
func (l *Lock) Tail() uint64 { return uint64(l.tail.Load()) }

// Tail returns a number that changes whenever a goroutine gets in line.
func (l *CLH) Tail() uint64 { return l.tail.Load() }

// Tail returns a number that changes whenever a goroutine gets in line.
func (q *OSQ) Tail() uint64 { return uint64(q.tail.Load()) }

// Tail returns a number that changes whenever a goroutine gets in line.
func (l *CNA) Tail() uint64 { return uint64(l.tail.Load()) }

// SetWhere puts the waiters of a CNA on the nodes that f returns, and returns what undoes
// it.
func SetWhere(f func() int) (undo func()) {
	were := where
	where = f
	return func() { where = were }
}

// SetMostPassed sets how often a CNA is handed past those that stand aside, and returns
// what undoes it.
func SetMostPassed(n uint32) (undo func()) {
	mostPassed = n
	return func() { mostPassed = MostPassed }
}

// NewCLHAt returns an unlocked CLH whose own node has generation n before it
// wraps.
func NewCLHAt(n uint64) *CLH {
	l := new(CLH)
	l.tail.Store(-n * generation)
	l.over.Store(-n * generation)
	return l
}

// SetPlaces sets the generation of the waiters of the first 64 CPUs to n before it
// wraps. No waiter may be enlisted.
func SetPlaces(n uint64) {
	for cpu := range 64 {
		for context := range 4 {
			waiter.At(waiter.Number(cpu, context)).Place.Store(-n * generation)
		}
	}
}
