// Package sched is the seam between package primitives and the engines that
// run locks on a virtual machine: the model checker and the simulator.
//
// Under the build tag virtual each primitive asks for the current [Engine] and
// calls it when there is one; without one it does the real thing, so ordinary
// tests pass under the tag too. Package primitives does not import an engine,
// and an engine does not import primitives: both know only this package, which
// holds the current engine and no logic.
//
// The native build does not use this package at all. The interface below is
// the width that the design foresees; whoever builds the first engine settles
// it.
package sched

import "time"

// A Kind says what an access does to its word.
type Kind uint8

// The kinds of access. Plain ones are a Cell's: the engine checks that
// something else orders them.
const (
	Load Kind = iota
	Store
	StoreRelease // may be delayed in the CPU's store buffer
	ReadModifyWrite
	PlainRead
	PlainWrite
)

// A Parker is the identity of a place to sleep.
type Parker any

// An Engine runs the workers of a virtual machine, one at a time. Its methods
// are called by the worker that takes the step.
type Engine interface {
	// Access is called before each operation on the word at addr. It returns
	// when the worker may take this step.
	Access(addr any, kind Kind)
	// Fence drains the CPU's store buffer.
	Fence()

	// Wait is called by Spin: the worker waits for a word that it has read
	// since the last Wait to be written by another.
	Wait(pinned bool)
	// Park sleeps until Unpark, or until the virtual clock reads deadline (0
	// for never), and reports whether it was Unpark.
	Park(p Parker, deadline int64) bool
	// Unpark wakes the worker that sleeps on p, or lets its next Park return;
	// handoff gives it the caller's CPU.
	Unpark(p Parker, handoff bool)

	// Pin disables preemption and returns the number of the virtual CPU.
	Pin() int
	Unpin()

	// Now is the virtual clock, in nanoseconds.
	Now() int64
	Sleep(d time.Duration)
	// Go starts a worker.
	Go(f func())
}
