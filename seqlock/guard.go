package seqlock

import "github.com/lockbench/lockbench/primitives"

// A guard keeps writers from each other. A reader that was disturbed too often
// shares it with others of its kind, and keeps writers out.
type guard struct {
	// word has, in its low byte, whether a writer holds the guard, and above
	// it the number of readers that share it or wait until they do.
	//
	//	(0, 0)  free
	//	(0, 1)  held by a writer
	//	(n, 1)  held by a writer, n readers wait
	//	(n, 0)  shared by n readers
	//
	// I1: a writer takes only a free guard. So a reader that has added itself
	// waits for one writer at most, and the one after it lets it read.
	// I2: only its holder clears the low byte, so a byte store does.
	word primitives.Uint32
}

const (
	writer = 1
	reader = 1 << 8 // 2²⁴ of them fit: more than goroutines do
)

func (g *guard) tryLock() bool {
	return g.word.CompareAndSwap(0, writer) // 0,0 -> 0,1; acquire: pairs with unlock, unshare
}

func (g *guard) lock() {
	if !g.tryLock() {
		g.wait()
	}
}

func (g *guard) lockPinned() {
	primitives.Pin()
	if g.tryLock() {
		return
	}
	// It must wait unpinned: it may wait for a reader that can be preempted
	// and needs this CPU.
	var spin primitives.Spin
	for {
		primitives.Unpin()
		for g.word.Load() != 0 {
			spin.Once()
		}
		primitives.Pin()
		if g.tryLock() {
			return
		}
	}
}

func (g *guard) wait() {
	var spin primitives.Spin
	for {
		for g.word.Load() != 0 {
			spin.Once()
		}
		if g.tryLock() {
			return
		}
	}
}

func (g *guard) unlock() {
	g.word.ClearLowByteRelease() // n,1 -> n,0; release: pairs with tryLock, share
}

// share keeps writers out, once the one that holds g is done.
func (g *guard) share() {
	word := g.word.Add(reader) // n,w -> n+1,w; from here on no writer begins, by I1
	var spin primitives.Spin
	for word&writer != 0 {
		spin.Once()
		word = g.word.Load() // acquire: pairs with unlock
	}
}

func (g *guard) unshare() {
	g.word.Add(-reader & (1<<32 - 1)) // n,0 -> n-1,0; release: pairs with tryLock
}
