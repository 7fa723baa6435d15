// Package rwlock implements spinning reader-writer locks: any number of readers hold
// one together, or one writer holds it alone. They differ in whether readers or writers
// go first and in what readers share.
//
//	ReaderPref   a count of readers in one word; WRITERS CAN STARVE
//	Queued       the kernel's qrwlock: the same word, and a queue; fair
//	Upgradable   Queued, and one reader at a time may become the writer
//	PhaseFair    readers and writers take turns; a reader waits for one writer
//	             at most, whatever the queue
//	Distributed  a count of readers for each CPU: readers share nothing, and
//	             writers look at every CPU
//	Biased       reads like Distributed for as long as that pays, and otherwise
//	             is one of the others
//
// They have 4, 8, 12, 32, 24 and 128 bytes; the last two also have 160 for each CPU. A
// goroutine in a queue takes one of the waiters that package mcs describes.
//
// In the first four each reader writes the lock's word, so readers that
// overlap pass a cache line around and do not scale; the words are small and
// writers are cheap. In the last two readers scale, and writers pay for it.
//
// All have the method set of sync.RWMutex. Readers need no token: an RUnlock may
// come from another goroutine, and from another CPU, than its RLock. A reader
// must not ask for the lock again: with a writer that waits in between, that is a
// deadlock (not with ReaderPref). Waiters yield when goroutines outnumber CPUs,
// and waiters in a queue park.
//
// # Pinned sections
//
// The pinned forms disable preemption from lock to unlock, for readers and
// writers alike, as the kernel's read_lock and write_lock do. The rules are
// the kernel's too:
//
//   - NOTHING IN A PINNED SECTION MAY BLOCK: no channel, no sync.Mutex, no
//     I/O, nothing long. A panic in a pinned section ends the program.
//   - A lock is used pinned by all or by none: a pinned waiter keeps its CPU,
//     and a holder that can be preempted may need it.
//   - A pinned section ends in the goroutine that began it.
//   - Lock, Unlock, RLock and RUnlock may yield, which no pinned section may: the
//     runtime ends the program. There only the Tries and the pinned methods will do.
package rwlock

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
)

// Lock is the method set of all locks of this package. For each of them, the
// n'th call to Unlock synchronizes before the return of the m'th call to Lock,
// for n < m; and for any call to RLock there is an n such that the n'th call
// to Unlock synchronizes before its return, and the RUnlock that ends it
// synchronizes before the return of the n+1'th call to Lock. A failed Try
// synchronizes nothing.
type Lock interface {
	sync.Locker // for writing

	// A Try does not wait; it reports whether it acquired the lock.
	TryLock() bool
	RLock()
	TryRLock() bool
	RUnlock()

	// The pinned forms also disable preemption, until the section ends; see the
	// package comment. A Try that fails leaves preemption as it was.
	LockPinned()
	TryLockPinned() bool
	UnlockPinned()
	RLockPinned()
	TryRLockPinned() bool
	RUnlockPinned()

	// RLocker returns a Locker whose Lock and Unlock are RLock and RUnlock.
	RLocker() sync.Locker

	// String says how the lock is held, for diagnosis.
	String() string
}

// A reader is the Locker that RLocker returns.
type reader struct{ l Lock }

func (r reader) Lock()   { r.l.RLock() }
func (r reader) Unlock() { r.l.RUnlock() }

// A queue has the waiters that the lock's word turned away, in the order of
// arrival. Only its head looks at the word.
type queue struct{ lock qspinlock.Lock }

func (q *queue) enter(pinned bool) {
	if pinned {
		q.lock.LockPinned()
	} else {
		q.lock.Lock()
	}
}

// leave makes the next in line the head. It does not give way to it, as
// qspinlock's Unlock would: the caller leaves because it now holds the rwlock,
// and giving up the CPU would make all others wait for longer.
func (q *queue) leave(pinned bool) {
	if pinned {
		q.lock.UnlockPinned()
	} else {
		quietly(&q.lock)
	}
}

// quietly unlocks l without giving way to another goroutine. It is for a caller
// that has more to do, or that may be pinned, which makes a yield fatal.
func quietly(l interface{ UnlockPinned() }) {
	primitives.Pin()
	l.UnlockPinned()
}
