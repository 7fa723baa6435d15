package waiter

import (
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/spinlock"
)

// A line has the goroutines that wait for one lock and found no free [Waiter], in
// the order of arrival. Its head looks for a Waiter, and for the lock; the others park.
//
// Each lock has its own line. In a line for several locks a goroutine could be
// behind another that waits for a lock which the first one holds.
type line struct {
	lock uintptr                 // the lock's address; no pointer, so that a lock can be on a stack
	last primitives.Cell[*stand] // the end of the line; guarded by lines.guard
	next *line                   // guarded by lines.guard
}

// lines has the lines that are not empty. They are few: there is none until 65,532
// goroutines wait at a time.
var lines struct {
	guard spinlock.TTAS            // held for a moment, and not by pinned goroutines
	first primitives.Pointer[line] // only the holder of guard writes it
}

// A stand is a goroutine's place in a line.
//
// I1: the stands from the head's to the line's last are linked by next.
type stand struct {
	line *line
	next primitives.Cell[*stand] // the stand behind this one; guarded by lines.guard
	turn primitives.Parker       // wakes the goroutine when it is the head
}

// EnlistFor returns a waiter for a goroutine that waits for the lock at that
// address. The caller calls [Waiter.Arrived] as soon as it has a place in the
// lock's own queue. If the result is nil the caller holds the lock: tryLock has
// succeeded.
//
// While all waiters are taken, goroutines that want one lock get a waiter, or
// the lock, in the order of arrival. A goroutine that spins pinned goes ahead of
// them, because it cannot park.
func EnlistFor(lock uintptr, tryLock func() bool, spin primitives.Spin) *Waiter {
	if spin.Pinned || lines.first.Load() == nil {
		if w := Enlist(); w != nil {
			return w
		}
	}
	if spin.Pinned {
		for !tryLock() {
			spin.Once()
		}
		return nil
	}
	s := new(stand)
	s.join(lock)
	for {
		if w := enlist(near); w != nil {
			w.stand = s
			return w
		}
		if tryLock() {
			s.leave()
			return nil
		}
		spin.Once()
	}
}

// join puts s at the end of the lock's line, and returns when it is the head.
func (s *stand) join(lock uintptr) {
	lines.guard.Lock()
	l := lines.first.Load()
	for l != nil && l.lock != lock {
		l = l.next
	}
	if l == nil {
		l = &line{lock: lock, next: lines.first.Load()}
		lines.first.Store(l)
	}
	s.line = l
	before := l.last.Get()
	l.last.Set(s)
	if before != nil {
		before.next.Set(s)
	}
	lines.guard.Unlock()
	if before != nil {
		s.turn.Await(primitives.Spin{InLine: true}) // acquire: pairs with head
	}
}

// leave takes s, the head, out of its line, makes the next one the head, and removes a
// line that is empty.
func (s *stand) leave() {
	lines.guard.Lock()
	next := s.next.Get()
	if next == nil { // by I1 it is the last
		s.line.remove()
	}
	lines.guard.Unlock()
	if next != nil {
		next.turn.Handoff() // release (head): pairs with join
	}
}

// remove takes l out of lines. The caller holds guard.
func (l *line) remove() {
	before := lines.first.Load()
	if before == l {
		lines.first.Store(l.next)
		return
	}
	for before.next != l {
		before = before.next
	}
	before.next = l.next
}

// Arrived says that w has a place in the queue of the lock for which it was
// enlisted, so that the next goroutine may get in that queue behind it.
func (w *Waiter) Arrived() {
	if s := w.stand; s != nil {
		w.stand = nil
		s.leave()
	}
}
