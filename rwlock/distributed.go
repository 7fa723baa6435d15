package rwlock

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// A Distributed is a big-reader lock: it counts readers for each CPU, so that
// a reader writes to lines of its own CPU only and readers scale. A writer
// turns readers away and then looks at every CPU that ever read. It has what
// sync.RWMutex has, and no token to carry: RLock and RUnlock may run on
// different CPUs. It is fair as [Queued] is: whoever is turned away stands in
// line. The zero Distributed is unlocked.
// A Distributed must not be copied after first use.
//
// Readers who are turned away again and again stay away for some microseconds:
// where reads and writes are dense that gives each CPU the lines for a while.
//
// Its price is memory, 160 bytes for each CPU besides its own 24, and the
// writer's walk: a line fetched from each CPU. An RUnlock too many cannot be
// seen when it happens: the next Lock or TryLock that finds no reader inside
// panics. If there are readers, one of them passes for gone; if a writer is
// let in beside it, that reader's RUnlock panics.
//
// The sources are the brlock of Linux 2.4 and percpu_rwsem of today's.
type Distributed struct {
	// gate is the gate of readers. They read it and what follows, and write
	// neither.
	//
	//	open    readers go in
	//	shut    a writer waits for readers to leave
	//	locked  a writer is inside
	//
	// I3: only who holds queue writes gate.
	// I4: while it is locked no reader is inside, so each RUnlock is one too many, or
	// follows one that was.
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

// RLock locks l for reading.
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

// rwait is for a reader that met a shut gate. It gets in line at last, so it is
// not held up for long by staying away.
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
	// Look first: to count in and out takes the line from the writer who reads
	// it, and back. It is enter's look that matters.
	return l.gate.Load() == open && l.readers.enter(&l.gate, open)
}

// TryRLockPinned is [Distributed.TryRLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Distributed) TryRLockPinned() bool { return pinnedIf(l.TryRLock) }

// RUnlock ends a read section, on whatever CPU.
func (l *Distributed) RUnlock() {
	gate := l.gate.Load() // before we are counted out: then I4 has us in mind, too
	if gate == locked {
		l.noReader()
	}
	l.readers.depart() // release: pairs with Lock
	if gate != open {
		primitives.GiveWay() // to the writer that waits for us
	}
}

// RUnlockPinned ends a pinned read section and enables preemption again.
func (l *Distributed) RUnlockPinned() {
	if l.gate.Load() == locked {
		l.noReader()
	}
	l.readers.depart() // release: pairs with Lock
	primitives.Unpin()
}

// noReader is for an RUnlock beside a writer.
func (l *Distributed) noReader() {
	panic("rwlock: RUnlock of write-locked Distributed: more RUnlocks than RLocks")
}

// Lock locks l for writing. It panics if a reader has left that never came.
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

// wait shuts the gate and waits for the readers who came through it. It reports
// false if a reader has left that never came.
func (l *Distributed) wait(spin primitives.Spin) bool {
	l.gate.Store(shut)             // full: relies on SC, see counts
	_, ok := l.readers.drain(spin) // acquire: pairs with departure
	l.gate.StoreRelease(locked)    // by I4
	return ok
}

// distributedNeverCame is what a writer panics with that finds a reader too many gone.
const distributedNeverCame = "rwlock: RUnlock of unlocked Distributed"

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded. It panics if a reader has left that never came.
func (l *Distributed) TryLock() bool { return orPanic(l.try()) }

// TryLockPinned is [Distributed.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Distributed) TryLockPinned() bool { return orPanic(pinnedTry(l.try)) }

// try is TryLock, and says what is wrong if a reader has left that never came. The
// caller may be pinned.
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
	if inside < 0 && !l.wait(primitives.Spin{Pinned: true}) {
		wrong = distributedNeverCame
	}
	l.gate.StoreRelease(open) // release: pairs with TryRLock; by I3
	quietly(&l.queue.lock)
	return false, wrong
}

// Unlock ends a write section. It panics if nobody writes.
func (l *Distributed) Unlock() {
	l.letIn()
	l.queue.lock.Unlock() // release: to the next in line
}

// UnlockPinned ends a pinned write section and enables preemption again.
func (l *Distributed) UnlockPinned() {
	l.letIn()
	l.queue.lock.UnlockPinned() // release: to the next in line
}

// letIn ends a writer's section for readers.
func (l *Distributed) letIn() {
	if l.gate.Load() != locked {
		panic("rwlock: Unlock of unlocked Distributed")
	}
	l.gate.StoreRelease(open) // release: pairs with TryRLock; by I3
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *Distributed) RLocker() sync.Locker { return reader{l} }

// String says who holds l, for diagnosis. The number of readers is a guess
// while they come and go.
func (l *Distributed) String() string {
	_, inside := l.readers.sum()
	gate := l.gate.Load()
	s := State{Writer: gate == locked, Waiting: gate == shut, Readers: int(max(inside, 0))}
	return s.String()
}
