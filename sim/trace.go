package sim

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/engine"
)

// An EventKind says what happened.
type EventKind uint8

const (
	LineCame  EventKind = iota // a cache line came to CPU, from the CPU From or from memory
	CopyLost                   // CPU lost its copy of a line, because the CPU From writes to it
	Spun                       // Worker waited, and kept its CPU
	Parked                     // Worker gave its CPU up, until it is woken
	Woke                       // Worker woke the worker Woken, which slept
	Switched                   // CPU turned to Worker, which runs from End on
	Preempted                  // Worker had its time slice: another goes on, once CPU's stores are in memory
	Ended                      // Worker ended
	Marked                     // Worker called Mark
)

var eventKindNames = [...]string{"line came", "copy lost", "spun", "parked", "woke", "switched", "preempted", "ended", "marked"}

// String returns the kind in words, such as "line came".
func (k EventKind) String() string {
	if int(k) < len(eventKindNames) {
		return eventKindNames[k]
	}
	return fmt.Sprintf("EventKind(%d)", uint8(k))
}

// An Event is something that happened in a run; see [Config.Observe]. Times are in
// picoseconds since the run began.
type Event struct {
	Kind   EventKind
	CPU    int // of those that are used
	Worker int // in the order in which they were started: the body is 0; none is -1

	// Begin and End say when. A line is asked for at Begin, on its way from Served on, and
	// there at End. Most other kinds have a moment only, and the two are the same.
	Begin, Served, End int64

	// From is the CPU that a line came from, or -1 for memory, and Distance how far it
	// came. Write says that it came for Worker to write to it, or, without a worker, for
	// the CPU's store buffer: when that asked for it is not known, and Begin is Served.
	From     int
	Distance Distance
	Write    bool
	Line     uintptr // its address, also of a copy that was lost

	Woken int    // the worker that Worker woke, if Kind is Woke
	Name  string // of a mark
}

// Mark tells [Config.Observe] that the calling worker has come to the place in its body
// that has that name. It takes no time; outside of a run it does nothing.
func Mark(name string) {
	m, simulated := engine.Current().(*machine)
	if !simulated || m.observe == nil {
		return
	}
	w := m.self
	e := w.event(Marked, w.cpu.now, w.cpu.now)
	e.Name = name
	m.observe(e)
}

func (w *worker) event(kind EventKind, begin, end picos) Event {
	return Event{Kind: kind, CPU: int(w.cpu.id), Worker: int(w.id), Begin: int64(begin), Served: int64(begin), End: int64(end)}
}

// tell tells the observer, if there is one, what w did on its CPU.
func (m *machine) tell(kind EventKind, w *worker, begin, end picos) {
	if m.observe != nil {
		m.observe(w.event(kind, begin, end))
	}
}

// tellWoken tells the observer, if there is one, that w has woken another.
func (m *machine) tellWoken(w, other *worker) {
	if m.observe != nil {
		e := w.event(Woke, w.cpu.now, w.cpu.now)
		e.Woken = int(other.id)
		m.observe(e)
	}
}

// tellGrant tells the observer, which is there, that a request for l is granted, before l
// says so itself.
func (m *machine) tellGrant(l *line, r *request, now, done picos) {
	c := r.cpu
	came := Event{
		Kind: LineCame, CPU: int(c.id), Worker: -1, Begin: int64(now), Served: int64(now), End: int64(done),
		From: -1, Distance: Self, Write: r.write, Line: l.addr,
	}
	if r.worker != nil {
		came.Worker, came.Begin = int(r.worker.id), int64(c.now) // its clock stands still while it waits
		if w := &r.worker.wait; w.asked {
			came.Begin = int64(w.looked)
		}
	}
	if r.write && l.owner < 0 {
		lost := came
		lost.Kind, lost.From, lost.Begin = CopyLost, int(c.id), int64(now)
		for _, other := range m.cpus {
			if other != c && l.copies.has(other.rank) {
				lost.CPU, lost.Distance = int(other.id), m.distance(other.id, c.id)
				m.observe(lost)
			}
		}
	}
	if l.copies.has(c.rank) {
		return // no line travels
	}
	if l.last >= 0 {
		from := m.source(l, c, r.write)
		came.From, came.Distance = int(from), m.distance(from, c.id)
	}
	m.observe(came)
}

// source returns the CPU from which c gets l, which others have: for reading, from the
// cache near the one that wrote to it last; for writing, from the nearest. It is as far as
// read and write take it to be.
func (m *machine) source(l *line, c *cpu, write bool) int32 {
	switch {
	case l.owner >= 0:
		return l.owner
	case !write && l.copies.has(m.cpus[l.last].rank):
		return l.last
	}
	nearest := int32(-1)
	for _, other := range m.cpus {
		if i := other.id; l.copies.has(other.rank) && (nearest < 0 || m.distance(i, c.id) < m.distance(nearest, c.id)) {
			nearest = i
		}
	}
	return nearest
}
