// Package atomics is package inline with the words of sync/atomic and an int.
package atomics

import "sync/atomic"

var (
	U32 atomic.Uint32
	U64 atomic.Uint64
	I64 atomic.Int64
	B   atomic.Bool
	P   atomic.Pointer[int]
	C   int
)

func Uint32() uint32 {
	U32.Store(1)
	U32.Add(1)
	U32.And(1)
	U32.Or(1)
	U32.Swap(1)
	U32.CompareAndSwap(1, 2)
	return U32.Load()
}

func Uint64() uint64 {
	U64.Store(1)
	U64.Add(1)
	U64.And(1)
	U64.Or(1)
	U64.Swap(1)
	U64.CompareAndSwap(1, 2)
	return U64.Load()
}

func Int64() int64 {
	I64.Store(1)
	I64.Add(1)
	I64.And(1)
	I64.Or(1)
	I64.Swap(1)
	I64.CompareAndSwap(1, 2)
	return I64.Load()
}

func Bool() bool {
	B.Store(true)
	B.Swap(true)
	B.CompareAndSwap(true, false)
	return B.Load()
}

func Pointer() *int { return P.Load() }

func Cell() int {
	C = 1
	return C
}
