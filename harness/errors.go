package harness

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// A BrokenError says that a lock did not protect what it guards, or panicked.
type BrokenError struct {
	Kind string // what is broken: "" for a lock, "flavour" for one of RCU
	Lock string // its name
	When string // when it was seen, such as "TryLock of the held lock"
	Want string // what a lock guarantees then
	Have string // what was seen

	Stack string // of the worker that panicked, as a crash prints it; "" if none did
}

// Error returns all but the Stack, in one line.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("%s %q is broken: %s: want %s, have %s", cmp.Or(e.Kind, "lock"), e.Lock, e.When, e.Want, e.Have)
}

// A StuckError says that no worker made progress for too long: a deadlock, a lost
// wake-up, a waiter that spins on a word that no worker will change.
type StuckError struct {
	Kind string        // as in a [BrokenError]
	Lock string        // its name
	For  time.Duration // how long no worker has made progress

	// Cause is why, as far as the harness can tell; "" if it cannot. It begins with "AA
	// deadlock" if a worker waits for a lock that it holds itself.
	Cause string

	State   string // what the lock's String method says; "" if it has none
	Workers []WorkerState

	// Stacks are those of all goroutines, as a crash prints them. They are
	// missing if critical sections are pinned: the runtime cannot stop a
	// goroutine that waits with preemption off, and so cannot look at it.
	Stacks string

	// Unpreemptible says that [Run] has returned with preemption off, as
	// after [primitives.Pin], because the workers would take the last CPU.
	// All that can be done then is to print the error and to exit.
	Unpreemptible bool
}

// A WorkerState is what a worker of a stuck run does.
type WorkerState struct {
	ID    int           // 0, 1, ...
	Doing string        // such as "waits to write"
	For   time.Duration // for at least about how long
	Ops   uint64        // operations it completed before
}

// Error describes the cause, the state and each worker on lines of their own.
// It leaves out the stacks.
func (e *StuckError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q is stuck: no worker made progress for %v", cmp.Or(e.Kind, "lock"), e.Lock, e.For.Round(time.Millisecond))
	if e.Cause != "" {
		fmt.Fprintf(&b, "\n\tcause: %s", e.Cause)
	}
	if e.State != "" {
		fmt.Fprintf(&b, "\n\tstate: %s", e.State)
	}
	for _, w := range e.Workers {
		fmt.Fprintf(&b, "\n\tworker %d %s, for %v, after %d operations", w.ID, w.Doing, w.For.Round(time.Millisecond), w.Ops)
	}
	return b.String()
}
