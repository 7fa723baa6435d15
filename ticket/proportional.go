package ticket

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Proportional is a ticket lock with proportional backoff: a waiter knows how many
// are ahead of it, and stays away from the cache line for about as long as they will
// take. It helps if critical sections have one length and many CPUs wait. The zero
// Proportional is unlocked.
// A Proportional must not be copied after first use.
//
// It has 8 bytes. The source is Mellor-Crummey and Scott, "Algorithms for scalable
// synchronization on shared-memory multiprocessors" (1991).
//
// The n'th call to [Proportional.Unlock] synchronizes before the return of the
// m'th call to [Proportional.Lock], for n < m. A failed TryLock synchronizes
// nothing.
type Proportional struct {
	lock Lock // with its words and invariants
}

// share is how long a waiter stays away for each other waiter ahead of it:
// a short critical section and a line's travel between near CPUs. The limit keeps a
// waiter of a long queue from staying away for several turns too long.
const (
	share       = 60 * time.Nanosecond
	longestStay = 5 * time.Microsecond
)

// Lock locks l, waiting its turn behind the goroutines already in line.
func (l *Proportional) Lock() {
	ticket := l.lock.next.Add(1) - 1
	if l.lock.owner.Load() != ticket { // acquire: pairs with handoff in Unlock
		l.wait(ticket, primitives.Spin{InLine: true})
	}
}

// LockPinned locks l and disables preemption until [Proportional.UnlockPinned].
// Nothing in the critical section may block; see [Lock.LockPinned].
func (l *Proportional) LockPinned() {
	primitives.Pin()
	ticket := l.lock.next.Add(1) - 1
	if l.lock.owner.Load() != ticket { // acquire: pairs with handoff in Unlock
		l.wait(ticket, primitives.Spin{InLine: true, Pinned: true})
	}
}

func (l *Proportional) wait(ticket uint32, spin primitives.Spin) {
	for {
		switch ahead := ticket - l.lock.owner.Load(); ahead { // acquire: pairs with handoff in Unlock
		case 0:
			return
		case 1: // only the holder
			spin.Once()
		default:
			spin.OnceFor(min(time.Duration(ahead-1)*share, longestStay))
		}
	}
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Proportional) TryLock() bool { return l.lock.TryLock() }

// TryLockPinned is [Proportional.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Proportional) TryLockPinned() bool { return l.lock.TryLockPinned() }

// Unlock unlocks l and hands it to the longest waiter, if there is one.
// It panics if l is not locked.
func (l *Proportional) Unlock() { l.lock.Unlock() }

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Proportional) UnlockPinned() { l.lock.UnlockPinned() }

// String says which ticket is served and how many wait, for diagnosis.
func (l *Proportional) String() string { return l.lock.String() }
