package inline

import "github.com/lockbench/lockbench/primitives"

// What sync/atomic does not have.

var F primitives.Pool[int]

func Release() {
	U32.StoreRelease(1)
	U64.StoreRelease(1)
	I64.StoreRelease(1)
	B.StoreRelease(true)
	U32.ClearLowByteRelease()
	U64.ClearLowByteRelease()
	U32.AddOwn(1)
	U64.AddOwn(1)
}

func Pool() { F.Put(F.Get()) }
