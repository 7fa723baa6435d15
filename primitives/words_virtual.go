//go:build virtual

package primitives

import (
	"sync/atomic"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// Under the tag virtual the engine knows each word: an operation asks the engine for a
// step, takes it, and says what it did. Without an engine it is an atomic operation of
// the host. See words.go for what the types promise.

// engine returns the engine that runs the caller, or nil.
func current() engine.Engine { return engine.Current() }

// An integer is a word of an integer type. Its size is that of the native build, so that
// a struct has the same layout in both builds.
type integer[T uint32 | uint64 | int64] struct{ v T }

// all is the mask of a store to all bits.
const all = ^uint64(0)

func (w *integer[T]) addr() unsafe.Pointer { return unsafe.Pointer(w) }

func (w *integer[T]) load() T {
	if unsafe.Sizeof(w.v) == 4 {
		return T(atomic.LoadUint32((*uint32)(w.addr())))
	}
	return T(atomic.LoadUint64((*uint64)(w.addr())))
}

func (w *integer[T]) swap(old, val T) bool {
	if unsafe.Sizeof(w.v) == 4 {
		return atomic.CompareAndSwapUint32((*uint32)(w.addr()), uint32(old), uint32(val))
	}
	return atomic.CompareAndSwapUint64((*uint64)(w.addr()), uint64(old), uint64(val))
}

// Raw returns the value, for an engine.
func (w *integer[T]) Raw() (uint64, unsafe.Pointer) { return uint64(w.v), nil }

// SetRaw sets the value, for an engine.
func (w *integer[T]) SetRaw(bits uint64, _ unsafe.Pointer) { w.v = T(bits) }

// modify sets the value to f of it in one step.
func (w *integer[T]) modify(kind engine.Kind, f func(T) T) (old, now T) {
	if e := current(); e != nil {
		e.Access(w.addr(), w, kind, 0)
		old = w.v
		now = f(old)
		w.v = now
		e.Done(w.addr(), uint64(old), uint64(now))
		return old, now
	}
	for {
		old = w.load()
		if now = f(old); w.swap(old, now) {
			return old, now
		}
	}
}

func (w *integer[T]) release(val, mask uint64) {
	if e := current(); e != nil {
		e.StoreRelease(w.addr(), w, val, mask)
		return
	}
	w.modify(engine.Store, func(old T) T { return old&^T(mask) | T(val) })
}

func (w *integer[T]) Load() T {
	if e := current(); e != nil {
		return T(e.Load(w.addr(), w))
	}
	return w.load()
}

func (w *integer[T]) Store(val T) { w.modify(engine.Store, func(T) T { return val }) }

func (w *integer[T]) StoreRelease(val T) { w.release(uint64(val), all) }

func (w *integer[T]) Add(delta T) T {
	_, now := w.modify(engine.Modify, func(old T) T { return old + delta })
	return now
}

func (w *integer[T]) And(mask T) T {
	old, _ := w.modify(engine.Modify, func(old T) T { return old & mask })
	return old
}

func (w *integer[T]) Or(mask T) T {
	old, _ := w.modify(engine.Modify, func(old T) T { return old | mask })
	return old
}

func (w *integer[T]) Swap(val T) T {
	old, _ := w.modify(engine.Modify, func(T) T { return val })
	return old
}

func (w *integer[T]) CompareAndSwap(old, val T) bool {
	e := current()
	if e == nil {
		return w.swap(old, val)
	}
	e.Access(w.addr(), w, engine.CompareAndSwap, uint64(old))
	was := w.v
	if was == old {
		w.v = val
	}
	e.Done(w.addr(), uint64(was), uint64(w.v))
	return was == old
}

// AddOwn adds delta to a word that only the caller changes: a load and a store, which
// stays in the store buffer for a while.
func (w *integer[T]) AddOwn(delta T) {
	if current() == nil { // Pin may not exclude
		w.Add(delta)
		return
	}
	w.StoreRelease(w.Load() + delta)
}

// ClearLowByteRelease sets bits 0 to 7 to zero.
func (w *integer[T]) ClearLowByteRelease() { w.release(0, 0xff) }

// A Uint32 is an atomic uint32.
type Uint32 struct{ integer[uint32] }

// A Uint64 is an atomic uint64.
type Uint64 struct {
	_ [0]atomic.Uint64 // aligns it
	integer[uint64]
}

// An Int64 is an atomic int64.
type Int64 struct {
	_ [0]atomic.Int64 // aligns it
	integer[int64]
}

// A Pointer is an atomic *T.
type Pointer[T any] struct {
	v atomic.Pointer[T]
}

// Raw returns the value, for an engine.
func (p *Pointer[T]) Raw() (uint64, unsafe.Pointer) {
	v := p.v.Load()
	return address(v), unsafe.Pointer(v)
}

// SetRaw sets the value, for an engine.
func (p *Pointer[T]) SetRaw(_ uint64, v unsafe.Pointer) { p.v.Store((*T)(v)) }

func address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// Load returns the pointer.
func (p *Pointer[T]) Load() *T {
	if e := current(); e != nil {
		e.Access(unsafe.Pointer(p), p, engine.Load, 0)
		v := p.v.Load()
		e.Done(unsafe.Pointer(p), address(v), address(v))
		return v
	}
	return p.v.Load()
}

// Store sets the pointer to val.
func (p *Pointer[T]) Store(val *T) { p.swap(engine.Store, val) }

// StoreRelease is Store, as on the host.
func (p *Pointer[T]) StoreRelease(val *T) { p.swap(engine.Store, val) }

// Swap sets the pointer to val and returns the old one.
func (p *Pointer[T]) Swap(val *T) (old *T) { return p.swap(engine.Modify, val) }

func (p *Pointer[T]) swap(kind engine.Kind, val *T) (old *T) {
	if e := current(); e != nil {
		e.Access(unsafe.Pointer(p), p, kind, 0)
		old = p.v.Swap(val)
		e.Done(unsafe.Pointer(p), address(old), address(val))
		return old
	}
	return p.v.Swap(val)
}

// CompareAndSwap sets the pointer to val if it is old and reports whether it did.
func (p *Pointer[T]) CompareAndSwap(old, val *T) bool {
	e := current()
	if e == nil {
		return p.v.CompareAndSwap(old, val)
	}
	e.Access(unsafe.Pointer(p), p, engine.CompareAndSwap, address(old))
	was := p.v.Load()
	swapped := p.v.CompareAndSwap(old, val)
	e.Done(unsafe.Pointer(p), address(was), address(p.v.Load()))
	return swapped
}
