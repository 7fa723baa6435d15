package seqlock

import "github.com/lockbench/lockbench/primitives"

// A Count is a sequence counter: it tells a reader whether a writer wrote while
// it read. It does not exclude writers from each other; a lock that they hold
// must do that.
// It has 8 bytes. The zero Count is ready for use. A Count must not be copied after
// first use.
//
// A reader reads until no writer wrote meanwhile:
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
// the loads since Begin saw the writes before Begin in full, and nothing of later
// ones.
type Count struct {
	// seq counts beginnings and ends of writes, modulo 2⁶⁴.
	//
	//	even  no writer is writing
	//	odd   a writer is writing
	//
	// I1: only the writer changes seq, and there is one writer at a time.
	// I2: seq is odd from before the first word is written until after the last.
	//
	// It may wrap: a reader would be deceived only if it stopped for 2⁶³ writes.
	// The kernel's 32 bits would wrap within half a minute of writing, and a
	// goroutine may be stopped for that long.
	seq primitives.Uint64
}

// Begin begins a read, after waiting for a writer that is writing. It returns the
// sequence for Retry.
func (c *Count) Begin() (seq uint64) {
	if seq = c.seq.Load(); seq&1 != 0 { // acquire: pairs with EndWrite
		return c.await() // outlined so that Begin inlines; it just fits
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

// Retry reports whether a writer has written since Begin returned seq, so that the
// caller must discard what it read.
func (c *Count) Retry(seq uint64) bool {
	// A reader that saw a word of a write sees here that the write had begun, by
	// I2. That needs the loads in order: those of the words before this one.
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

// EndWrite ends a write. It panics if no write has begun.
func (c *Count) EndWrite() {
	if c.seq.Load()&1 == 0 {
		panic("seqlock: EndWrite without BeginWrite")
	}
	advance(&c.seq) // release: publishes the words to Begin
}

// advance adds one to the sequence. Its caller is the only writer, so it needs no
// locked instruction. It is a release: a reader that sees the new sequence sees
// all stores before it. Later stores must not be seen before it, and are not,
// because each of them is a release or more and so waits for this one. A plain
// store would not wait, except on amd64.
func advance(seq *primitives.Uint64) {
	seq.StoreRelease(seq.Load() + 1)
}
