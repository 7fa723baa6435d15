package primitives

import "time"

// stalls is for how long a pinned waiter waits, in ns, until it notes that it
// does, and again after each note.
const stalls = int32(10 * time.Millisecond)

// stalledAt has for each CPU when a waiter that is pinned there noted last that
// it waits in vain, in the time of [Nanotime].
var stalledAt PerCPU[Int64]

func noteStall() {
	stalledAt.At(Pin()).Store(nanotime())
	Unpin()
}

// Stalled returns on how many of the first cpus CPUs a [Spin] with Pinned set
// noted, since then in the time of [Nanotime], that it had waited for another
// 10 ms in vain. Such a waiter cannot be stopped, so nobody can take its stack;
// who stands by on another CPU can at least know that it waits. Under the tag
// purego nobody is pinned, and it is 0.
func Stalled(cpus int, since int64) int {
	n := 0
	for cpu := range cpus {
		if stalledAt.At(cpu).Load() > since {
			n++
		}
	}
	return n
}
