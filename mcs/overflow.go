package mcs

import "github.com/lockbench/lockbench/primitives"

// A line has the goroutines that wait for one lock and found no free [Waiter], in
// the order of arrival. Its head looks for a Waiter, and for the lock.
//
// Each lock has its own line. In a line for several locks a goroutine could be
// behind another that waits for a lock which the first one holds.
type line struct {
	lock  uintptr              // the lock's address; no pointer, so that a lock can be on a stack
	queue Queue                // held by the head
	users primitives.Cell[int] // goroutines that are in the line; guarded by lines.guard
	next  *line                // guarded by lines.guard
}

// lines has the lines that are not empty. They are few: there is none until 65,532
// goroutines wait at a time.
var lines struct {
	guard Queue
	first primitives.Pointer[line] // only the holder of guard writes it
}

// A stand is a goroutine's place in a line.
type stand struct {
	line *line
	node Node // in the line's queue, and before and after that in lines.guard
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
	lines.guard.Lock(&s.node)
	l := lines.first.Load()
	for l != nil && l.lock != lock {
		l = l.next
	}
	if l == nil {
		l = &line{lock: lock, next: lines.first.Load()}
		lines.first.Store(l)
	}
	l.users.Set(l.users.Get() + 1)
	lines.guard.Unlock(&s.node)
	s.line = l
	l.queue.Lock(&s.node)
}

// leave takes s, the head, out of its line, and removes a line that is empty.
func (s *stand) leave() {
	s.line.queue.Unlock(&s.node)
	lines.guard.Lock(&s.node)
	users := s.line.users.Get() - 1
	if s.line.users.Set(users); users == 0 {
		if l := lines.first.Load(); l == s.line {
			lines.first.Store(l.next)
		} else {
			for l.next != s.line {
				l = l.next
			}
			l.next = s.line.next
		}
	}
	lines.guard.Unlock(&s.node)
}

// Arrived says that w has a place in the queue of the lock for which it was
// enlisted, so that the next goroutine may get in that queue behind it.
func (w *Waiter) Arrived() {
	if s := w.stand; s != nil {
		w.stand = nil
		s.leave()
	}
}
