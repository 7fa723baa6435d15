package seqlock

import "github.com/lockbench/lockbench/primitives"

// A Count is a sequence counter: it tells a reader whether somebody wrote
// while it read. It does not keep writers from each other; something else,
// such as the lock they hold anyway, must.
// The zero Count is ready for use. A Count must not be copied after first use.
//
// A reader reads until nobody wrote meanwhile:
//
//	for {
//		seq := c.Begin()
//		x, y = p.x.Load(), p.y.Load()
//		if !c.Retry(seq) {
//			break
//		}
//	}
//
// The n'th call to [Count.EndWrite] synchronizes before each return of
// [Count.Begin] that comes after it in the sequence. If Retry returns false,
// the loads since Begin saw all of the writes that Begin came after, and
// nothing of those that followed.
type Count struct {
	// seq counts beginnings and ends of writes, modulo 2⁶⁴.
	//
	//	even  nobody writes
	//	odd   somebody writes
	//
	// I1: only the writer changes seq, of which there is one at a time.
	// I2: seq is odd before the first word is written and until the last is.
	//
	// It may wrap: a reader would have to sleep through all of 2⁶³ writes to
	// be deceived. The kernel's 32 bits would wrap within half a minute of
	// writing, and a goroutine may well be stopped for that long.
	seq primitives.Uint64
}

// Begin begins a read, once nobody writes, and returns the sequence for Retry.
func (c *Count) Begin() (seq uint64) {
	if seq = c.seq.Load(); seq&1 != 0 { // acquire: pairs with EndWrite
		return c.await() // outlined so that Begin inlines, which it only just does
	}
	return
}

//go:noinline
func (c *Count) await() uint64 { return await(&c.seq) }

// await returns the sequence once it is even.
func await(seq *primitives.Uint64) uint64 {
	var spin primitives.Spin
	for {
		if n := seq.Load(); n&1 == 0 { // acquire: pairs with advance, EndWrite
			return n
		}
		spin.Once()
	}
}

// Retry reports whether somebody wrote since Begin returned seq, so that what
// was read must be thrown away.
func (c *Count) Retry(seq uint64) bool {
	// Who saw a word of a write sees here, by I2, that it had begun. That
	// needs the loads in order: those of the words before this one.
	return c.seq.Load() != seq // pairs with BeginWrite
}

// BeginWrite begins a write: readers wait, or read again, until EndWrite.
// It panics if a write has begun already.
func (c *Count) BeginWrite() {
	if c.seq.Load()&1 != 0 {
		panic("seqlock: BeginWrite within a write: writers must exclude each other")
	}
	advance(&c.seq) // pairs with Retry
}

// EndWrite ends a write. It panics if none has begun.
func (c *Count) EndWrite() {
	if c.seq.Load()&1 == 0 {
		panic("seqlock: EndWrite without BeginWrite")
	}
	advance(&c.seq) // release: publishes the words to Begin
}

// advance takes the sequence one further. Its caller is the one writer, so it
// needs no locked instruction. It is a release: what was written before is seen
// by whoever sees it. What is written after must not be seen before it, and is
// not, because each of those stores is a release or more and so waits for this
// one. A plain store would not wait, but on amd64.
func advance(seq *primitives.Uint64) {
	seq.StoreRelease(seq.Load() + 1)
}
