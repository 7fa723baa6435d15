package seqlock

import "github.com/lockbench/lockbench/primitives"

// A guard excludes writers from each other. Readers that were disturbed too often
// share it, and keep writers out.
type guard struct {
	// word says in its low byte whether a writer holds the guard (W) and whether
	// that writer is pinned (P). Above it is the number of readers that share the
	// guard or wait to do so.
	//
	//	(0, 0)     free
	//	(0, W)     held by a writer
	//	(0, W, P)  held by a writer that keeps its CPU
	//	(n, W, *)  held by a writer, n readers wait
	//	(n, 0)     shared by n readers
	//
	// I1: a writer takes only a free guard. So a reader that has added itself
	// waits for one writer at most, and the next writer waits until it has read.
	// I2: only its holder clears the low byte, so a byte store suffices.
	// I3: a writer that set P is pinned until it clears the byte.
	word primitives.Uint32
}

const (
	writer = 1 << 0
	pinned = 1 << 1
	reader = 1 << 8 // 2²⁴ readers fit

	// mostReaders is how many readers may share the guard. As many more fit that
	// have added themselves and are about to panic.
	mostReaders = 1<<23 - 1
)

func (g *guard) tryLock() bool {
	return g.word.CompareAndSwap(0, writer) // 0,0 -> 0,W; acquire: pairs with unlock, unshare
}

func (g *guard) lock() {
	if !g.tryLock() {
		g.wait()
	}
}

// tryLockPinned is tryLock for a caller that is pinned, and stays so until it
// unlocks.
func (g *guard) tryLockPinned() bool {
	return g.word.CompareAndSwap(0, writer|pinned) // 0,0 -> 0,W,P; acquire: pairs with unlock, unshare
}

func (g *guard) lockPinned() {
	primitives.Pin()
	if !g.tryLockPinned() {
		g.waitPinned()
	}
}

// waitPinned waits pinned for a pinned writer, which runs. Any other holder can be
// preempted and may need this CPU, so for those it waits unpinned. Waiting always
// unpinned would be wrong: a goroutine that locks twice is still pinned by its
// first lock, and a yield would then be fatal instead of a deadlock like any
// other.
func (g *guard) waitPinned() {
	running, stopped := primitives.Spin{Pinned: true}, primitives.Spin{}
	for {
		switch word := g.word.Load(); {
		case word&pinned != 0: // by I3
			running.Once()
		case word != 0:
			primitives.Unpin()
			stopped.Once()
			primitives.Pin()
		case g.tryLockPinned():
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
	g.word.ClearLowByteRelease() // n,W,* -> n,0; release: pairs with tryLock, share
}

// share keeps writers out, and waits until the writer that holds g is done. It
// panics if mostReaders readers keep writers out already.
func (g *guard) share() {
	word := g.word.Add(reader) // n,w -> n+1,w; from here on no writer begins, by I1
	if word/reader > mostReaders {
		g.unshare()
		panic("seqlock: more than 8388607 readers keep writers out")
	}
	var spin primitives.Spin
	for word&writer != 0 {
		spin.Once()
		word = g.word.Load() // acquire: pairs with unlock
	}
}

func (g *guard) unshare() {
	g.word.Add(-reader & (1<<32 - 1)) // n,0 -> n-1,0; release: pairs with tryLock
}
