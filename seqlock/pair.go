package seqlock

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A pairValue is a [Value] whose T takes two words, of any meaning. Its Load
// inlines.
//
// The compiler inlines a function up to a cost of 80, and the call of loadSlow
// alone costs 57. But calling a parameter costs 17, and when the compiler knows
// which function the parameter is, it inlines that one, too. So a read is in
// steps, and each step takes the next as a parameter.
type pairValue struct {
	Lock // the fields that a Value begins with, by its I2
	lo   primitives.Uint64
	hi   primitives.Uint64
}

type pair struct{ lo, hi uint64 }

type (
	beginning func(*pairValue, ending) pair
	ending    func(v *pairValue, seq uint64, p pair) pair
)

// load is step one: [Value.Load] calls it, with beginPair.
func (v *pairValue) load(begin beginning) pair { return begin(v, endPair) }

// beginPair is step two. While a writer writes, seq is even but the lock's
// sequence is odd, so endPair will not find seq there.
func beginPair(v *pairValue, end ending) pair {
	seq := v.seq.Load() &^ 1 // acquire: pairs with publish
	return end(v, seq, pair{v.lo.Load(), v.hi.Load()})
}

// endPair is step three: it returns p, or reads again if a writer wrote.
func endPair(v *pairValue, seq uint64, p pair) pair {
	if v.seq.Load() != seq {
		return v.loadSlow()
	}
	return p
}

//go:noinline
func (v *pairValue) loadSlow() (p pair) {
	v.Lock.loadSlow(unsafe.Pointer(&v.lo), unsafe.Pointer(&p), unsafe.Sizeof(p))
	return p
}

// A loading is [Lock.load]. Calling it through call costs 22 instead of 57, so
// Load has room for it beside the steps of a pair.
type loading func(l *Lock, words, to unsafe.Pointer, n uintptr)

func (l *Lock) call(load loading, words, to unsafe.Pointer, n uintptr) { load(l, words, to, n) }
