package rwlock

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/primitives"
)

// A word is the word of ReaderPref and of Queued, in the kernel's layout,
// written (readers, waiting, writer) here:
//
//	bits 0–7    writer   0xff while a writer holds the lock; 1 while a reader waits until
//	                     it is the only one, to become the writer (Upgradable)
//	bit  8      waiting  1 while a writer waits for readers to leave (Queued)
//	bits 9–31   readers  how many hold the lock, or ask for it just now
//
//	0,0,0   unlocked
//	n,0,0   n readers inside
//	n,1,0   n readers inside; a writer waits, and turns new ones away
//	n,*,U   n readers inside, of which one upgrades, and turns new ones away
//	n,*,W   a writer inside; n readers have asked
//
// I1: only the holder changes writer from W to 0, whatever the other bits are, so
// a store of that byte suffices.
// I2: bit 31 is 0 except for a moment: 4,194,303 readers fit. It is set when
// one more comes, which then counts itself out and panics, and when readers falls
// below 0, which only misuse can do. Bit 30 tells the two apart as long as fewer
// than 2²¹ such readers, or such RUnlocks, come in that moment.
type word struct{ word primitives.Uint32 }

const (
	writer    = 0xff
	upgrading = 1
	waiting   = 1 << 8
	oneReader = 1 << 9
	lessOne   = 1<<32 - oneReader // added, takes one reader away
	wrapped   = 1 << 31           // readers is out of its range
	below     = 3 << 30           // both set: it is below 0
)

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded.
func (l *word) TryLock() bool {
	return l.word.CompareAndSwap(0, writer) // 0,0,0 -> 0,0,W; acquire: pairs with Unlock and RUnlock
}

// TryRLock tries to lock l for reading without waiting and reports whether it
// succeeded. It fails while a writer holds the lock; for a [Queued] it also fails while
// the writer at the head of the queue waits for readers to leave, and for an
// [Upgradable] while a reader upgrades. It panics if the lock has 4,194,303 readers.
func (l *word) TryRLock() bool { return orPanic(l.tryRLock()) }

func (l *word) tryRLock() (got bool, wrong string) {
	for {
		w := l.word.Load()
		if w&(writer|waiting) != 0 {
			return false, ""
		}
		if tooMany(w + oneReader) {
			return false, full
		}
		// An Add, undone if a writer is there, would be quicker, but a TryLock
		// that looks in between would fail without a reason.
		if l.word.CompareAndSwap(w, w+oneReader) { // n,0,0 -> n+1,0,0; acquire: pairs with Unlock
			return true, ""
		}
	}
}

// TryLockPinned is TryLock for pinned sections: preemption is disabled if it
// succeeded.
func (l *word) TryLockPinned() bool { return pinnedIf(l.TryLock) }

// TryRLockPinned is TryRLock for pinned sections: preemption is disabled if
// it succeeded.
func (l *word) TryRLockPinned() bool { return orPanic(pinnedTry(l.tryRLock)) }

// pinnedIf calls try pinned, and leaves the caller pinned if try returns true.
func pinnedIf(try func() bool) bool {
	primitives.Pin()
	if try() {
		return true
	}
	primitives.Unpin()
	return false
}

// pinnedTry is pinnedIf for a try that may find something wrong. In that case it
// unpins the caller, which then panics: no program survives a panic while pinned.
func pinnedTry(try func() (got bool, wrong string)) (got bool, wrong string) {
	primitives.Pin()
	if got, wrong = try(); !got {
		primitives.Unpin()
	}
	return got, wrong
}

// orPanic returns whether a try acquired the lock. It panics if the try found
// something wrong.
func orPanic(got bool, wrong string) bool {
	if wrong != "" {
		panic(wrong)
	}
	return got
}

// RUnlockPinned ends a pinned read section and enables preemption again. It panics if no
// reader is inside, which ends the program if preemption is off.
func (l *word) RUnlockPinned() {
	if w := l.word.Add(lessOne); w&wrapped != 0 { // n,*,* -> n-1,*,*; release: pairs with Lock
		l.checkLeft(w)
	}
	primitives.Unpin()
}

// Unlock ends a write section. It panics if no writer is inside.
func (l *word) Unlock() {
	if l.word.Load()&writer == 0 {
		panic("rwlock: Unlock of unlocked lock")
	}
	l.word.ClearLowByteRelease() // *,*,W -> *,*,0; release: pairs with Lock and RLock; by I1
}

// UnlockPinned ends a pinned write section and enables preemption again. It panics if no
// writer is inside, which ends the program if preemption is off.
func (l *word) UnlockPinned() {
	l.Unlock()
	primitives.Unpin()
}

// full is the panic of a reader that does not fit.
const full = "rwlock: RLock of a lock with 4194303 readers"

// tooMany reports whether the word w has more readers than fit.
func tooMany(w uint32) bool { return w&below == wrapped }

// checkCame panics if w, which the word was at or after the caller's arrival, has
// too many readers; it first takes the caller's count back. Each reader whose
// arrival sets the bit calls it, so the readers that it lets through fit.
func (l *word) checkCame(w uint32, pinned bool) {
	if tooMany(w) {
		l.word.Add(lessOne) // restores I2
		tooManyCame(pinned)
	}
}

// tooManyCame panics for a reader that does not fit. The reader is not counted.
func tooManyCame(pinned bool) {
	if pinned {
		primitives.Unpin()
	}
	panic(full)
}

// checkLeft panics if an RUnlock that made the word w was one too many, and undoes it.
// If another goroutine has undone it, or a reader has come, that RUnlock was the other
// goroutine's, or is the reader's: an Add here would count in a reader that does not exist.
func (l *word) checkLeft(w uint32) {
	for w&below == below { // otherwise the bit was set by readers that do not fit and are on their way out
		if l.word.CompareAndSwap(w, w+oneReader) { // restores I2
			panic("rwlock: RUnlock of unlocked lock")
		}
		w = l.word.Load()
	}
}

// String decodes the word, for diagnosis.
func (l *word) String() string { return Decode(l.word.Load()).String() }

// A State is what the word of a [ReaderPref], a [Queued] or a kernel's
// qrwlock says.
type State struct {
	Word      uint32 // what was decoded
	Writer    bool   // a writer holds the lock
	Waiting   bool   // a writer waits for readers to leave
	Upgrading bool   // a reader of an Upgradable waits for the others to leave
	Readers   int    // how many readers hold the lock, or wait while Writer is true
}

// Decode returns what word says, in the kernel's layout. Decode(0x500) says:
// 2 readers, a writer waits.
func Decode(word uint32) State {
	return State{
		Word:      word,
		Writer:    word&writer > upgrading,
		Waiting:   word&waiting != 0,
		Upgrading: word&writer == upgrading,
		Readers:   int(word / oneReader),
	}
}

// String returns s in words: "2 readers, a writer waits".
func (s State) String() string {
	var says []string
	switch {
	case s.Writer:
		says = append(says, "write-locked")
		if s.Readers > 0 {
			says = append(says, count(s.Readers, "reader waits", "readers wait"))
		}
	case s.Readers > 0:
		says = append(says, count(s.Readers, "reader", "readers"))
	default:
		says = append(says, "unlocked")
	}
	if s.Upgrading {
		says = append(says, "one of them upgrades")
	}
	if s.Waiting {
		says = append(says, "a writer waits")
	}
	return strings.Join(says, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
