package blocking

import (
	"context"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

// A Mutex is a mutual exclusion lock whose waiters spin while that can pay and
// then park, like the kernel's mutex (Linux kernel/locking/mutex.c). The zero Mutex
// is unlocked. A Mutex must not be copied after first use.
//
// It has 56 bytes, and no owner: one goroutine may lock it and another unlock it. At
// most [MaxWaiting] can be in line.
//
// Parked waiters are served in the order of arrival. Spinning waiters may
// overtake them, but not without bound: once the first in line has been
// overtaken [MaxOvertaken] times, the next Unlock hands the Mutex to it, and no
// other goroutine can take it in between. So a goroutine that parked behind k
// others acquires the Mutex after at most (k+1)·(MaxOvertaken+1) further
// acquisitions, and it spins for a bounded time before it parks.
//
// The n'th call to [Mutex.Unlock] synchronizes before the return of the m'th
// successful call to a form of Lock, for n < m. A failed one synchronizes
// nothing.
type Mutex struct {
	// word says whether the Mutex is held and which waiters it has; see [DecodeMutex].
	//
	//	locked    bit 0      held
	//	spinning  bit 1      a spinner will take it, or clear this bit and
	//	                     then look again: Unlock need not hand over
	//	handoff   bit 2      the next Unlock must hand over
	//	pickup    bit 3      handed to a waiter that has not run yet
	//	noting    bit 4      each acquisition notes where it was made; see NoteOwner
	//	waiting   bits 8-31  how many are in line
	//
	// As (waiting, pickup, handoff, spinning, locked), * for any value:
	//
	//	0,0,0,0,0 -> 0,0,0,0,1    Lock, TryLock
	//	0,0,0,0,1 -> 0,0,0,0,0    Unlock
	//	*,*,*,*,* -> *,*,*,1,*    a spinner sees that others are parked
	//	*,0,0,*,0 -> *,0,0,0,1    a spinner takes it; it may then set handoff
	//	n,0,0,1,1 -> n,0,0,1,0    Unlock leaves it to the spinner
	//	n,0,*,*,1 -> n-1,1,0,*,1  Unlock hands it to the first in line
	//	n,0,0,0,0 -> n-1,1,0,0,1  the goroutine that looks (I4) hands it on
	//	*,1,*,*,1 -> *,0,*,*,1    that waiter runs
	//
	// All of these leave noting as it is. While it is set, the first two do not
	// see the word they want, so every Lock and Unlock takes the slow path.
	//
	// I1: waiting changes only under line.lock, and is the length of the line when
	// line.lock is free.
	// I2: handoff and pickup are set only while locked is.
	// I3: only the head of spinners sets or clears spinning; it is clear once
	// there is none.
	// I4: if waiting is not 0 and locked and spinning are both 0, then the
	// goroutine that cleared the second of them is about to look at the line,
	// whether it gets in line itself or gives up.
	// So no waiter in line is forgotten.
	word primitives.Uint32

	// overtaken counts the acquisitions since the last handover that were made
	// while others waited in line. Only the holder touches it.
	overtaken uint32

	// spinners queues the spinning waiters: the head watches word, each other one
	// its own place in the queue.
	spinners mcs.OSQ

	travel primitives.Travel // of the line that m is on

	line waitList

	owner primitives.Pointer[string] // where the Mutex was acquired, if noting was set then
}

const (
	locked = 1 << iota
	spinning
	handoff
	pickup
	noting

	waitingShift = 8
	oneWaiting   = 1 << waitingShift
	oneGone      = 1<<32 - oneWaiting // adds -oneWaiting
)

// firstLooks is how often a waiter looks at word before it queues to spin, where
// CPUs are near.
const firstLooks = 4

// MaxWaiting is how many goroutines can be in line for a [Mutex]. One more panics,
// and changes nothing.
const MaxWaiting = 1<<(32-waitingShift) - 1

// MaxOvertaken is how often the first in a [Mutex]'s line can be overtaken
// before the Mutex is handed to it.
const MaxOvertaken = 16

// Lock locks m, waiting until it is free. Like each form of it that waits, it panics
// if [MaxWaiting] goroutines are in line.
func (m *Mutex) Lock() {
	if !m.word.CompareAndSwap(0, locked) { // acquire: pairs with Unlock
		m.lockSlow() // outlined so that Lock inlines
	}
}

// TryLock tries to lock m without waiting and reports whether it succeeded.
// It never overtakes a waiter.
func (m *Mutex) TryLock() bool {
	return m.word.CompareAndSwap(0, locked) || m.tryNoting() // acquire: pairs with Unlock
}

// tryNoting is TryLock while m notes its owner.
func (m *Mutex) tryNoting() bool {
	if m.word.Load() != noting || !m.word.CompareAndSwap(noting, noting|locked) { // acquire: pairs with Unlock
		return false
	}
	m.note()
	return true
}

// LockContext locks m unless ctx is done first. In that case it returns the
// context's cause, wrapped, and m is not acquired. If ctx ends before the Unlock
// that would let it in, it returns the cause; if m was handed to it meanwhile, m
// goes to the next in line.
func (m *Mutex) LockContext(ctx context.Context) error {
	var err error
	if ctx.Err() != nil { // takes half the time of Cause
		err = context.Cause(ctx)
	}
	if err == nil && !m.TryLock() {
		err = m.acquire(within(ctx))
	}
	if err == nil && ctx.Err() != nil {
		err = patience{ctx: ctx}.keep(m.Unlock)
	}
	if err != nil {
		return fmt.Errorf("blocking: waiting for Mutex: %w", err)
	}
	return nil
}

// LockTimeout locks m unless that takes longer than d, and reports whether it
// succeeded. If d is not positive, it is TryLock.
func (m *Mutex) LockTimeout(d time.Duration) bool {
	return m.TryLock() || waitFor(d, m.acquire, m.Unlock)
}

// Unlock unlocks m. It panics if m is not locked, or was handed to a waiter
// that has not returned from Lock yet.
func (m *Mutex) Unlock() {
	if !m.word.CompareAndSwap(locked, 0) { // release: publishes the critical section
		m.unlockSlow() // outlined so that Unlock inlines
	}
}

//go:noinline
func (m *Mutex) lockSlow() { m.acquire(patience{}) }

func (m *Mutex) acquire(p patience) error {
	err := m.wait(p)
	if err == nil {
		m.note()
	}
	return err
}

func (m *Mutex) wait(p patience) error {
	got, ended := m.spin(p)
	if got || ended != nil {
		return ended
	}
	// A line that has formed stays while each goroutine that releases comes back
	// to its end. So let the other goroutines of this CPU run first: some of them
	// may hold m or want it, and none is in line.
	primitives.GiveWay()
	if m.word.Load()&^noting == 0 && m.TryLock() {
		return nil
	}
	return m.park(p)
}

// park waits in line.
func (m *Mutex) park(p patience) error {
	w := newWaiter(0)
	m.line.lock.LockPinned()
	if m.word.Load()>>waitingShift == MaxWaiting { // and stays so, by I1
		m.line.lock.UnlockPinned()
		waiters.Put(w)
		panic(fmt.Sprintf("blocking: Lock of Mutex with %d in line", MaxWaiting))
	}
	m.line.push(w)
	var next *waiter
	if m.word.Add(oneWaiting)&(locked|spinning) == 0 {
		next = m.take() // the look of I4; it may return w itself
	}
	m.line.lock.UnlockPinned()
	if next != nil {
		next.turn.Handoff()
	}
	if err := m.line.wait(w, p, m.gaveUp); err != nil {
		return err
	}
	m.word.And(^uint32(pickup)) // ours since the handover
	return nil
}

// take locks m for the first in line if m is still free, and returns that
// waiter. The caller holds line.lock, and the line is not empty.
func (m *Mutex) take() *waiter {
	for {
		word := m.word.Load()
		if word&(locked|spinning) != 0 {
			return nil // the holder or the spinner will look at the line, by I4
		}
		if m.word.CompareAndSwap(word, word-oneWaiting|locked|pickup) { // acquire: pairs with Unlock
			m.overtaken = 0
			return m.line.pop()
		}
	}
}

// gaveUp accounts for a waiter that has left the line. The caller holds
// line.lock.
func (m *Mutex) gaveUp() {
	m.word.Add(oneGone)
	if m.line.first == nil {
		m.word.And(^uint32(handoff))
	}
}

// spin waits without parking for as long as that can pay, and reports whether
// it locked m. An error says why p ended; then no waiter in line depends on the
// caller.
func (m *Mutex) spin(p patience) (got bool, ended error) {
	var spin primitives.Spin
	stay, timed := m.travel.Stay()
	// Most waits are short, and queueing to spin moves the cache line twice more.
	// So look at word a few times first.
	for range firstLooks {
		word := m.word.Load()
		if word&^noting == 0 && m.TryLock() {
			return true, nil
		}
		if stay != primitives.NearStay || word&^noting != locked || !spin.TryFor(stay) {
			break
		}
	}
	if !m.spinners.Lock(p.goesOn()) {
		return false, p.ended()
	}
	pays := stay == primitives.NearStay || spin.TryFor(stay)
	for pays && !got {
		var began int64
		if timed {
			began = primitives.Nanotime()
		}
		if word := m.word.Load(); word&locked == 0 {
			// m was locked at the look before, so this look has fetched the cache line.
			if timed {
				m.travel.Learn(time.Duration(primitives.Nanotime() - began))
			}
			got = m.steal(word)
		} else {
			m.reserve(word)
			pays = p.spun(spin.TryFor(stay))
			stay = min(2*stay, primitives.LongestStay)
		}
	}
	if !got {
		m.word.And(^uint32(spinning)) // before the look of I4
	}
	m.spinners.Unlock()
	if !got {
		if ended = p.ended(); ended != nil {
			m.look()
		}
	}
	return got, ended
}

// look is the look of I4, made by a spinner that gives up.
func (m *Mutex) look() {
	if word := m.word.Load(); word>>waitingShift == 0 || word&(locked|spinning) != 0 {
		return
	}
	m.line.lock.LockPinned()
	var next *waiter
	if m.line.first != nil {
		next = m.take()
	}
	m.line.lock.UnlockPinned()
	if next != nil {
		next.turn.Handoff()
	}
}

// goesOn returns a function that reports whether p has not ended.
func (p patience) goesOn() func() bool {
	if p.ctx == nil && p.until == 0 {
		return always
	}
	return func() bool { return !p.isOver() }
}

func always() bool { return true }

// reserve tells Unlock that the caller, the head of spinners, will take m when it
// is unlocked. word is m's word and says that m is locked. Unlock needs to know
// only if waiters are in line.
func (m *Mutex) reserve(word uint32) {
	if word>>waitingShift != 0 && word&(locked|spinning) == locked {
		m.word.CompareAndSwap(word, word|spinning)
	}
}

// steal locks m for a spinner if m's word still is word and word says that m is
// free. It reports whether it did.
func (m *Mutex) steal(word uint32) bool {
	if word&locked != 0 || !m.word.CompareAndSwap(word, word&^spinning|locked) { // acquire: pairs with Unlock
		return false
	}
	if word>>waitingShift != 0 {
		m.overtaken++
		if m.overtaken >= MaxOvertaken {
			m.word.Or(handoff)
		}
	}
	return true
}

func (m *Mutex) unlockSlow() {
	for {
		word := m.word.Load()
		switch {
		case word&locked == 0:
			panic("blocking: Unlock of unlocked Mutex")
		case word&pickup != 0:
			panic("blocking: Unlock of Mutex that its holder has not picked up")
		}
		if word>>waitingShift != 0 && word&(spinning|handoff) != spinning {
			break
		}
		if m.word.CompareAndSwap(word, word&^(locked|handoff)) { // release: publishes the critical section
			return
		}
	}
	m.line.lock.LockPinned()
	next := m.line.pop()
	if next == nil { // the waiters gave up
		m.word.And(^uint32(locked | handoff)) // release: publishes the critical section
	} else {
		m.overtaken = 0
		// Only the holder sets handoff, and it is cleared only under line.lock.
		m.word.Add(oneGone + pickup - m.word.Load()&handoff)
	}
	m.line.lock.UnlockPinned()
	if next != nil {
		next.turn.Handoff() // release: publishes the critical section
	}
}
