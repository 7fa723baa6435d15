// Package copies does what must not be done: it copies every lock. go vet
// must note each line that says so.
package copies

import (
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/reciprocating"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

func locks(
	_ spinlock.TAS, // copy
	_ spinlock.TTAS, // copy
	_ spinlock.Backoff, // copy
	_ ticket.Lock, // copy
	_ ticket.Proportional, // copy
	_ mcs.Queue, // copy
	_ mcs.Node, // copy
	_ mcs.Lock, // copy
	_ mcs.CLH, // copy
	_ mcs.CNA, // copy
	_ mcs.OSQ, // copy
	_ waiter.Waiter, // copy
	_ qspinlock.Lock, // copy
	_ reciprocating.Lock, // copy
) {
}

func words(
	_ primitives.Uint32, // copy
	_ primitives.Uint64, // copy
	_ primitives.Int64, // copy
	_ primitives.Bool, // copy
	_ primitives.Pointer[int], // copy
	_ primitives.Parker, // copy
	_ primitives.PerCPU[int], // copy
) {
}

var (
	_ = locks
	_ = words
)
