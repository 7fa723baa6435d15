package rwlock

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// A ReaderPref is the classic reader-writer lock: a count of readers and a
// flag, in four bytes. A reader waits for a writer that is inside and for
// nothing else, so a goroutine may even read within a read section.
//
// WRITERS CAN STARVE: a writer gets in only when it finds no reader inside, and
// while readers overlap there is always one. Use it where readers leave gaps.
//
// It has room for 4,194,303 readers, including readers that wait: one more
// panics. The zero ReaderPref is unlocked. A ReaderPref must not be copied after
// first use.
//
// The source is Courtois, Heymans and Parnas, "Concurrent control with 'readers' and
// 'writers'" (1971), in the form of Linux before 3.16.
type ReaderPref struct{ word }

// RLock locks l for reading, waiting for a writer that is inside. It panics if the lock
// has 4,194,303 readers.
func (l *ReaderPref) RLock() {
	if l.word.word.Add(oneReader)&(writer|wrapped) != 0 { // n,0,* -> n+1,0,*; acquire: pairs with Unlock
		l.rwait(false) // outlined so that RLock inlines
	}
}

// RLockPinned locks l for reading and disables preemption until RUnlockPinned.
func (l *ReaderPref) RLockPinned() {
	primitives.Pin()
	if l.word.word.Add(oneReader)&(writer|wrapped) != 0 { // n,0,* -> n+1,0,*; acquire: pairs with Unlock
		l.rwait(true)
	}
}

// rwait waits for the writer that is inside. The caller is counted already,
// so no other writer can come in after that one.
//
//go:noinline
func (l *ReaderPref) rwait(pinned bool) {
	spin := primitives.Spin{InLine: true, Pinned: pinned}
	w := l.word.word.Load() // acquire: pairs with Unlock
	for l.checkCame(w, pinned); w&writer != 0; w = l.word.word.Load() {
		spin.Once()
	}
}

// RUnlock ends a read section. It panics if no reader is inside.
func (l *ReaderPref) RUnlock() {
	if w := l.word.word.Add(lessOne); w&wrapped != 0 { // n,0,0 -> n-1,0,0; release: pairs with Lock
		l.checkLeft(w)
	}
}

// Lock locks l for writing, waiting until it finds no reader and no writer inside.
func (l *ReaderPref) Lock() {
	if !l.TryLock() {
		l.wait(primitives.Spin{}) // outlined so that Lock inlines
	}
}

// LockPinned locks l for writing and disables preemption until UnlockPinned.
func (l *ReaderPref) LockPinned() {
	primitives.Pin()
	if !l.TryLock() {
		l.wait(primitives.Spin{Pinned: true})
	}
}

func (l *ReaderPref) wait(spin primitives.Spin) {
	for {
		for l.word.word.Load() != 0 {
			spin.Once()
		}
		if l.TryLock() {
			return
		}
	}
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *ReaderPref) RLocker() sync.Locker { return reader{l} }
