//go:build !virtual

package primitives

import "sync/atomic"

// The words wrap sync/atomic's types and do not alias them: through an alias,
// a package that does not itself import sync/atomic gets a call for each
// operation (golang/go#74783). A one-field struct with one-line methods
// inlines to the instruction; TestInlining asserts it.
//
// Every operation is sequentially consistent, except StoreRelease,
// ClearLowByteRelease and AddOwn.

// A Uint32 is an atomic uint32. The zero value is 0.
// A Uint32 must not be copied after first use.
type Uint32 struct{ v atomic.Uint32 }

// Load returns the value.
func (u *Uint32) Load() uint32 { return u.v.Load() }

// Store sets the value to val.
func (u *Uint32) Store(val uint32) { u.v.Store(val) }

// StoreRelease sets the value to val after all earlier accesses of the caller, as an
// unlock does. A later Load of another word may happen before it: use Store where the
// algorithm relies on that order.
func (u *Uint32) StoreRelease(val uint32) { storeRelease32(&u.v, val) }

// ClearLowByteRelease sets bits 0 to 7 to zero and leaves the others alone,
// with the ordering of StoreRelease. On amd64 it is a store of one byte, so
// it needs no locked instruction even while others change the upper bits.
func (u *Uint32) ClearLowByteRelease() { clearLowByteRelease32(&u.v) }

// Add adds delta and returns the new value. It wraps modulo 2³².
func (u *Uint32) Add(delta uint32) uint32 { return u.v.Add(delta) }

// AddOwn adds delta, with the ordering of StoreRelease, to a word that only the caller
// changes: a goroutine's own word, or that of a [PerCPU] for the CPU to which the caller
// is pinned. No other goroutine writes it meanwhile, so on amd64 it needs no locked
// instruction, and no call. Others may Load the word.
func (u *Uint32) AddOwn(delta uint32) { addOwn32(&u.v, delta) }

// And sets the value to old & mask and returns old.
func (u *Uint32) And(mask uint32) (old uint32) { return u.v.And(mask) }

// Or sets the value to old | mask and returns old.
func (u *Uint32) Or(mask uint32) (old uint32) { return u.v.Or(mask) }

// Swap sets the value to val and returns the old one.
func (u *Uint32) Swap(val uint32) (old uint32) { return u.v.Swap(val) }

// CompareAndSwap sets the value to val if it is old and reports whether it did.
func (u *Uint32) CompareAndSwap(old, val uint32) bool { return u.v.CompareAndSwap(old, val) }

// A Uint64 is an atomic uint64, 64-bit aligned on every machine. The zero
// value is 0. A Uint64 must not be copied after first use.
type Uint64 struct{ v atomic.Uint64 }

// Load returns the value.
func (u *Uint64) Load() uint64 { return u.v.Load() }

// Store sets the value to val.
func (u *Uint64) Store(val uint64) { u.v.Store(val) }

// StoreRelease sets the value to val; see [Uint32.StoreRelease].
func (u *Uint64) StoreRelease(val uint64) { storeRelease64(&u.v, val) }

// ClearLowByteRelease is [Uint32.ClearLowByteRelease].
func (u *Uint64) ClearLowByteRelease() { clearLowByteRelease64(&u.v) }

// Add adds delta and returns the new value. It wraps modulo 2⁶⁴.
func (u *Uint64) Add(delta uint64) uint64 { return u.v.Add(delta) }

// AddOwn adds delta to a word that is the caller's own; see [Uint32.AddOwn].
func (u *Uint64) AddOwn(delta uint64) { addOwn64(&u.v, delta) }

// And sets the value to old & mask and returns old.
func (u *Uint64) And(mask uint64) (old uint64) { return u.v.And(mask) }

// Or sets the value to old | mask and returns old.
func (u *Uint64) Or(mask uint64) (old uint64) { return u.v.Or(mask) }

// Swap sets the value to val and returns the old one.
func (u *Uint64) Swap(val uint64) (old uint64) { return u.v.Swap(val) }

// CompareAndSwap sets the value to val if it is old and reports whether it did.
func (u *Uint64) CompareAndSwap(old, val uint64) bool { return u.v.CompareAndSwap(old, val) }

// An Int64 is an atomic int64, 64-bit aligned on every machine. The zero
// value is 0. An Int64 must not be copied after first use.
type Int64 struct{ v atomic.Int64 }

// Load returns the value.
func (i *Int64) Load() int64 { return i.v.Load() }

// Store sets the value to val.
func (i *Int64) Store(val int64) { i.v.Store(val) }

// StoreRelease sets the value to val; see [Uint32.StoreRelease].
func (i *Int64) StoreRelease(val int64) { storeReleaseInt64(&i.v, val) }

// Add adds delta and returns the new value.
func (i *Int64) Add(delta int64) int64 { return i.v.Add(delta) }

// And sets the value to old & mask and returns old.
func (i *Int64) And(mask int64) (old int64) { return i.v.And(mask) }

// Or sets the value to old | mask and returns old.
func (i *Int64) Or(mask int64) (old int64) { return i.v.Or(mask) }

// Swap sets the value to val and returns the old one.
func (i *Int64) Swap(val int64) (old int64) { return i.v.Swap(val) }

// CompareAndSwap sets the value to val if it is old and reports whether it did.
func (i *Int64) CompareAndSwap(old, val int64) bool { return i.v.CompareAndSwap(old, val) }

// A Pointer is an atomic *T. The zero value is nil.
// A Pointer must not be copied after first use.
type Pointer[T any] struct{ v atomic.Pointer[T] }

// Load returns the pointer.
func (p *Pointer[T]) Load() *T { return p.v.Load() }

// Store sets the pointer to val.
func (p *Pointer[T]) Store(val *T) { p.v.Store(val) }

// StoreRelease sets the pointer to val after all earlier accesses of the caller. The
// collector must see every store of a pointer, so on the host it is Store. It says that
// the algorithm needs no more than release.
func (p *Pointer[T]) StoreRelease(val *T) { p.v.Store(val) }

// Swap sets the pointer to val and returns the old one.
func (p *Pointer[T]) Swap(val *T) (old *T) { return p.v.Swap(val) }

// CompareAndSwap sets the pointer to val if it is old and reports whether it did.
func (p *Pointer[T]) CompareAndSwap(old, val *T) bool { return p.v.CompareAndSwap(old, val) }
