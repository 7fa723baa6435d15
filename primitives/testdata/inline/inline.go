// Package inline uses every word from a package that does not itself import
// sync/atomic: the case in which an alias would cost a call (golang/go#74783).
package inline

import "github.com/lockbench/lockbench/primitives"

var (
	U32 primitives.Uint32
	U64 primitives.Uint64
	I64 primitives.Int64
	B   primitives.Bool
	P   primitives.Pointer[int]
	C   primitives.Cell[int]
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
	C.Set(1)
	return C.Get()
}
