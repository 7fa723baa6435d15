package harness

import (
	"math"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// work does n steps of a computation that no CPU can overlap, since each step
// needs the one before, and touches no memory. Whoever calls it must keep the
// result, and pass it on as the next x.
func work(n int, x uint64) uint64 {
	for ; n > 0; n-- {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// steps returns how many steps of work take d: at least one, unless d is 0.
func steps(d time.Duration) int {
	if d == 0 {
		return 0
	}
	return max(1, int(math.Round(float64(d)*stepsPerNanosecond())))
}

// stepsPerNanosecond is measured once in a process, in about half a
// millisecond. The fastest of many runs is the one that nobody interrupted.
var stepsPerNanosecond = sync.OnceValue(func() float64 {
	const n = 10_000
	best := int64(math.MaxInt64)
	x := uint64(1)
	for range 50 {
		began := primitives.Nanotime()
		x = work(n, x)
		best = min(best, primitives.Nanotime()-began)
	}
	if x == 0 { // keeps x alive; a full-period generator does get there, but not today
		best++
	}
	return n / float64(max(best, 1))
})
