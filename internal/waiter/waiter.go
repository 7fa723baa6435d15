// Package waiter has the places where the goroutines that queue for a spinlock wait: the
// kernel's per-CPU MCS nodes. The word of a lock names one by 16 bits. Packages mcs,
// qspinlock and reciprocating queue in them, and by way of qspinlock the reader-writer
// locks do.
//
// A goroutine that must wait for a lock does
//
//	w := waiter.EnlistFor(address, l.TryLock, spin) // nil: it has the lock
//	prev := l.tail.Swap(w.Number())
//	w.Follow(prev) // if there is a waiter before it
//	w.Arrived()
//	w.Await(spin) // for the turn that the waiter before it hands over
//
// and when it gives its place up, with the lock or before,
//
//	next := w.Follower(spin) // if w is not the last
//	w.Retire()
//	next.Handoff()
//
// # Promises
//
// From Enlist to Retire no other goroutine gets the waiter, and no other waiter has its
// number. Each Wake or Handoff ends one Await. Goroutines that find all waiters taken
// get one in the order of arrival at their lock, except pinned ones, which cannot park.
//
// In return no word may name a waiter that is retired: w.Retire comes after
// w.Follower, or after a compare-and-swap has shown that w is the last in line.
//
// # Memory order
//
//	release                    pairs with the acquire in
//	Follow            link     Follower and Behind
//	Wake, Handoff     turn     Await and Park
//	Retire            retire   Enlist
//	leave             head     join
//
// Each is commented at both ends. No step relies on sequential consistency.
package waiter

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A Waiter is a place to wait that a number names. A goroutine enlists one when it has
// to wait and retires it once no word names it any more. Waiters are never freed and are
// reused at once.
//
// Each CPU has four, as in the kernel, where a CPU can wait in four contexts at a
// time: task, softirq, hardirq, NMI. Here any number of its goroutines can wait. A
// goroutine that finds its CPU's four taken gets a waiter of another CPU, which
// need not exist on this machine.
type Waiter struct {
	number uint32 // names the waiter, see Number; constant while it is enlisted
	first  bool   // no other goroutine of its CPU waited when it was enlisted
	stand  *stand // until Arrived, the place in a line where the goroutine waited; otherwise nil

	// busy is 1 from Enlist to Retire.
	busy primitives.Uint32

	// Next is the number of the waiter behind this one.
	//
	// I1: it is 0 when the waiter is enlisted and when it is retired.
	Next primitives.Uint32

	// turn wakes the goroutine that waits here.
	//
	// I2: it holds no wake-up when the waiter is enlisted and when it is retired.
	turn primitives.Parker

	// These are for the locks that need more words: a CLH uses Place, an OSQ Prev and
	// Granted, a CNA Aside. The lock says what they mean, and leaves them fit for another
	// one of its kind.
	Place   primitives.Uint64
	Prev    primitives.Uint32
	Granted primitives.Uint32
	Aside   primitives.Cell[Aside]

	_ [2*primitives.CacheLineSize - unsafe.Sizeof(Aside{})]byte
}

// An Aside is a queue beside that of a lock: the links to its first and last waiter, and
// how often the lock has been handed past them. The zero Aside is empty.
type Aside struct{ First, Last, Passed uint32 }

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

// At returns the waiter that number names.
func At(number uint32) *Waiter {
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
		if w.busy.Load() == 0 && w.busy.CompareAndSwap(0, 1) { // acquire: pairs with retire
			w.number = Number(cpu, context)
			return w
		}
	}
	return nil
}

// Retire gives w back. No other goroutine may look at w any more.
func (w *Waiter) Retire() { w.busy.StoreRelease(0) } // release (retire): pairs with claim

// Number returns the number that names w.
func (w *Waiter) Number() uint32 { return w.number }

// First reports whether no other goroutine waited on its CPU when w was enlisted. Of the
// goroutines that wait on one CPU the first may spin before it parks. The spinning of the
// others would only keep the CPU from goroutines that have work to do.
func (w *Waiter) First() bool { return w.first }

// Follow puts w behind the waiter that prev names.
func (w *Waiter) Follow(prev uint32) {
	At(prev).Next.StoreRelease(w.number) // release (link): pairs with Behind
}

// Await waits for a call of [Waiter.Wake] or [Waiter.Handoff]. The [Waiter.First] on its
// CPU spins for a while before it parks, and the others park at once. Under a pinned spin
// all spin.
func (w *Waiter) Await(spin primitives.Spin) {
	if w.first || spin.Pinned {
		w.turn.Await(spin) // acquire: pairs with turn
	} else {
		w.Park()
	}
}

// Park is [Waiter.Await] without spinning.
func (w *Waiter) Park() { w.turn.Park() } // acquire: pairs with turn

// Wake ends w's wait.
func (w *Waiter) Wake() { w.turn.Unpark() } // release (turn): pairs with Await and Park

// Handoff ends w's wait and, if it has parked, gives it the caller's CPU.
func (w *Waiter) Handoff() { w.turn.Handoff() } // release (turn): pairs with Await and Park

// Follower returns the waiter behind w and clears w's link to it. That waiter has
// announced itself and may not have linked itself yet.
func (w *Waiter) Follower(spin primitives.Spin) *Waiter { return Behind(&w.Next, spin) }

// Behind is [Waiter.Follower] of a place that is no Waiter: next is its link, to which
// the one behind stores its number with a release.
func Behind(next *primitives.Uint32, spin primitives.Spin) *Waiter {
	for {
		if number := next.Load(); number != 0 { // acquire: pairs with link
			next.StoreRelease(0) // restores I1
			return At(number)
		}
		spin.Once()
	}
}
