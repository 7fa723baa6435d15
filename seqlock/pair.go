package seqlock

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A pairValue is what a [Value] is where T takes two words, whatever they
// stand for. Its Load inlines.
//
// The compiler inlines a function up to a cost of 80, and the call of loadSlow
// alone counts 57. But to call a parameter counts 17, and once it is known
// which function that is, it inlines in its turn. So a read is in steps, each
// of which takes the next as a parameter.
type pairValue struct {
	Lock // as Value has it, by its I2
	lo   primitives.Uint64
	hi   primitives.Uint64
}

type pair struct{ lo, hi uint64 }

type (
	beginning func(*pairValue, ending) pair
	ending    func(v *pairValue, seq uint64, p pair) pair
)

// load is step one: it is for [Value.Load] to call, with beginPair.
func (v *pairValue) load(begin beginning) pair { return begin(v, endPair) }

// beginPair is step two. If somebody writes, seq is not what is there, and not
// what endPair will find.
func beginPair(v *pairValue, end ending) pair {
	seq := v.seq.Load() &^ 1 // acquire: pairs with publish
	return end(v, seq, pair{v.lo.Load(), v.hi.Load()})
}

// endPair is step three: it returns p, or reads again if somebody wrote.
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

// A loading is [Lock.load], which call calls for 22 instead of 57, so that
// Load has room for it beside the steps of a pair.
type loading func(l *Lock, words, to unsafe.Pointer, n uintptr)

func (l *Lock) call(load loading, words, to unsafe.Pointer, n uintptr) { load(l, words, to, n) }
