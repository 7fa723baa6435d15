package seqlock

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Lock is a sequence lock: a [Count] and the lock among its writers. It has 16
// bytes. The zero Lock is unlocked. A Lock must not be copied after first use.
//
// Readers hold nothing. They use [Lock.Read], or Begin and Retry as with a
// Count, and they read only atomic words; see the package comment.
//
// The n'th call to [Lock.Unlock] synchronizes before the return of the m'th
// call to [Lock.Lock], for n < m, and before the reads that come after it.
// A failed TryLock synchronizes nothing.
type Lock struct {
	// Tries is how often [Lock.Read] runs its function, or finds a writer writing,
	// before it keeps writers out and runs it undisturbed: 0 means [DefaultTries],
	// and with a negative number it never keeps writers out. Set it before first
	// use.
	Tries int32

	// I1: seq is odd exactly while a writer holds guard, except for moments within
	// Lock and Unlock.
	guard guard
	seq   primitives.Uint64
}

// DefaultTries is how often a read is tried before it keeps writers out, if Tries
// is 0: about a microsecond, with the pauses between the tries.
const DefaultTries = 8

// patient reports whether a reader that has failed n times tries again.
func patient(n, tries int32) bool {
	if tries == 0 {
		tries = DefaultTries
	}
	return tries < 0 || n < tries
}

// Lock locks l for writing, spinning until it is free. Until Unlock readers
// wait.
func (l *Lock) Lock() {
	l.guard.lock()
	advance(&l.seq) // even -> odd; pairs with Retry
}

// TryLock tries to lock l without waiting and reports whether it succeeded.
func (l *Lock) TryLock() bool {
	if !l.guard.tryLock() {
		return false
	}
	advance(&l.seq) // even -> odd; pairs with Retry
	return true
}

// Unlock unlocks l. It panics if l is not locked.
func (l *Lock) Unlock() {
	if l.seq.Load()&1 == 0 { // by I1
		panic("seqlock: Unlock of unlocked Lock")
	}
	advance(&l.seq) // odd -> even; release: publishes the words to Begin and Read
	l.guard.unlock()
}

// LockPinned locks l and disables preemption until [Lock.UnlockPinned], so
// that no reader waits for a writer that has lost its CPU. Nothing in the
// critical section may block, and preemption must not be off already, nor be
// enabled before UnlockPinned; see the package comment.
func (l *Lock) LockPinned() {
	l.guard.lockPinned()
	advance(&l.seq) // even -> odd; pairs with Retry
}

// TryLockPinned is [Lock.TryLock] for pinned sections: preemption is disabled
// if it succeeded.
func (l *Lock) TryLockPinned() bool {
	primitives.Pin()
	if !l.guard.tryLockPinned() {
		primitives.Unpin()
		return false
	}
	advance(&l.seq) // even -> odd; pairs with Retry
	return true
}

// UnlockPinned unlocks l and enables preemption again. It panics if l is not locked,
// which ends the program if preemption is off.
func (l *Lock) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// Begin begins a read; see [Count.Begin]. If writers keep coming, a loop of Begin
// and Retry may not end; [Lock.Read] does end.
func (l *Lock) Begin() (seq uint64) {
	if seq = l.seq.Load(); seq&1 != 0 { // acquire: pairs with Unlock
		return l.await() // outlined so that Begin inlines; it just fits
	}
	return
}

//go:noinline
func (l *Lock) await() uint64 { return await(&l.seq) }

// Retry reports whether a writer has written since Begin returned seq, so that the
// caller must discard what it read.
func (l *Lock) Retry(seq uint64) bool { return l.seq.Load() != seq } // pairs with Lock

// Read runs f until no writer disturbed it, at least once. In its last run f sees
// the words as they were at one moment; earlier runs must have no effect. So f
// reads atomic words, sets variables of its caller, and does nothing else.
//
// After l.Tries disturbed runs Read keeps writers out and runs f once more; only
// then does it write to the lock. Before that run it waits for at most one
// critical section. It panics if 2²³ - 1 readers keep writers out already.
func (l *Lock) Read(f func()) {
	var spin primitives.Spin
	for n := int32(0); patient(n, l.Tries); n++ {
		// Not Begin: if writers follow close on each other it might always find one
		// writing, and not return.
		if seq := l.seq.Load(); seq&1 == 0 { // acquire: pairs with Unlock
			f()
			if !l.Retry(seq) {
				return
			}
		}
		spin.Once()
	}
	l.guard.share()
	defer l.guard.unshare() // f may panic
	f()
}

// String says whether l is locked, and what its sequence is, for diagnosis.
func (l *Lock) String() string {
	word, seq := l.guard.word.Load(), l.seq.Load()
	readers := word / reader
	switch {
	case word&writer != 0:
		return fmt.Sprintf("locked by a writer, %d readers waiting, sequence %d", readers, seq)
	case readers != 0:
		return fmt.Sprintf("locked by %d readers, sequence %d", readers, seq)
	default:
		return fmt.Sprintf("unlocked, sequence %d", seq)
	}
}
