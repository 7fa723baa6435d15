package rwlock

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// A Queued is the kernel's queued reader-writer lock, in eight bytes: the word
// of [ReaderPref], and a queue for the readers and writers that the word turns
// away. It is fair: a goroutine that comes after a waiter does not get in before
// it, except a reader that is counted in the word before the waiter's bit is set.
//
// Readers that follow each other in line go in together. It has room for
// 4,194,303 of them inside: one more panics. The zero Queued is unlocked. A
// Queued must not be copied after first use.
//
// The source is Linux 6.x kernel/locking/qrwlock.c, without its readers in
// interrupts, which may overtake: a goroutine runs in no interrupt.
type Queued struct {
	word // see there for its fields and for I1 and I2

	// queue has the waiters, readers and writers.
	//
	// I3: only the head of the queue sets waiting, and turns it into W.
	queue queue
}

// RLock locks l for reading, waiting in line if a writer holds the lock or
// waits for it. It panics if the lock has 4,194,303 readers.
func (l *Queued) RLock() {
	if l.word.word.Add(oneReader)&(writer|waiting|wrapped) != 0 { // n,0,0 -> n+1,0,0; acquire: pairs with Unlock
		l.rwait(false) // outlined so that RLock inlines
	}
}

// RLockPinned locks l for reading and disables preemption until RUnlockPinned.
func (l *Queued) RLockPinned() {
	primitives.Pin()
	if l.word.word.Add(oneReader)&(writer|waiting|wrapped) != 0 { // n,0,0 -> n+1,0,0; acquire: pairs with Unlock
		l.rwait(true)
	}
}

func (l *Queued) rwait(pinned bool) {
	spin := primitives.Spin{InLine: true, Pinned: pinned}
	if tooMany(l.word.word.Add(lessOne) + oneReader) { // n,*,* -> n-1,*,*: it must wait, or does not fit
		tooManyCame(pinned)
	}
	l.queue.enter(pinned)
	// The caller is the head: no writer waits, by I3, and a writer that is inside
	// will find the caller counted.
	w := l.word.word.Add(oneReader) // n,0,* -> n+1,0,*; acquire: pairs with Unlock
	for w&writer != 0 {
		if w&writer == upgrading { // it waits until it is the only reader
			l.word.word.Add(lessOne) // n,*,U -> n-1,*,U
			for l.word.word.Load()&writer == upgrading {
				spin.Once()
			}
			w = l.word.word.Add(oneReader) // n,0,* -> n+1,0,*; acquire: pairs with Unlock
			continue
		}
		spin.Once()
		w = l.word.word.Load() // acquire: pairs with Unlock
	}
	l.queue.leave(pinned)
	l.checkCame(w, pinned)
}

// RUnlock ends a read section. It panics if no reader is inside.
func (l *Queued) RUnlock() {
	if l.word.word.Add(lessOne)&(wrapped|waiting) != 0 { // n,*,0 -> n-1,*,0; release: pairs with Lock
		l.left() // outlined so that RUnlock inlines
	}
}

// left is the end of RUnlock if a writer is in line, or after misuse.
func (l *Queued) left() {
	w := l.word.word.Load()
	l.checkLeft(w)
	if w == waiting { // this was the last reader: the writer goes in
		primitives.GiveWay()
	}
}

// Lock locks l for writing, waiting in line.
func (l *Queued) Lock() {
	if !l.TryLock() {
		l.wait(false) // outlined so that Lock inlines
	}
}

// LockPinned locks l for writing and disables preemption until UnlockPinned.
func (l *Queued) LockPinned() {
	primitives.Pin()
	if !l.TryLock() {
		l.wait(true)
	}
}

func (l *Queued) wait(pinned bool) {
	spin := primitives.Spin{InLine: true, Pinned: pinned}
	l.queue.enter(pinned)
	if !l.TryLock() {
		l.word.word.Add(waiting) // n,0,* -> n,1,*; by I3 it was 0
		for l.word.word.Load() != waiting ||
			!l.word.word.CompareAndSwap(waiting, writer) { // 0,1,0 -> 0,0,W; acquire: pairs with Unlock and RUnlock
			spin.Once()
		}
	}
	l.queue.leave(pinned)
}

// Unlock ends a write section. It panics if no writer is inside.
func (l *Queued) Unlock() {
	if w := l.word.word.Load(); w != writer {
		l.unlockSlow(w)
		return
	}
	l.word.word.ClearLowByteRelease() // *,*,W -> *,*,0; release: pairs with Lock and RLock; by I1
}

// unlockSlow is Unlock when w shows waiters, or misuse.
func (l *Queued) unlockSlow(w uint32) {
	if w&writer != writer {
		panic("rwlock: Unlock of unlocked lock")
	}
	l.word.word.ClearLowByteRelease() // *,*,W -> *,*,0; release: pairs with Lock and RLock; by I1
	primitives.GiveWay()
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *Queued) RLocker() sync.Locker { return reader{l} }
