package rwlock

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
)

// A PhaseFair alternates phases of readers and of writers while both want it.
// When a writer leaves, all readers that wait go in, even if more writers were
// in line before them; then one writer goes in. So, whatever the load, a reader
// waits for one writer at most, and a writer for the writers ahead of it and one
// phase of readers for each. It is the lock for bounded waits. The zero PhaseFair
// is unlocked. A PhaseFair must not be copied after first use.
//
// The source is PF-T of Brandenburg and Anderson, "Spin-based reader-writer
// synchronization for multiprocessor real-time systems" (2010), with a
// qspinlock in place of its writers' tickets: they can park.
type PhaseFair struct {
	// in counts the readers that came and out those that left, both in bits 8–63:
	// in would run over only after 2⁵⁶ readers. The low byte of in is the writer's:
	//
	//	0                  no writer: readers go in
	//	present            one is inside or waits for readers; readers wait
	//	present|oddPhase   the same, one writer later
	//
	// I1: out never passes in; in == out while no reader is inside or waits.
	// I2: only the holder of writers writes in's low byte, and turn.
	// I3: two writers that follow each other differ in oddPhase. A reader waits
	// until the byte is not what it saw, and may miss the moment when it is 0. If
	// the byte could then be the same again, the reader and the writer would wait
	// for each other: a deadlock.
	in, out primitives.Uint64

	// turn is the value of in after the last writer announced itself: how many
	// readers came before that writer, and its phase.
	turn primitives.Uint64

	// writers puts writers in line. Its holder writes, or is next.
	writers qspinlock.Lock
}

const (
	oneArrival = 1 << 8
	lowByte    = oneArrival - 1
	present    = 2
	oddPhase   = 1
)

// RLock locks l for reading, waiting for at most one writer.
func (l *PhaseFair) RLock() {
	if in := l.in.Add(oneArrival); in&lowByte != 0 { // acquire: pairs with phase
		l.rwait(in, false)
	}
}

// RLockPinned locks l for reading and disables preemption until
// [PhaseFair.RUnlockPinned].
func (l *PhaseFair) RLockPinned() {
	primitives.Pin()
	if in := l.in.Add(oneArrival); in&lowByte != 0 { // acquire: pairs with phase
		l.rwait(in, true)
	}
}

// rwait waits for the end of the writer's phase that in, as the caller saw it,
// shows.
//
//go:noinline
func (l *PhaseFair) rwait(in uint64, pinned bool) {
	spin := primitives.Spin{InLine: true, Pinned: pinned}
	for l.in.Load()&lowByte == in&lowByte { // acquire: pairs with phase; by I3
		spin.Once()
	}
}

// TryRLock tries to lock l for reading without waiting and reports whether it
// succeeded. It fails while a writer holds the lock, or is next.
func (l *PhaseFair) TryRLock() bool {
	for {
		in := l.in.Load()
		if in&lowByte != 0 {
			return false
		}
		if l.in.CompareAndSwap(in, in+oneArrival) { // acquire: pairs with phase
			return true
		}
	}
}

// TryRLockPinned is [PhaseFair.TryRLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *PhaseFair) TryRLockPinned() bool { return pinnedIf(l.TryRLock) }

// RUnlock ends a read section. It panics if no reader is inside.
func (l *PhaseFair) RUnlock() {
	l.check()
	out := l.out.Add(oneArrival) // release (departure)
	if l.in.Load()&lowByte != 0 {
		l.left(out)
	}
}

// left is the end of RUnlock if there is a writer.
func (l *PhaseFair) left(out uint64) {
	if out == l.turn.Load()&^lowByte { // this was the last reader: the writer goes in
		primitives.GiveWay()
	}
}

// RUnlockPinned ends a pinned read section and enables preemption again. It panics if no
// reader is inside, which ends the program if preemption is off.
func (l *PhaseFair) RUnlockPinned() {
	l.check()
	l.out.Add(oneArrival) // release (departure)
	primitives.Unpin()
}

// check panics if no reader is inside. It loads out before in: a reader that is
// inside keeps in ahead of the loaded out, by I1, however much time passes between
// the two loads.
func (l *PhaseFair) check() {
	if out := l.out.Load(); l.in.Load()&^lowByte == out {
		panic("rwlock: RUnlock of unlocked PhaseFair")
	}
}

// Lock locks l for writing, waiting behind the writers already in line.
func (l *PhaseFair) Lock() {
	l.writers.Lock()
	l.wait(primitives.Spin{InLine: true})
}

// LockPinned locks l for writing and disables preemption until
// [PhaseFair.UnlockPinned].
func (l *PhaseFair) LockPinned() {
	l.writers.LockPinned()
	l.wait(primitives.Spin{InLine: true, Pinned: true})
}

// wait ends the readers' phase.
func (l *PhaseFair) wait(spin primitives.Spin) {
	turn := l.in.Add(l.nextPhase()) // from here on readers wait
	l.turn.StoreRelease(turn)
	for l.out.Load() != turn&^lowByte { // acquire: pairs with departure
		spin.Once()
	}
}

// nextPhase returns the low byte for the writer that comes now: I3.
func (l *PhaseFair) nextPhase() uint64 { return present | ^l.turn.Load()&oddPhase }

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded.
func (l *PhaseFair) TryLock() bool {
	// Look first: holding writers keeps other writers out.
	if l.out.Load() != l.in.Load() || !l.writers.TryLock() {
		return false
	}
	if l.tryPhase() {
		return true
	}
	quietly(&l.writers)
	return false
}

// tryPhase begins a writer's phase if no reader is inside, and reports whether it
// did. If it did not, turn stays as it is: otherwise two writers in a row would
// have the same phase, against I3.
func (l *PhaseFair) tryPhase() bool {
	out := l.out.Load() // acquire: pairs with departure
	turn := out + l.nextPhase()
	if !l.in.CompareAndSwap(out, turn) { // if in still equals the loaded out, no reader is inside, by I1
		return false
	}
	l.turn.StoreRelease(turn)
	return true
}

// TryLockPinned is [PhaseFair.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *PhaseFair) TryLockPinned() bool { return pinnedIf(l.TryLock) }

// Unlock ends a write section. It panics if no writer is inside.
func (l *PhaseFair) Unlock() {
	l.readersPhase()
	l.writers.Unlock() // release: to the next writer
}

// UnlockPinned ends a pinned write section and enables preemption again. It panics if no
// writer is inside, which ends the program if preemption is off.
func (l *PhaseFair) UnlockPinned() {
	l.readersPhase()
	l.writers.UnlockPinned() // release: to the next writer
}

func (l *PhaseFair) readersPhase() {
	if l.in.Load()&lowByte == 0 {
		panic("rwlock: Unlock of unlocked PhaseFair")
	}
	l.in.ClearLowByteRelease() // release (phase); the caller may write the byte, by I2
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *PhaseFair) RLocker() sync.Locker { return reader{l} }

// String says how l is held and whether a writer waits, for diagnosis.
func (l *PhaseFair) String() string {
	out, turn := l.out.Load(), l.turn.Load()
	in := l.in.Load() // after out, so that the difference is not negative, by I1
	s := State{Readers: int((in&^lowByte - out) / oneArrival)}
	if in&lowByte != 0 {
		s.Waiting = out != turn&^lowByte
		s.Writer = !s.Waiting
	}
	return s.String()
}
