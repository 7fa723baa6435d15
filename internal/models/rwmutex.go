package models

import "github.com/lockbench/lockbench/primitives"

// An RWMutex is a model of [sync.RWMutex]: readers count themselves in one word, and a
// writer shuts them out by taking a large number from it. So readers that come while a
// writer waits wait behind it, and its Unlock lets them all in before the next writer.
//
// [NewRWMutex] makes one. An RWMutex must not be copied after first use.
//
// The n'th call to [RWMutex.Unlock] synchronizes before the return of the m'th successful
// call to a form of Lock, for n < m; and for each successful call to a form of RLock there
// is an n such that the n'th call to Unlock synchronizes before its return, and that of
// RUnlock before the return of the n+1'th form of Lock.
type RWMutex struct {
	writers Mutex // held by the writer that has it, or is next

	toWrite, toRead sema // on which the writer, and readers, sleep

	// readers is how many readers hold it or wait for it, and less maxReaders while a
	// writer holds it or is next: then it is negative, as a signed number.
	readers primitives.Uint32

	// departing is how many readers a writer still waits for. Some may have left before it
	// counted them, so it may be negative, as a signed number.
	departing primitives.Uint32
}

// maxReaders is more than how many readers there can be.
const maxReaders = 1 << 30

// NewRWMutex returns an RWMutex that is not locked.
func NewRWMutex() *RWMutex {
	m := new(RWMutex)
	for _, s := range []*sema{&m.writers.sema, &m.toWrite, &m.toRead} {
		s.queue = new(queue)
	}
	return m
}

// RLock locks m for reading, and waits until no writer holds it or has come before.
func (m *RWMutex) RLock() {
	if int32(m.readers.Add(1)) < 0 { // acquire: pairs with Unlock
		m.toRead.acquire(false)
	}
}

// TryRLock tries to lock m for reading without waiting and reports whether it succeeded.
func (m *RWMutex) TryRLock() bool {
	for {
		n := m.readers.Load()
		if int32(n) < 0 {
			return false
		}
		if m.readers.CompareAndSwap(n, n+1) { // acquire: pairs with Unlock
			return true
		}
	}
}

// RUnlock undoes one RLock. It panics if m is not locked for reading; Go's ends the
// process.
func (m *RWMutex) RUnlock() {
	n := int32(m.readers.Add(minusOne)) // release: pairs with Lock
	if n >= 0 {
		return
	}
	if n+1 == 0 || n+1 == -maxReaders {
		panic("models: RUnlock of unlocked RWMutex")
	}
	if m.departing.Add(minusOne) == 0 { // the last of those for which the writer waits
		m.toWrite.give(false)
	}
}

// Lock locks m for writing, and waits until no other holds it.
func (m *RWMutex) Lock() {
	m.writers.Lock()
	shut := uint32(0)
	shut -= maxReaders
	inside := m.readers.Add(shut) + maxReaders // acquire: pairs with RUnlock
	if inside != 0 && m.departing.Add(inside) != 0 {
		m.toWrite.acquire(false)
	}
}

// TryLock tries to lock m for writing without waiting and reports whether it succeeded.
func (m *RWMutex) TryLock() bool {
	if !m.writers.TryLock() {
		return false
	}
	shut := uint32(0)
	shut -= maxReaders
	if !m.readers.CompareAndSwap(0, shut) { // acquire: pairs with RUnlock
		m.writers.Unlock()
		return false
	}
	return true
}

// Unlock unlocks m, which is locked for writing, and lets the readers in that wait. It
// panics if m is not locked for writing; Go's ends the process.
func (m *RWMutex) Unlock() {
	n := m.readers.Add(maxReaders) // release: pairs with RLock
	if n >= maxReaders {
		panic("models: Unlock of unlocked RWMutex")
	}
	for range n {
		m.toRead.give(false)
	}
	m.writers.Unlock()
}
