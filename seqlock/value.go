package seqlock

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A Value is a T that is read far more often than written. T may be any type
// without pointers, of any size: readers copy it, so a few cache lines at
// most make sense. The zero Value holds the zero T; if T contains pointers it can
// hold nothing else, because the first Store panics.
// A Value must not be copied after first use. It has 16 bytes and those of T, rounded up to
// a multiple of 8.
//
// Store and Update take effect at one moment, in one order for all, and
// synchronize before the loads that see them.
type Value[T any] struct {
	// Tries is how often [Value.Load] tries before it keeps writers out and reads
	// undisturbed: 0 means [DefaultTries], and with a negative number it never
	// keeps writers out. Set it before first use.
	Tries int32

	// I1: only the holder of guard changes seq and words.
	// I2: the fields before words are those of a Lock, in the same order.
	guard guard
	seq   primitives.Uint64
	words words[T]
}

// NewValue returns a Value that holds v. It panics if T contains pointers.
func NewValue[T any](v T) *Value[T] {
	val := new(Value[T])
	val.Store(v)
	return val
}

// Load returns the value. It writes nothing shared, unless writers disturb it
// v.Tries times. It inlines, and is fastest if T takes two words. It panics if
// 2²³ - 1 readers keep writers out already.
func (v *Value[T]) Load() T {
	var local plain[T]
	if unsafe.Sizeof(local) == unsafe.Sizeof(pair{}) { // settled by the compiler
		*(*pair)(unsafe.Pointer(&local)) = (*pairValue)(unsafe.Pointer(v)).load(beginPair)
	} else {
		v.lock().call((*Lock).load, unsafe.Pointer(&v.words), unsafe.Pointer(&local), unsafe.Sizeof(local))
	}
	return local.v
}

// LoadTo sets *to to the value. No other goroutine may use *to meanwhile. If T is
// large, LoadTo saves Load's copy of the result. It panics if T contains pointers, and as
// Load does.
func (v *Value[T]) LoadTo(to *T) {
	v.check()
	if fits(to) {
		v.lock().load(unsafe.Pointer(&v.words), unsafe.Pointer(to), unsafe.Sizeof(*to))
	} else {
		*to = v.Load()
	}
}

// lock returns the fields that v begins with, which are the same for every T.
func (v *Value[T]) lock() *Lock { return (*Lock)(unsafe.Pointer(v)) }

// load copies n bytes of words that l protects.
func (l *Lock) load(words, to unsafe.Pointer, n uintptr) {
	if !l.tryLoad(words, to, n) {
		l.loadSlow(words, to, n)
	}
}

// tryLoad is load if no writer writes meanwhile, and reports whether it
// succeeded.
func (l *Lock) tryLoad(words, to unsafe.Pointer, n uintptr) bool {
	seq := l.seq.Load() // acquire: pairs with publish
	if seq&1 != 0 {
		return false
	}
	copyWords(to, words, n)
	return l.seq.Load() == seq
}

// loadSlow is load after it has failed once.
//
//go:noinline
func (l *Lock) loadSlow(words, to unsafe.Pointer, n uintptr) {
	var spin primitives.Spin
	for tried := int32(1); patient(tried, l.Tries); tried++ {
		spin.Once()
		if l.tryLoad(words, to, n) {
			return
		}
	}
	l.guard.share()
	copyWords(to, words, n)
	l.guard.unshare()
}

// Store sets the value to val. It panics if T contains pointers.
//
// Readers wait while it copies val, and for longer if it is preempted then. See
// [Value.StorePinned].
func (v *Value[T]) Store(val T) {
	v.check()
	v.guard.lock()
	v.publish(val)
	v.guard.unlock()
}

// StorePinned is [Value.Store] with preemption off, so that no reader waits for a
// writer that has lost its CPU. Preemption must not be off already.
func (v *Value[T]) StorePinned(val T) {
	v.check()
	v.guard.lockPinned()
	v.publish(val)
	v.guard.unlock()
	primitives.Unpin()
}

// Update sets the value to f of the value, and returns it. Other writers wait
// while f runs; readers do not. If f panics, the value stays as it was. Update panics if T
// contains pointers.
func (v *Value[T]) Update(f func(T) T) T {
	v.check()
	v.guard.lock()
	defer v.guard.unlock()
	val := f(v.words.get())
	v.publish(val)
	return val
}

// UpdatePinned is [Value.Update] with preemption off, also while f runs: f must
// not block. Preemption must not be off already.
func (v *Value[T]) UpdatePinned(f func(T) T) T {
	v.check()
	v.guard.lockPinned()
	val := f(v.words.get())
	v.publish(val)
	v.guard.unlock()
	primitives.Unpin()
	return val
}

// publish stores val. The caller holds v.guard.
func (v *Value[T]) publish(val T) {
	local := plain[T]{v: val}
	advance(&v.seq) // even -> odd; pairs with the reader's second look
	v.words.store(&local)
	advance(&v.seq) // odd -> even; release: publishes the words to readers
}

// check panics if T contains pointers. A Value that was written to has passed.
func (v *Value[T]) check() {
	if v.seq.Load() == 0 {
		mustHoldNoPointers[T]()
	}
}
