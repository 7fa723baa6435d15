package main

import "github.com/lockbench/lockbench/check"

var qspinlock = []twin{
	{file: "qspinlock.go", fault: "takes back a pending bit that is another's", kind: check.DataRace,
		old: "if word&pending == 0 {",
		new: "{"},
	{file: "qspinlock.go", fault: "does not look whether another waiter was pending first", kind: check.DataRace,
		old: "if word&^lockedMask != 0 {\n\t\t// Another",
		new: "if word&^(lockedMask|pending) != 0 {\n\t\t// Another"},
	{file: "qspinlock.go", fault: "sets the pending bit with a load and a store", kind: check.Deadlock,
		old: "word = l.word.Or(pending)",
		new: "word = l.word.Load()\n\tl.word.Store(word | pending)"},
	{file: "qspinlock.go", fault: "takes over with a store, and forgets the queue", kind: check.Deadlock,
		old: "l.word.Add(takeOver)",
		new: "l.word.StoreRelease(locked)"},
	{file: "qspinlock.go", fault: "releases the whole word", kind: check.Deadlock,
		old: "others write the rest.\n\tl.word.ClearLowByteRelease()",
		new: "others write the rest.\n\tl.word.StoreRelease(0)"},
	{file: "qspinlock.go", fault: "the head of the queue does not wait for the pending waiter", kind: check.Deadlock,
		old: "case word&^tailMask != 0:",
		new: "case word&lockedMask != 0:"},
	{file: "qspinlock.go", fault: "the last in the queue takes the lock with a store", kind: check.Deadlock,
		old: "if l.word.CompareAndSwap(tail, locked) {",
		new: "if l.word.Store(locked); true {"},
	{file: "qspinlock.go", fault: "the head of the queue does not wake the next", kind: check.Deadlock,
		old: "next.Wake()",
		new: "_ = next"},
	{file: "qspinlock.go", fault: "a waiter that queues does not wait to be the head", kind: check.DataRace,
		old: "if prev != 0 {\n\t\tw.Await(spin)",
		new: "if false {\n\t\tw.Await(spin)"},
}
