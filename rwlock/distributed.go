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
// seen when it happens; it is the next Lock or TryLock that panics.
//
// The sources are the brlock of Linux 2.4 and percpu_rwsem of today's.
type Distributed struct {
	// gate is 1 while a writer holds the lock or waits for readers to leave.
	// Readers read it and what follows, and write neither.
	//
	// I3: only who holds queue writes gate.
	gate primitives.Uint32

	// queue holds writers, from Lock to Unlock, and readers that met a shut
	// gate, until they are counted.
	queue queue

	readers counts // see there for I1 and I2
}

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
	l.readers.stayAway(&l.gate, 0, pinned)
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
	return l.gate.Load() == 0 && l.readers.enter(&l.gate, 0)
}

// TryRLockPinned is [Distributed.TryRLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Distributed) TryRLockPinned() bool { return pinnedIf(l.TryRLock) }

// RUnlock ends a read section, on whatever CPU.
func (l *Distributed) RUnlock() {
	l.readers.depart() // release: pairs with Lock
	if l.gate.Load() != 0 {
		primitives.GiveWay() // to the writer that may have waited for us
	}
}

// RUnlockPinned ends a pinned read section and enables preemption again.
func (l *Distributed) RUnlockPinned() {
	l.readers.depart() // release: pairs with Lock
	primitives.Unpin()
}

// Lock locks l for writing. It panics if a reader has left that never came.
func (l *Distributed) Lock() {
	l.queue.enter(false)
	l.wait(primitives.Spin{InLine: true})
}

// LockPinned locks l for writing and disables preemption until
// [Distributed.UnlockPinned].
func (l *Distributed) LockPinned() {
	l.queue.enter(true)
	l.wait(primitives.Spin{InLine: true, Pinned: true})
}

func (l *Distributed) wait(spin primitives.Spin) {
	l.gate.Store(1)                          // full: relies on SC, see counts
	if _, ok := l.readers.drain(spin); !ok { // acquire: pairs with departure
		l.Unlock()
		panic("rwlock: RUnlock of unlocked Distributed")
	}
}

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded. It panics if a reader has left that never came.
func (l *Distributed) TryLock() bool {
	if !l.queue.lock.TryLock() {
		return false
	}
	l.gate.Store(1)                        // full: relies on SC, see counts
	switch _, inside := l.readers.sum(); { // acquire: pairs with departure
	case inside == 0:
		return true
	case inside < 0:
		l.wait(primitives.Spin{Pinned: true}) // panics; the caller may be pinned
	}
	l.open()
	quietly(&l.queue.lock)
	return false
}

// TryLockPinned is [Distributed.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Distributed) TryLockPinned() bool { return pinnedIf(l.TryLock) }

// Unlock ends a write section. It panics if nobody writes.
func (l *Distributed) Unlock() {
	l.open()
	l.queue.lock.Unlock() // release: to the next in line
}

// UnlockPinned ends a pinned write section and enables preemption again.
func (l *Distributed) UnlockPinned() {
	l.open()
	l.queue.lock.UnlockPinned() // release: to the next in line
}

func (l *Distributed) open() {
	if l.gate.Load() == 0 {
		panic("rwlock: Unlock of unlocked Distributed")
	}
	l.gate.StoreRelease(0) // release: pairs with TryRLock; by I3
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *Distributed) RLocker() sync.Locker { return reader{l} }

// String says who holds l, for diagnosis. The number of readers is a guess
// while they come and go.
func (l *Distributed) String() string {
	_, inside := l.readers.sum()
	s := State{Readers: int(max(inside, 0))}
	if l.gate.Load() != 0 {
		s.Waiting = inside > 0
		s.Writer = !s.Waiting
	}
	return s.String()
}
