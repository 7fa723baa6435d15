// Package engine is the seam between package primitives and an engine that runs
// locks on a virtual machine: the model checker, or the simulator.
//
// Under the build tag virtual each primitive asks for the current [Engine] and
// calls it when there is one; without one it does the real thing, so ordinary
// tests pass under the tag too. Package primitives does not import an engine,
// and an engine does not import primitives: both know only this package, which
// holds the current engine and no logic. The native build calls nothing here.
package engine

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"
)

// A Kind says what a step does to its word.
type Kind uint8

// The kinds of access. Plain ones are a Cell's: not atomic, so something else
// must order them.
const (
	Load Kind = iota
	Store
	Modify         // Add, And, Or, Swap
	CompareAndSwap // a load, if it fails
	PlainRead
	PlainWrite
)

// A Location is a word: the engine knows it by its address, and reads and sets
// its value. A word of up to 64 bits has its value in bits; a pointer has it in
// both.
type Location interface {
	Raw() (bits uint64, pointer unsafe.Pointer)
	SetRaw(bits uint64, pointer unsafe.Pointer)
}

// An Engine runs the workers of a virtual machine, one at a time. Its methods
// are called by the worker that takes the step, and return when it has taken
// it, or may take it.
type Engine interface {
	// Access is called before a step on the word at at, which the caller takes when
	// Access returns; then it reports the step to Done. A CompareAndSwap expects the
	// value expect. A Cell has only an address.
	Access(addr unsafe.Pointer, at Location, kind Kind, expect uint64)
	// Done says that the value was old and is now.
	Done(addr unsafe.Pointer, old, now uint64)
	// Load is a load of a word, which may come from the CPU's store buffer.
	Load(addr unsafe.Pointer, at Location) uint64
	// StoreRelease puts the store of val's bits in mask in the CPU's store
	// buffer.
	StoreRelease(addr unsafe.Pointer, at Location, val, mask uint64)
	// Membarrier drains the store buffers of all CPUs.
	Membarrier()

	// Wait waits until a word that the worker has read since its last Wait, and
	// that made it wait, has changed. If pinned is true the worker never yields
	// meanwhile, and so may be pinned. On the host it would pause for d before it
	// looks again.
	Wait(pinned bool, d time.Duration)
	// Try is Wait by a worker that may give up, and has not done so tried
	// times before in this wait. It reports whether it goes on.
	Try(tried int, d time.Duration) bool
	// Pause lets d pass, whatever happens meanwhile, if spinning can pay for the worker,
	// and reports whether it can. One that is pinned pauses always.
	Pause(d time.Duration) bool
	// Yield lets others run.
	Yield()

	// Park sleeps until the parker at addr is unparked, and consumes that; or until
	// ctx is done, or d has passed, if they are not nil and not 0. It reports
	// whether it was unparked.
	Park(addr unsafe.Pointer, ctx context.Context, d time.Duration) bool
	// Await is Park by a worker that watches for the wake-up: if pinned is true
	// it never sleeps, and so may be pinned.
	Await(addr unsafe.Pointer, pinned bool)
	// Unpark wakes the worker that sleeps there, or lets its next Park return;
	// handoff gives it the caller's CPU.
	Unpark(addr unsafe.Pointer, handoff bool)

	// Take returns a value that was given to the pool at addr, as it was then, and
	// takes it out; or nil, if there is none for the worker.
	Take(addr unsafe.Pointer) unsafe.Pointer
	// Give gives v, of that size, to the pool at addr.
	Give(addr, v unsafe.Pointer, size uintptr)

	// Pin disables preemption and returns the number of the virtual CPU.
	Pin() int
	Unpin()

	// Node returns the node of the CPU on which the worker runs.
	Node() int

	// Timed reports whether time passes while workers run: steps take some.
	Timed() bool

	// Now is the virtual clock, in nanoseconds.
	Now() int64
	Sleep(d time.Duration)
	// Busy lets d pass in which the worker computes: it keeps its CPU.
	Busy(d time.Duration)
	// After starts a worker that runs f once d has passed.
	After(d time.Duration, f func()) (stop func() bool)
	// Go starts a worker.
	Go(f func())

	// Stranger is called by a goroutine that is about to take a step and is not
	// the worker that runs. If it returns, the step is taken on the host.
	Stranger()
}

var current atomic.Pointer[Engine]

// Enter makes e the current engine. There must be none.
func Enter(e Engine) {
	if !current.CompareAndSwap(nil, &e) {
		panic("engine: an engine is running already")
	}
}

// Leave ends the current engine.
func Leave() { current.Store(nil) }

// running is the goroutine of the worker that runs. Other goroutines read it meanwhile.
// It is no atomic word because it is written at each switch; any value that they see
// differs from their own.
var running uintptr

// Runs says that the caller is the worker that runs.
func Runs() { running = goroutine() }

// Rests says that no worker runs. It must come before the workers' goroutines end,
// because the runtime uses them again for others.
func Rests() { running = 0 }

// Current returns the engine that runs the caller, or nil.
func Current() Engine {
	e := current.Load()
	if e == nil {
		return nil
	}
	if goroutine() != running {
		(*e).Stranger()
		return nil
	}
	return *e
}

// ContextKey is the key under which an engine finds its own context, in one that
// is or wraps it: only such a context can end a Park.
type ContextKey struct{}
