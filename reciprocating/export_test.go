package reciprocating

// Arrivals returns a number that changes whenever a goroutine arrives.
func (l *Lock) Arrivals() uint64 { return uint64(l.arrivals.Load()) }
