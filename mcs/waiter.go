package mcs

import "github.com/lockbench/lockbench/primitives"

// A Waiter is a place to wait that a lock's word can name by a 16-bit number:
// the kernel's per-CPU MCS node. A goroutine enlists one when it has to wait and
// retires it once no word names it any more. Waiters are never freed and are
// reused at once.
//
// Each CPU has four, as in the kernel, where a CPU can wait in four contexts at a
// time: task, softirq, hardirq, NMI. Here any number of its goroutines can wait. A
// goroutine that finds its CPU's four taken gets a waiter of another CPU, which
// need not exist on this machine.
type Waiter struct {
	number uint32 // names the waiter, see Number; constant while it is enlisted
	first  bool   // no other goroutine of its CPU waited when it was enlisted
	stand  *stand // until Arrived, the goroutine's place in a line, or nil if it did not wait there

	// busy is 1 from Enlist to Retire.
	busy primitives.Uint32

	// next is the number of the waiter behind this one.
	//
	// I1: it is 0 when the waiter is enlisted and when it is retired.
	next primitives.Uint32

	// turn wakes the goroutine that waits here.
	turn primitives.Parker

	// CLH uses place, OSQ uses prev and granted; see there.
	place   primitives.Uint64
	prev    primitives.Uint32
	granted primitives.Uint32

	_ [2]primitives.CacheLine
}

const (
	contexts = 4
	mostCPUs = 1<<14 - 1 // how many CPUs a number can name
	near     = 64        // how many CPUs a short search looks at
)

// Number returns the number of waiter context, in [0, 4), of cpu, in
// [0, 16383): CPU+1 in the upper 14 of 16 bits, the context in the lower two.
// It is at least 4; smaller numbers are free to mean something else.
func Number(cpu, context int) uint32 { return uint32(cpu+1)<<2 | uint32(context) }

// Split undoes [Number].
func Split(number uint32) (cpu, context int) { return int(number>>2) - 1, int(number & 3) }

// cpus is how many CPUs have waiters: as many as a number can name, except in
// model tests.
var cpus = mostCPUs

// waiters has all Waiters, by CPU. hint says at which CPU a goroutine of this CPU
// last found a free one; it is a guess, and any value is correct.
var waiters primitives.PerCPU[struct {
	contexts [contexts]Waiter
	hint     primitives.Uint32
}]

// WaiterAt returns the waiter that number names.
func WaiterAt(number uint32) *Waiter {
	cpu, context := Split(number)
	return &waiters.At(cpu).contexts[context]
}

// Enlist returns a waiter that only the caller uses, or nil if all 65,532 are
// taken.
func Enlist() *Waiter { return enlist(cpus) }

// enlist is Enlist, except that it looks only at the caller's CPU and at most
// other CPUs, different ones each time.
func enlist(most int) *Waiter {
	cpu := primitives.Pin()
	w := claim(home(cpu))
	primitives.Unpin() // a long search does not keep others from the CPU
	if w != nil {
		w.first = w.number == Number(home(cpu), 0)
		return w
	}
	hint := &waiters.At(home(cpu)).hint
	owner := int(hint.Load()) % cpus
	for range min(most, cpus) {
		if w = claim(owner); w != nil {
			w.first = false
			break
		}
		owner = (owner + 1) % cpus
	}
	hint.StoreRelease(uint32(owner))
	return w
}

// home returns the CPU whose waiters a goroutine on cpu uses: cpu itself, except
// on machines with more CPUs than numbers can name.
func home(cpu int) int {
	if cpu < cpus {
		return cpu
	}
	return cpu % cpus
}

// claim takes a free waiter of cpu, or returns nil.
func claim(cpu int) *Waiter {
	set := &waiters.At(cpu).contexts
	for context := range set {
		w := &set[context]
		if w.busy.Load() == 0 && w.busy.CompareAndSwap(0, 1) { // acquire: pairs with Retire
			w.number = Number(cpu, context)
			w.stand = nil
			return w
		}
	}
	return nil
}

// Retire gives w back. No other goroutine may look at w any more.
func (w *Waiter) Retire() { w.busy.StoreRelease(0) } // release: pairs with claim

// Number returns the number that names w.
func (w *Waiter) Number() uint32 { return w.number }

// Follow puts w behind the waiter that prev names.
func (w *Waiter) Follow(prev uint32) {
	WaiterAt(prev).next.StoreRelease(w.number) // release (link): pairs with follower
}

// Await waits for a call of [Waiter.Wake] or [Waiter.Handoff]. Of the goroutines
// that wait on one CPU the first spins for a while before it parks, and the others
// park at once: their spinning would only keep the CPU from goroutines that have
// work to do. Under a pinned spin all spin.
func (w *Waiter) Await(spin primitives.Spin) {
	if w.first || spin.Pinned {
		w.turn.Await(spin)
	} else {
		w.turn.Park()
	}
}

// Wake ends w's wait.
func (w *Waiter) Wake() { w.turn.Unpark() }

// Handoff ends w's wait and, if it has parked, gives it the caller's CPU.
func (w *Waiter) Handoff() { w.turn.Handoff() }

// Follower returns the waiter behind w and clears w's link to it. That waiter has
// announced itself and may not have linked itself yet.
func (w *Waiter) Follower(spin primitives.Spin) *Waiter { return follower(&w.next, spin) }

func follower(next *primitives.Uint32, spin primitives.Spin) *Waiter {
	for {
		if number := next.Load(); number != 0 { // acquire: pairs with link
			next.StoreRelease(0)
			return WaiterAt(number)
		}
		spin.Once()
	}
}

// Limit leaves only n waiters to enlist, so that a model test can run out of them.
// undo gives the others back. It is for tests: no waiter may be enlisted, and
// nothing else may run.
func Limit(n int) (undo func()) {
	cpus = max(1, (n+contexts-1)/contexts)
	var taken []*Waiter
	for range contexts*cpus - n {
		taken = append(taken, Enlist())
	}
	return func() {
		for _, w := range taken {
			w.Retire()
		}
		cpus = mostCPUs
	}
}

// HighNumbers gives the waiters with the highest numbers to the next four goroutines
// that wait, and returns what undoes it, so that a test uses all bits of a number. It is
// for tests, as Limit is.
func HighNumbers() (undo func()) {
	var taken []*Waiter
	for cpu := range near {
		for w := claim(cpu); w != nil; w = claim(cpu) {
			taken = append(taken, w)
		}
		waiters.At(cpu).hint.Store(mostCPUs - 1)
	}
	return func() {
		for _, w := range taken {
			w.Retire()
		}
	}
}

// Followed reports whether another waiter has linked itself behind w, for tests.
func (w *Waiter) Followed() bool { return w.next.Load() != 0 }
