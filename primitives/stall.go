package primitives

import "time"

// stalls is for how long a pinned waiter waits, in ns, before it notes that it waits,
// and between two notes.
const stalls = int32(10 * time.Millisecond)

// stalledAt has for each CPU when a waiter that is pinned there last noted that it still
// waits, in the time of [Nanotime].
var stalledAt PerCPU[Int64]

func noteStall() {
	stalledAt.At(Pin()).Store(nanotime())
	Unpin()
}

// Stalled returns on how many of the first cpus CPUs a [Spin] with Pinned set has noted,
// after since in the time of [Nanotime], that it had waited for another 10 ms. Such a
// waiter cannot be stopped, so its stack cannot be taken; a goroutine on another CPU can
// at least learn that it waits. Under the tag purego no goroutine is pinned, and Stalled
// returns 0.
func Stalled(cpus int, since int64) int {
	n := 0
	for cpu := range cpus {
		if stalledAt.At(cpu).Load() > since {
			n++
		}
	}
	return n
}
