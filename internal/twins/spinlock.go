package main

import "github.com/lockbench/lockbench/check"

var spinlock = []twin{
	{file: "spinlock.go", fault: "looks and then stores, without a CAS", kind: check.DataRace,
		old: "return l.word.CompareAndSwap(0, 1) // acquire: pairs with Unlock\n}",
		new: "if l.word.Load() != 0 {\n\t\treturn false\n\t}\n\tl.word.Store(1)\n\treturn true\n}"},
	{file: "spinlock.go", fault: "never writes the release", kind: check.Deadlock,
		old: "l.word.StoreRelease(0)",
		new: "l.word.Load()"},
	{file: "spinlock.go", fault: "unlocks what is unlocked in silence", kind: check.Assertion,
		old: "if l.word.Load() == 0 {\n\t\tpanic(",
		new: "if false {\n\t\tpanic("},
	{file: "spinlock.go", fault: "unpins before it unlocks, and after", kind: check.Misuse,
		old: "l.Unlock()\n\tprimitives.Unpin()",
		new: "primitives.Unpin()\n\tl.Unlock()\n\tprimitives.Unpin()"},
	{file: "tas.go", fault: "TAS: enters when it finds the lock taken", kind: check.DataRace,
		old: "l.word.Swap(1) != 0",
		new: "l.word.Swap(1) == 0"},
	{file: "ttas.go", fault: "TTAS: takes what looks free with a store", kind: check.DataRace,
		old: "if l.word.CompareAndSwap(0, 1) {",
		new: "if l.word.Store(1); true {"},
	{file: "backoff.go", fault: "Backoff: takes what looks free with a store", kind: check.DataRace,
		old: "if l.word.CompareAndSwap(0, 1) {",
		new: "if l.word.Store(1); true {"},
}
