package seqlock

import "unsafe"

// SetSequence sets the sequence to n, which must be even.
func (c *Count) SetSequence(n uint64)    { c.seq.Store(n) }
func (l *Lock) SetSequence(n uint64)     { l.seq.Store(n) }
func (v *Value[T]) SetSequence(n uint64) { v.seq.Store(n) }
func (l *Latch[T]) SetSequence(n uint64) { l.seq.Store(n) }

// Sharing returns how many readers keep writers out, or wait to do so.
func (l *Lock) Sharing() int     { return int(l.guard.word.Load() / reader) }
func (v *Value[T]) Sharing() int { return int(v.guard.word.Load() / reader) }

// MostReaders is how many readers may keep writers out.
const MostReaders = mostReaders

// Share adds n readers that keep writers out, or takes them away if n < 0.
func (l *Lock) Share(n int) { l.guard.word.Add(uint32(n) * reader) }

// Abandon undoes a Lock, so that no reader can tell. The caller holds l.
func (l *Lock) Abandon() {
	l.seq.Store(l.seq.Load() - 1)
	l.guard.unlock()
}

// StoreHalf does half of a Store, after which some words of the value are new and
// some old. rest does the other half.
func (v *Value[T]) StoreHalf(val T) (rest func()) {
	local := plain[T]{v: val}
	v.guard.lock()
	advance(&v.seq)
	v.words.word(0).Store(local.word(0))
	return func() {
		v.words.store(&local)
		advance(&v.seq)
		v.guard.unlock()
	}
}

// StoreHalf stops in the middle of the n'th copy, 0 or 1.
func (l *Latch[T]) StoreHalf(n int, val T) (rest func()) {
	local := plain[T]{v: val}
	l.guard.lock()
	for i := range n {
		advance(&l.seq)
		l.copies[i].store(&local)
	}
	advance(&l.seq)
	l.copies[n].word(0).Store(local.word(0))
	return func() {
		l.copies[n].store(&local)
		for i := n + 1; i < len(l.copies); i++ {
			advance(&l.seq)
			l.copies[i].store(&local)
		}
		l.guard.unlock()
	}
}

// LoadAround is a Load of a Value of two words that meanwhile runs between the
// reading of the words and the second look at the sequence.
func LoadAround(v *Value[[2]uint64], meanwhile func()) [2]uint64 {
	p := beginPair((*pairValue)(unsafe.Pointer(v)), func(v *pairValue, seq uint64, p pair) pair {
		meanwhile()
		return endPair(v, seq, p)
	})
	return [2]uint64{p.lo, p.hi}
}
