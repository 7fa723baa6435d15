package main

import "github.com/lockbench/lockbench/check"

var waiter = []twin{
	{file: "waiter.go", fault: "a waiter keeps the link of its last wait", kind: check.Assertion,
		old: "next.StoreRelease(0) // restores I1\n",
		new: ""},
	{file: "waiter.go", fault: "two goroutines enlist one waiter", kind: check.DataRace,
		old: "if w.busy.Load() == 0 && w.busy.CompareAndSwap(0, 1) {",
		new: "if w.busy.Load() == 0 {\n\t\t\tw.busy.Store(1)"},
	{file: "lines.go", fault: "a goroutine that gets in a line does not wait to be its head", kind: check.Assertion,
		old: "s.turn.Await(primitives.Spin{InLine: true})",
		new: ""},
	{file: "lines.go", fault: "the head of a line leaves without waking the next", kind: check.Deadlock,
		old: "next.turn.Handoff()",
		new: ""},
	{file: "lines.go", fault: "all locks share a line", kind: check.Deadlock,
		old: "for l != nil && l.lock != lock {",
		new: "for false {"},
	{file: "lines.go", fault: "a line that is empty stays", kind: check.Deadlock,
		old: "s.line.remove()",
		new: ""},
}
