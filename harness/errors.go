package harness

import (
	"fmt"
	"strings"
	"time"
)

// A BrokenError says that a lock did not protect what it guards.
type BrokenError struct {
	Lock string // name of the lock
	When string // what was tried, such as "TryLock of the held lock"
	Want string // what a lock guarantees then
	Have string // what was seen
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("lock %q is broken: %s: want %s, have %s", e.Lock, e.When, e.Want, e.Have)
}

// A StuckError says that no worker made progress for too long: a deadlock, a
// lost wake-up, or a waiter that spins on a word nobody will change.
type StuckError struct {
	Lock    string        // name of the lock
	For     time.Duration // for how long nobody got anywhere
	State   string        // what the lock's String method says, if it has one
	Workers []WorkerState
	Stacks  string // of all goroutines; empty if taking them was not safe
}

// A WorkerState says what a worker is doing.
type WorkerState struct {
	Worker int
	Doing  string // such as "waits to write"
	Since  time.Duration
	Ops    uint64 // operations completed so far
}

// Error describes it on several lines, without the stacks.
func (e *StuckError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "lock %q is stuck: no progress for %v", e.Lock, e.For)
	return b.String()
}
