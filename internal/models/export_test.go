package models

import "time"

// Starve makes a waiter of a Mutex starving after d, until restore is called.
func Starve(d time.Duration) (restore func()) {
	was := starves
	starves = d
	return func() { starves = was }
}

// Waiters returns how many waiters m counts, and whether it is starving.
func (m *Mutex) Waiters() (n int, isStarving bool) {
	s := m.state.Load()
	return int(s >> waitersShift), s&starving != 0
}

// Asleep returns how many goroutines are in m's queue, or will be before any other.
func (m *Mutex) Asleep() int { return int(m.sema.queue.waiting.Load()) }

// TryRead reports whether a reader would get in, without a trace.
func (m *RWMutex) TryRead() bool { return int32(m.readers.Load()) >= 0 }

// Readers returns how many readers m counts.
func (m *RWMutex) Readers() int { return int(m.readers.Load() % maxReaders) }

// Queued returns how many writers wait behind the one that has m or is next.
func (m *RWMutex) Queued() int {
	n, _ := m.writers.Waiters()
	return n
}
