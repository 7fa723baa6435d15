package qspinlock

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/internal/waiter"
)

// A State is what the word of a [Lock] says, for example in a crash dump of the
// kernel or in the report of a stuck benchmark.
type State struct {
	Word    uint32 // what was decoded
	Locked  bool   // the lock is held
	Pending bool   // a waiter outside the queue will get it next
	Queued  bool   // there is a queue; CPU and Context name its last waiter
	CPU     int    // the CPU whose node the last waiter has; -1 without a queue
	Context int    // which of that CPU's four nodes; 0 without a queue
}

// Decode returns what word says, in the layout that the kernel uses for fewer than
// 16,384 CPUs. Decode(0x00100101) says: locked, pending, tail
// CPU 3, context 0; the tail 0x10 means CPU (0x10>>2)-1.
func Decode(word uint32) State {
	s := State{
		Word:    word,
		Locked:  word&lockedMask != 0,
		Pending: word&pending != 0,
		CPU:     -1,
	}
	if tail := word >> tailShift; tail != 0 {
		s.Queued = true
		s.CPU, s.Context = waiter.Split(tail)
	}
	return s
}

// String returns s in words: "locked, pending, tail CPU 3, context 0".
func (s State) String() string {
	says := []string{"unlocked"}
	if s.Locked {
		says[0] = "locked"
	}
	if s.Pending {
		says = append(says, "pending")
	}
	if s.Queued {
		says = append(says, fmt.Sprintf("tail CPU %d, context %d", s.CPU, s.Context))
	}
	return strings.Join(says, ", ")
}
