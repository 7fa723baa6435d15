package models

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Mutex is a model of [sync.Mutex]: a waiter spins for a moment and then sleeps in a
// queue. In normal mode a waiter that is woken competes with newcomers, which mostly win,
// because they run already. A waiter that has waited for more than a millisecond makes it
// starving: then Unlock hands it to the first in the queue, and newcomers queue behind the
// last, until a waiter gets it that is the last or has waited for less.
//
// [NewMutex] makes one. A Mutex must not be copied after first use.
//
// The n'th call to [Mutex.Unlock] synchronizes before the return of the m'th successful
// call to a form of Lock, for n < m.
type Mutex struct {
	// state is four fields:
	//
	//	locked    bit 0      held
	//	woken     bit 1      a waiter is awake and will look at state, so that Unlock need
	//	                     not wake another
	//	starving  bit 2      Unlock hands it to the first in the queue
	//	waiters   bits 3-31  how many are in the queue, or on their way to it
	//
	// As (waiters, starving, woken, locked), * for any value:
	//
	//	*,0,*,0 -> *,0,*,1    Lock, by a newcomer or a waiter that is awake
	//	n,*,*,1 -> n+1,*,*,1  a waiter goes to sleep, and may set starving
	//	n,1,0,0 -> n+1,1,0,0  a newcomer goes to sleep, while m is being handed over
	//	n,0,0,1 -> n,0,1,1    a spinning waiter says that it is awake
	//	n,0,*,1 -> n,0,*,0    Unlock
	//	n,0,0,0 -> n-1,0,1,0  and then wakes a waiter
	//	n,1,0,1 -> n,1,0,0    Unlock, which hands it over
	//	n,1,0,0 -> n-1,*,0,1  the waiter to which it was handed runs
	//
	// A waiter for which woken was set clears it in the first two.
	//
	// I1: while starving is set and locked is not, the first waiter has it, and no other
	// sets locked.
	// I2: starving is set only while waiters is not 0.
	state primitives.Uint32
	sema  sema
}

const (
	locked = 1 << iota
	woken
	starving

	waitersShift = 3
	oneWaiter    = 1 << waitersShift
)

const (
	// burst is a pause of a spinning waiter: 30 PAUSEs, of 26 ns each on the reference
	// machine. On others they take 0.1 to 1.9 µs; no machine file says it.
	burst = 784 * time.Nanosecond

	mostBursts = 4
)

// starves is after how much waiting a waiter makes a Mutex starving. Tests change it.
var starves = time.Millisecond

// NewMutex returns a Mutex that is not locked.
func NewMutex() *Mutex { return &Mutex{sema: sema{queue: new(queue)}} }

// Lock locks m, waiting until it is free.
func (m *Mutex) Lock() {
	if !m.state.CompareAndSwap(0, locked) { // acquire: pairs with Unlock
		m.lockSlow()
	}
}

// TryLock tries to lock m without waiting and reports whether it succeeded.
func (m *Mutex) TryLock() bool {
	old := m.state.Load()
	return old&(locked|starving) == 0 && m.state.CompareAndSwap(old, old|locked) // acquire: pairs with Unlock
}

func (m *Mutex) lockSlow() {
	var (
		began   int64 // when it first slept
		slept   bool
		starved bool // it has waited for long enough to make m starving
		awake   bool // woken is set for it
		bursts  int
	)
	old := m.state.Load()
	for {
		// What is handed over is not to be had by spinning.
		if old&(locked|starving) == locked && bursts < mostBursts && primitives.Pause(0) {
			if !awake && old&woken == 0 && old>>waitersShift != 0 && m.state.CompareAndSwap(old, old|woken) {
				awake = true
			}
			primitives.Pause(burst)
			bursts++
			old = m.state.Load()
			continue
		}
		now := old
		if old&starving == 0 {
			now |= locked
		}
		if old&(locked|starving) != 0 {
			now += oneWaiter
		}
		if starved && old&locked != 0 { // not if it is free, by I2
			now |= starving
		}
		if awake {
			now &^= woken
		}
		if !m.state.CompareAndSwap(old, now) { // acquire: pairs with Unlock
			old = m.state.Load()
			continue
		}
		if old&(locked|starving) == 0 {
			return
		}
		front := slept // it has waited for longer than all in the queue
		if !slept {
			slept, began = true, primitives.Nanotime()
		}
		m.sema.acquire(front) // acquire: pairs with the handing over in Unlock
		starved = starved || time.Duration(primitives.Nanotime()-began) > starves
		if old = m.state.Load(); old&starving != 0 {
			m.receive(starved, old>>waitersShift == 1)
			return
		}
		awake, bursts = true, 0
	}
}

// receive takes m, which was handed to the caller, by I1. It ends the starving if the
// caller is the last waiter or has not waited for long.
func (m *Mutex) receive(starved, last bool) {
	delta := uint32(locked)
	delta -= oneWaiter
	if !starved || last {
		delta -= starving
	}
	m.state.Add(delta)
}

// Unlock unlocks m. It panics if m is not locked; Go's ends the process.
func (m *Mutex) Unlock() {
	if now := m.state.Add(minusOne); now != 0 { // release: pairs with Lock
		m.unlockSlow(now)
	}
}

func (m *Mutex) unlockSlow(now uint32) {
	if (now+locked)&locked == 0 {
		panic("models: Unlock of unlocked Mutex")
	}
	if now&starving != 0 {
		m.sema.give(true) // release (handing over): locked stays clear, by I1
		return
	}
	for old := now; old>>waitersShift != 0 && old&(locked|woken|starving) == 0; old = m.state.Load() {
		if m.state.CompareAndSwap(old, old-oneWaiter|woken) {
			m.sema.give(false)
			return
		}
	}
}
