package rwlock

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// A Distributed is a big-reader lock: it counts readers for each CPU, so that
// a reader writes only to cache lines of its own CPU and readers scale. A writer
// turns readers away and then looks at each CPU that ever read. It has the methods
// of sync.RWMutex, and readers carry no token: RLock and RUnlock may run on
// different CPUs. It is fair as [Queued] is: a goroutine that is turned away gets
// in line. The zero Distributed is unlocked.
// A Distributed must not be copied after first use.
//
// Readers that are turned away again and again stay away for some microseconds: where
// reads and writes are dense, each CPU then keeps the cache lines for a while.
//
// Its price is memory, 160 bytes for each CPU and 24 of its own, and the writer's walk,
// which fetches a cache line from each CPU. An RUnlock too many cannot be seen when it
// happens: the next Lock or TryLock that finds no reader inside panics. If there are
// readers, one of them counts as gone; if a writer is let in with it, that reader's
// RUnlock panics.
//
// The sources are Hsieh and Weihl, "Scalable reader-writer locks for parallel systems"
// (1992), the brlock of Linux 2.4 and the percpu_rwsem of today's Linux.
type Distributed struct {
	// gate is the gate of readers. They read it and the fields after it, and write
	// none of them.
	//
	//	open    readers go in
	//	shut    a writer waits for readers to leave
	//	locked  a writer is inside
	//
	// I3: only the holder of queue writes gate.
	// I4: while gate is locked no reader is inside, so an RUnlock then is one too
	// many, or comes after one that was.
	gate primitives.Uint32

	// queue holds writers, from Lock to Unlock, and readers that met a shut
	// gate, until they are counted.
	queue queue

	readers counts // see there for I1 and I2
}

const (
	open = iota
	shut
	locked
)

// RLock locks l for reading, waiting while a writer holds the lock or waits for readers.
func (l *Distributed) RLock() {
	if !l.TryRLock() {
		l.rwait(false)
	}
}

// RLockPinned locks l for reading and disables preemption until
// [Distributed.RUnlockPinned].
func (l *Distributed) RLockPinned() {
	primitives.Pin()
	if !l.TryRLock() {
		l.rwait(true)
	}
}

// rwait locks l for a reader that met a shut gate. The reader stays away once and
// then gets in line, so staying away does not hold it up for long.
func (l *Distributed) rwait(pinned bool) {
	l.readers.stayAway(&l.gate, open, pinned)
	if l.TryRLock() {
		return
	}
	l.queue.enter(pinned)
	l.readers.arrive() // the gate is open, by I3; acquire: pairs with leave in Unlock
	l.queue.leave(pinned)
}

// TryRLock tries to lock l for reading without waiting and reports whether it
// succeeded.
func (l *Distributed) TryRLock() bool {
	// Look first: counting in and out would take the line from the writer that
	// reads it. Only enter's look decides.
	return l.gate.Load() == open && l.readers.enter(&l.gate, open)
}

// TryRLockPinned is [Distributed.TryRLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Distributed) TryRLockPinned() bool { return pinnedIf(l.TryRLock) }

// RUnlock ends a read section. It may run on another CPU than RLock did. It panics if a
// writer is inside; otherwise one too many is noticed by a later Lock or TryLock.
func (l *Distributed) RUnlock() {
	gate := l.gate.Load() // before depart: the caller is still a reader to I4
	if gate == locked {
		l.noReader()
	}
	l.readers.depart() // release: pairs with Lock
	if gate != open {
		primitives.GiveWay() // to the writer that waits for readers
	}
}

// RUnlockPinned ends a pinned read section and enables preemption again. One too many is
// noticed as by [Distributed.RUnlock].
func (l *Distributed) RUnlockPinned() {
	if l.gate.Load() == locked {
		l.noReader()
	}
	l.readers.depart() // release: pairs with Lock
	primitives.Unpin()
}

// noReader panics for an RUnlock while a writer is inside.
func (l *Distributed) noReader() {
	panic("rwlock: RUnlock of write-locked Distributed: more RUnlocks than RLocks")
}

// Lock locks l for writing. It panics if more readers have left than came.
func (l *Distributed) Lock() {
	l.queue.enter(false)
	if !l.wait(primitives.Spin{InLine: true}) {
		l.Unlock()
		panic(distributedNeverCame)
	}
}

// LockPinned locks l for writing and disables preemption until
// [Distributed.UnlockPinned].
func (l *Distributed) LockPinned() {
	l.queue.enter(true)
	if !l.wait(primitives.Spin{InLine: true, Pinned: true}) {
		l.UnlockPinned() // first: no program survives a panic while pinned
		panic(distributedNeverCame)
	}
}

// wait shuts the gate and waits for the readers that came through it. It returns
// false if more readers have left than came.
func (l *Distributed) wait(spin primitives.Spin) bool {
	l.gate.Store(shut)             // full: relies on SC, see counts
	_, ok := l.readers.drain(spin) // acquire: pairs with departure
	l.gate.StoreRelease(locked)    // by I4
	return ok
}

// distributedNeverCame is the panic of a writer that finds an RUnlock too many.
const distributedNeverCame = "rwlock: RUnlock of unlocked Distributed"

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded. It panics if more readers have left than came.
func (l *Distributed) TryLock() bool { return orPanic(l.try()) }

// TryLockPinned is [Distributed.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Distributed) TryLockPinned() bool { return orPanic(pinnedTry(l.try)) }

// try is TryLock, except that it returns what is wrong if more readers have left
// than came. The caller may be pinned.
func (l *Distributed) try() (got bool, wrong string) {
	if !l.queue.lock.TryLock() {
		return false, ""
	}
	l.gate.Store(shut)           // full: relies on SC, see counts
	_, inside := l.readers.sum() // acquire: pairs with departure
	if inside == 0 {
		l.gate.StoreRelease(locked) // by I4
		return true, ""
	}
	if inside < 0 { // an RUnlock too many: wait corrects the counts. The caller may be pinned
		primitives.Pin()
		if !l.wait(primitives.Spin{Pinned: true}) {
			wrong = distributedNeverCame
		}
		primitives.Unpin()
	}
	l.gate.StoreRelease(open) // release: pairs with TryRLock; by I3
	quietly(&l.queue.lock)
	return false, wrong
}

// Unlock ends a write section. It panics if no writer is inside.
func (l *Distributed) Unlock() {
	l.letIn()
	l.queue.lock.Unlock() // release: to the next in line
}

// UnlockPinned ends a pinned write section and enables preemption again. It panics if no
// writer is inside, which ends the program if preemption is off.
func (l *Distributed) UnlockPinned() {
	l.letIn()
	l.queue.lock.UnlockPinned() // release: to the next in line
}

// letIn opens the gate for readers at the end of a write section.
func (l *Distributed) letIn() {
	if l.gate.Load() != locked {
		panic("rwlock: Unlock of unlocked Distributed")
	}
	l.gate.StoreRelease(open) // release: pairs with TryRLock; by I3
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *Distributed) RLocker() sync.Locker { return reader{l} }

// String says how l is held, for diagnosis. The number of readers is approximate
// while they come and go.
func (l *Distributed) String() string {
	_, inside := l.readers.sum()
	gate := l.gate.Load()
	s := State{Writer: gate == locked, Waiting: gate == shut, Readers: int(max(inside, 0))}
	return s.String()
}
