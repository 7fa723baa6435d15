package anderson

import "github.com/lockbench/lockbench/primitives"

// NewAt returns an unlocked Lock with that many slots, a power of two, whose next
// ticket is n.
func NewAt(slots, n uint32) *Lock {
	l := &Lock{unused: Slots - slots}
	for i := range slots {
		l.slot(n + i).Store(n + i - slots)
	}
	l.slot(n).Store(n)
	l.next.Store(n)
	return l
}

// Next returns the ticket that the next arrival draws.
func (l *Lock) Next() uint64 { return uint64(l.next.Load()) }

// Slot returns the word that the waiter with a ticket watches.
func (l *Lock) Slot(ticket uint32) *primitives.Uint32 { return l.slot(ticket) }
