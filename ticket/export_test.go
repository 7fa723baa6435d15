package ticket

// NewAt returns an unlocked Lock whose next ticket is n.
func NewAt(n uint32) *Lock {
	l := new(Lock)
	l.next.Store(n)
	l.owner.Store(n)
	return l
}

// NewProportionalAt returns an unlocked Proportional whose next ticket is n.
func NewProportionalAt(n uint32) *Proportional {
	l := new(Proportional)
	l.lock.next.Store(n)
	l.lock.owner.Store(n)
	return l
}

// Next returns the ticket that the next arrival draws.
func (l *Lock) Next() uint64 { return uint64(l.next.Load()) }

// Next returns the ticket that the next arrival draws.
func (l *Proportional) Next() uint64 { return l.lock.Next() }
