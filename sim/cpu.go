package sim

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A cpu is a virtual CPU. It runs one worker at a time.
type cpu struct {
	m       *machine
	id      int32
	rank    int   // see set.go
	now     picos // its clock: not after any event that is to come, while it runs, but see machine.hurry
	runs    *worker
	queue   []*worker // that want to run, the first one next
	woken   bool      // it will look for work soon
	stores  []store   // its store buffer, the oldest first
	drained []*worker // wait until there is nothing in it
	wants   [2]request
	pauses  []Pause // that are to come
	pace    float64 // how many times as long as others it takes
	free    map[unsafe.Pointer][]unsafe.Pointer
	recent  [recentLines]struct {
		number uintptr
		line   *line
	}
	spin   picos
	counts Counts
}

const recentLines = 64

// A store is in a store buffer.
type store struct {
	addr      unsafe.Pointer
	line      *line
	at        engine.Location // nil for a Cell, which has its value already
	val, mask uint64
	made      picos // when it came to the buffer
}

// A worker is a goroutine of the machine.
type worker struct {
	routine
	place      *place
	m          *machine
	id         int32
	cpu        *cpu
	body       func()
	state      state
	background bool
	pins       int
	turn       uint32 // counts its resumes that were scheduled: only the last one counts
	since      picos  // when it began to run

	read    []seen // what it has read since it last waited
	many    bool   // and there was more
	watches []watch
	spent   picos // in a wait that it may give up
	drains  picos // when it began to wait for a store buffer
	last    operation
	wait    wait

	woken bool // an Unpark ended its Park, not its deadline
}

type state uint8

const (
	ready    state = iota // it is in a CPU's queue
	running               // or waits for its operation to take effect
	spinning              // it keeps its CPU
	asleep
	done
)

var stateNames = [...]string{"waits for a CPU", "runs", "spins", "sleeps", "has ended"}

// A seen is a line and which of its versions a worker has read.
type seen struct {
	line    *line
	version uint32
}

// A watch is a line that a worker watches, as the watcher of that index.
type watch struct {
	line *line
	at   int
}

// killed is the panic that unwinds a worker whose run is over.
type killed struct{}

func (m *machine) start(f func(), c *cpu, background bool) *worker {
	w := &worker{m: m, id: int32(len(m.workers)), cpu: c, body: f, background: background}
	w.place = newPlace(w.live)
	w.rests = w.place
	w.wait = wait{since: 1, repeats: true, got: never}
	m.workers = append(m.workers, w)
	if !background {
		m.live++
	}
	return w
}

// live is w's goroutine.
func (w *worker) live() {
	m := w.m
	if m.over() {
		w.state = done
		m.turn = &m.main
		return
	}
	returned := false
	defer func() {
		w.state = done
		switch v := recover(); {
		case v != nil:
			if _, over := v.(killed); !over && m.failure == nil {
				m.failure = panicked(w, v)
			}
		case !returned: // by runtime.Goexit, as a test that fails
			m.exited = true
		}
		engine.Rests() // a new goroutine may have the number of this one
		m.turn = m.next()
	}()
	m.self = w
	engine.Runs()
	w.body()
	m.drain(w)
	if w.pins > 0 {
		panic("the worker ended while it was pinned")
	}
	if !w.background {
		m.live--
	}
	w.state = done
	m.last = max(m.last, w.cpu.now)
	m.tell(Ended, w, w.cpu.now, w.cpu.now)
	w.cpu.dispatch()
	returned = true
}

// suspend lets others run, until w is resumed.
func (w *worker) suspend() {
	m := w.m
	if !m.over() {
		engine.Rests()
		if next := m.next(); next != &w.routine {
			m.hand(&w.routine, next)
		}
		m.self = w
	}
	if m.over() {
		panic(killed{})
	}
	engine.Runs()
}

// slow returns how long the CPU takes for what takes others d.
func (c *cpu) slow(d picos) picos {
	if c.pace == 1 {
		return d
	}
	return picos(float64(d) * c.pace)
}

// pass lets d pass on the CPU of w, which runs, and returns when nothing happens earlier
// any more.
func (m *machine) pass(w *worker, d picos) { m.spend(w, d, 0) }

// most is how far a CPU may be ahead of what happens elsewhere.
const most = picos(100_000)

// hurry lets d pass on the CPU of w, but others may be behind by some time then: so there
// are fewer switches. It is for what no other CPU has to do with, at that time. What
// others have to do with asks for its line, with the time at which it does, or it comes
// after settle.
func (m *machine) hurry(w *worker, d picos) { m.spend(w, d, most) }

func (m *machine) spend(w *worker, d, ahead picos) {
	c := w.cpu
	c.now += d
	if len(c.pauses) > 0 {
		c.pause()
	}
	if w.pins == 0 && len(c.queue) > 0 && c.now-w.since >= m.costs.slice {
		m.tell(Preempted, w, c.now, c.now)
		m.preempt(w)
		return
	}
	if m.events.first() <= c.now-ahead || c.now > m.limit {
		m.resumeAt(w, c.now)
		w.suspend()
	}
}

// settle returns when nothing happens earlier any more than it is on the CPU of w, which
// runs.
func (m *machine) settle(w *worker) {
	if m.events.first() <= w.cpu.now {
		m.resumeAt(w, w.cpu.now)
		w.suspend()
	}
}

// pause stops the CPU for the pauses that have begun.
func (c *cpu) pause() {
	for len(c.pauses) > 0 && picosOf(c.pauses[0].After) <= c.now {
		c.now += picosOf(c.pauses[0].For)
		c.pauses = c.pauses[1:]
	}
}

// resumeAt resumes w at that time, and not at another that was said before.
func (m *machine) resumeAt(w *worker, at picos) {
	w.turn++
	m.push(at, resumes, w.id, w.turn)
}

// preempt lets another worker run that wants w's CPU.
func (m *machine) preempt(w *worker) {
	m.drain(w)
	c := w.cpu
	w.state = ready
	c.queue = append(c.queue, w)
	c.dispatch()
	w.suspend()
}

// dispatch lets the CPU run the next worker: of its queue, or else of the longest of
// others.
func (c *cpu) dispatch() {
	m := c.m
	c.runs = nil
	from := c
	if len(c.queue) == 0 {
		for i := range m.cpus {
			if other := m.cpus[i]; len(other.queue) > len(from.queue) {
				from = other
			}
		}
	}
	if len(from.queue) == 0 {
		m.idle++
		return
	}
	w := from.queue[0]
	from.queue = append(from.queue[:0], from.queue[1:]...)
	c.run(w)
}

// run lets the CPU, which is free, run w.
func (c *cpu) run(w *worker) {
	w.cpu, w.state = c, running
	c.runs = w
	if len(c.pauses) > 0 {
		c.pause()
	}
	c.counts.Switches++
	w.since = c.now + c.slow(c.m.costs.change)
	c.m.tell(Switched, w, c.now, w.since)
	c.m.resumeAt(w, w.since)
}

// enqueue lets w run as soon as there is a CPU for it. If one is idle it looks for work a
// moment later; otherwise a worker that spins on c, if it may, gives it up.
func (m *machine) enqueue(w *worker, c *cpu, now picos, first bool) {
	w.state = ready
	if first {
		c.queue = append([]*worker{w}, c.queue...)
	} else {
		c.queue = append(c.queue, w)
	}
	if m.idle > 0 {
		for _, id := range m.nearest[c.id] {
			if other := m.cpus[id]; other.runs == nil && !other.woken {
				other.woken = true
				m.push(now+other.slow(m.costs.start), looksForWork, other.id, 0)
				return
			}
		}
	}
	if r := c.runs; r != nil && r.state == spinning && r.pins == 0 {
		m.poll(r, nil, now)
	}
}

// look lets an idle CPU look for work.
func (c *cpu) look(now picos) {
	c.woken = false
	if c.runs != nil {
		return
	}
	c.now = max(c.now, now)
	c.m.idle--
	c.dispatch()
}

// A parker is where a worker sleeps.
type parker struct {
	held    bool // a wake-up
	sleeper *worker
}

// A timer is what happens to a worker, or which worker begins, at a time.
type timer struct {
	f       func()
	stopped bool
}

// sleep takes w's CPU away until it is enqueued again. Others may know already that w
// sleeps, so the store buffer must be empty: to wait for it would be too late.
func (m *machine) sleep(w *worker) {
	w.state = asleep
	m.tell(Parked, w, w.cpu.now, w.cpu.now)
	w.cpu.dispatch()
	w.suspend()
}
