package mcs

import "github.com/lockbench/lockbench/primitives"

// A Waiter is a place to wait in that a lock's word can name by number. A
// goroutine enlists for one when it has to wait, and retires it once it holds
// the lock. Waiters live for ever and are reused at once.
//
// They come four to a CPU, as in the kernel, where a CPU can wait in four
// contexts at a time (task, softirq, hardirq, NMI). Here it can have any
// number of goroutines waiting. When its own four are taken, a goroutine gets
// one of a CPU that the machine does not have.
type Waiter struct {
	// number names the waiter, see [Number]. Constant once it is enlisted.
	number uint32

	// busy is 1 from Enlist to Retire.
	busy primitives.Uint32

	// Next is the number of the waiter behind this one, or 0.
	//
	// I1: Next is 0 when the waiter is enlisted.
	Next primitives.Uint32

	// turn wakes the goroutine that waits here.
	turn primitives.Parker

	_ primitives.CacheLine
}

// contexts is the number of waiters that a CPU has.
const contexts = 4

// maxCPUs is the number of CPUs that a 16-bit number can name.
const maxCPUs = 1<<14 - 1

// Number returns the number of waiter context, in [0, 4), of cpu, in
// [0, 16383): CPU+1 in the upper 14 of 16 bits, the context in the lower two.
// It is at least 4, so that smaller numbers are free to mean something else.
func Number(cpu, context int) uint32 { return uint32(cpu+1)<<2 | uint32(context) }

// Split undoes [Number].
func Split(number uint32) (cpu, context int) { return int(number>>2) - 1, int(number & 3) }

var waiters primitives.PerCPU[block]

type block struct {
	contexts [contexts]Waiter

	// hint is the CPU that a goroutine of this CPU last got a waiter of. It is
	// a guess: any value is right.
	hint primitives.Uint32
}

// WaiterAt returns the waiter that number names.
func WaiterAt(number uint32) *Waiter {
	cpu, context := Split(number)
	return &waiters.At(cpu).contexts[context]
}

// Enlist returns a waiter for the calling goroutine's use alone, or nil if
// all 65,532 are taken.
func Enlist() *Waiter {
	cpu := primitives.Pin()
	defer primitives.Unpin()

	own := waiters.At(cpu)
	if w := own.claim(cpu); w != nil {
		return w
	}
	hint := int(own.hint.Load())
	for i := range limit {
		other := (hint + i) % limit
		if w := waiters.At(other).claim(other); w != nil {
			own.hint.StoreRelease(uint32(other))
			return w
		}
	}
	return nil
}

// limit is maxCPUs, but for tests that run out of waiters.
var limit = maxCPUs

// claim takes a free waiter of b, which is that of cpu, or returns nil.
func (b *block) claim(cpu int) *Waiter {
	for context := range b.contexts {
		w := &b.contexts[context]
		if w.busy.Load() == 0 && w.busy.CompareAndSwap(0, 1) { // acquire: pairs with Retire
			w.number = Number(cpu, context)
			return w
		}
	}
	return nil
}

// Retire gives w back. Nobody may name it any more.
func (w *Waiter) Retire() { w.busy.StoreRelease(0) }

// Number returns the number that names w.
func (w *Waiter) Number() uint32 { return w.number }

// Await waits until [Waiter.Wake]. Of the goroutines that wait on one CPU,
// the first spins for a while before it parks; the others park at once,
// because their spinning would only keep the CPU from somebody with work to
// do. A pinned waiter spins.
func (w *Waiter) Await(spin primitives.Spin) {
	if spin.Pinned || w.number&3 == 0 {
		w.turn.Await(spin)
	} else {
		w.turn.Park()
	}
}

// Wake ends w's wait.
func (w *Waiter) Wake() { w.turn.Unpark() }

// Handoff ends w's wait and, if it has parked, gives it the caller's CPU.
func (w *Waiter) Handoff() { w.turn.Handoff() }

// Follower returns the number of the waiter behind w, waiting until it is
// known, and clears it.
func (w *Waiter) Follower(spin primitives.Spin) uint32 { return follower(&w.Next, spin) }

func follower(next *primitives.Uint32, spin primitives.Spin) uint32 {
	for {
		if n := next.Load(); n != 0 { // acquire: pairs with the store that links
			next.StoreRelease(0)
			return n
		}
		spin.Once()
	}
}
