package catalog

// An Order says which waiter is next. The zero Order is none of them.
type Order int

// The orders of service.
const (
	_                Order = iota
	NoOrder                // nothing is locked
	Barging                // a goroutine that arrives may overtake all that wait
	FIFO                   // strictly in the order of arrival, which locksim checks
	NearlyFIFO             // in the order of arrival, with the exceptions that the entry has
	Segments               // those that came while others were served, the last of them first
	ReadersFirst           // readers overtake writers that wait
	Phases                 // readers and writers in turns
	ReadersNeverWait       // updaters exclude each other, and no reader
)

// String returns the order as tables have it, "" if it is none.
func (o Order) String() string {
	return map[Order]string{
		NoOrder:          "none",
		Barging:          "barging",
		FIFO:             "FIFO",
		NearlyFIFO:       "FIFO",
		Segments:         "segments, each the newest first",
		ReadersFirst:     "readers first",
		Phases:           "phases of readers and writers",
		ReadersNeverWait: "readers never wait",
	}[o]
}

// A Wait says what a waiter does. The zero Wait is none of them.
type Wait int

// The ways to wait.
const (
	_              Wait = iota
	Never               // there are no waiters
	Spins               // on the CPU, or yields to other goroutines
	SpinsThenParks      // on the CPU for a bounded time, then off it
	Parks               // off the CPU
	UpdatersPark        // updaters spin, then park; readers never wait
)

// String returns the way as tables have it, "" if it is none.
func (w Wait) String() string {
	return map[Wait]string{
		Never:          "never",
		Spins:          "spins",
		SpinsThenParks: "spins then parks",
		Parks:          "parks",
		UpdatersPark:   "updaters spin then park",
	}[w]
}
