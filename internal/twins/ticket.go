package main

import "github.com/lockbench/lockbench/check"

var ticket = []twin{
	{file: "ticket.go", fault: "draws the ticket with a load and a store", kind: check.DataRace,
		old: "func (l *Lock) Lock() {\n\tticket := l.next.Add(1) - 1\n",
		new: "func (l *Lock) Lock() {\n\tticket := l.next.Load()\n\tl.next.Store(ticket + 1)\n"},
	{file: "ticket.go", fault: "compares tickets with <, which breaks when they wrap", kind: check.DataRace,
		old: "for l.owner.Load() != ticket {",
		new: "for l.owner.Load() < ticket {"},
	{file: "ticket.go", fault: "TryLock expects the ticket that is next, not the one being served", kind: check.Assertion,
		old: "return l.next.CompareAndSwap(owner, owner+1)",
		new: "owner = l.next.Load()\n\treturn l.next.CompareAndSwap(owner, owner+1)"},
	{file: "ticket.go", fault: "TryLock draws a ticket, come what may", kind: check.Assertion,
		old: "return l.next.CompareAndSwap(owner, owner+1)",
		new: "return l.next.Add(1)-1 == owner"},
	{file: "ticket.go", fault: "serves every other ticket", kind: check.Deadlock,
		old: "l.owner.StoreRelease(owner + 1)",
		new: "l.owner.StoreRelease(owner + 2)"},
	{file: "ticket.go", fault: "serves the last to draw, not the next in line", kind: check.Deadlock,
		old: "l.owner.StoreRelease(owner + 1)",
		new: "l.owner.StoreRelease(l.next.Load())"},
	{file: "ticket.go", fault: "unlocks what is unlocked in silence", kind: check.Assertion,
		old: "if owner == l.next.Load() {",
		new: "if false {"},
	{file: "proportional.go", fault: "Proportional: enters one ticket early", kind: check.DataRace,
		old: "case 1: // only the holder\n\t\t\tspin.Once()",
		new: "case 1: // only the holder\n\t\t\treturn"},
}
