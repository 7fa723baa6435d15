package catalog

import (
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/reciprocating"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

// The pinned form of each lock: preemption is off from Lock to Unlock. One generic type
// would suffice for all, but it would call the lock through a dictionary, while a plain
// lock is called directly.
type (
	pinnedTAS           struct{ spinlock.TAS }
	pinnedTTAS          struct{ spinlock.TTAS }
	pinnedBackoff       struct{ spinlock.Backoff }
	pinnedTicket        struct{ ticketLock }
	pinnedProportional  struct{ ticket.Proportional }
	pinnedMCS           struct{ mcsLock }
	pinnedCLH           struct{ mcs.CLH }
	pinnedCNA           struct{ mcs.CNA }
	pinnedReciprocating struct{ reciprocatingLock }
	pinnedQspinlock     struct{ qspinLock }
)

// An embedded field called Lock would hide the method.
type (
	ticketLock        = ticket.Lock
	mcsLock           = mcs.Lock
	reciprocatingLock = reciprocating.Lock
	qspinLock         = qspinlock.Lock
)

func (l *pinnedTAS) Lock()         { l.LockPinned() }
func (l *pinnedTAS) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedTAS) Unlock()       { l.UnlockPinned() }

func (l *pinnedTTAS) Lock()         { l.LockPinned() }
func (l *pinnedTTAS) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedTTAS) Unlock()       { l.UnlockPinned() }

func (l *pinnedBackoff) Lock()         { l.LockPinned() }
func (l *pinnedBackoff) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedBackoff) Unlock()       { l.UnlockPinned() }

func (l *pinnedTicket) Lock()         { l.LockPinned() }
func (l *pinnedTicket) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedTicket) Unlock()       { l.UnlockPinned() }

func (l *pinnedProportional) Lock()         { l.LockPinned() }
func (l *pinnedProportional) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedProportional) Unlock()       { l.UnlockPinned() }

func (l *pinnedMCS) Lock()         { l.LockPinned() }
func (l *pinnedMCS) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedMCS) Unlock()       { l.UnlockPinned() }

func (l *pinnedCLH) Lock()         { l.LockPinned() }
func (l *pinnedCLH) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedCLH) Unlock()       { l.UnlockPinned() }

func (l *pinnedCNA) Lock()         { l.LockPinned() }
func (l *pinnedCNA) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedCNA) Unlock()       { l.UnlockPinned() }

func (l *pinnedReciprocating) Lock()         { l.LockPinned() }
func (l *pinnedReciprocating) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedReciprocating) Unlock()       { l.UnlockPinned() }

func (l *pinnedQspinlock) Lock()         { l.LockPinned() }
func (l *pinnedQspinlock) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedQspinlock) Unlock()       { l.UnlockPinned() }
