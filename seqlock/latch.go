package seqlock

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A Latch is a [Value] in two copies, one of which is always whole: the
// writer sends readers to one copy while it writes the other. So no reader waits
// for a writer, even for one that has lost its CPU half-way; the reader reads the
// value from before. The price is twice the memory and twice the stores.
//
// It is for readers that cannot wait: those with preemption off, or with a
// deadline. A reader reads again only if the writer made progress meanwhile. How
// often it reads again is not bounded, because that would take a lock.
//
// T may be any type without pointers. The zero Latch holds the zero T. It has 16 bytes and
// twice those of T, each rounded up to a multiple of 8.
// A Latch must not be copied after first use.
//
// Store and Update take effect at one moment, in one order for all, and
// synchronize before the loads that see them.
type Latch[T any] struct {
	guard guard // among writers; readers do not share it

	// seq says which copy to read.
	//
	//	even  copy 0; copy 1 is being written, or is equal to it
	//	odd   copy 1; copy 0 is being written
	//
	// I1: only the holder of guard changes seq and copies; guard is free only
	// while seq is even and the copies are equal.
	// I2: the copy that seq names is not written before seq has changed.
	//
	// A reader is deceived only if it stops for 2⁶³ writes.
	seq    primitives.Uint64
	copies [2]words[T]
}

// NewLatch returns a Latch that holds v. It panics if T contains pointers.
func NewLatch[T any](v T) *Latch[T] {
	l := new(Latch[T])
	l.Store(v)
	return l
}

// Load returns the value. It writes nothing shared, and may be called with preemption off.
func (l *Latch[T]) Load() T {
	var local plain[T]
	l.load(unsafe.Pointer(&local), unsafe.Sizeof(local))
	return local.v
}

// LoadTo sets *to to the value. No other goroutine may use *to meanwhile. If T is
// large, LoadTo saves Load's copy of the result. It panics if T contains pointers.
func (l *Latch[T]) LoadTo(to *T) {
	l.check()
	if fits(to) {
		l.load(unsafe.Pointer(to), unsafe.Sizeof(*to))
	} else {
		*to = l.Load()
	}
}

func (l *Latch[T]) load(to unsafe.Pointer, n uintptr) {
	for {
		seq := l.seq.Load() // acquire: pairs with publish
		copyWords(to, unsafe.Pointer(&l.copies[seq&1]), n)
		// A reader that saw a word of a later write sees here that seq has changed,
		// by I2.
		if l.seq.Load() == seq {
			return
		}
	}
}

// Store sets the value to val. It panics if T contains pointers.
func (l *Latch[T]) Store(val T) {
	l.check()
	l.guard.lock()
	l.publish(val)
	l.guard.unlock()
}

// Update sets the value to f of the value, and returns it. Other writers wait
// while f runs. If f panics, the value stays as it was. Update panics if T contains
// pointers.
func (l *Latch[T]) Update(f func(T) T) T {
	l.check()
	l.guard.lock()
	defer l.guard.unlock()
	val := f(l.copies[0].get())
	l.publish(val)
	return val
}

// publish stores val in both copies. The caller holds l.guard.
func (l *Latch[T]) publish(val T) {
	local := plain[T]{v: val}
	for i := range l.copies {
		advance(&l.seq) // to the other copy; release: publishes it
		l.copies[i].store(&local)
	}
}

// check panics if T contains pointers. A Latch that was written to has passed.
func (l *Latch[T]) check() {
	if l.seq.Load() == 0 {
		mustHoldNoPointers[T]()
	}
}
