package sim

import (
	"iter"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A cpu is a virtual CPU. It runs one worker at a time.
type cpu struct {
	m       *machine
	id      int32
	now     picos // its clock: no later than that of any event that is to come, while it runs
	runs    *worker
	queue   []*worker // that want to run, the first one next
	woken   bool      // it will look for work soon
	stores  []store   // its store buffer, the oldest first
	drained []*worker // wait until there is nothing in it
	pauses  []Pause   // that are to come
	pace    float64   // how many times as long as others it takes
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
}

// A worker is a goroutine of the machine.
type worker struct {
	m          *machine
	id         int
	cpu        *cpu
	body       func()
	resume     func() (struct{}, bool)
	yield      func(struct{}) bool
	stop       func()
	state      state
	background bool
	pins       int
	turn       uint64 // counts its resumes that were scheduled: only the last one counts
	since      picos  // when it began to run

	read    []seen // what it has read since it last waited
	many    bool   // and there was more
	watches []*line
	from    picos // when its wait began
	burst   picos // between two looks at what it waits for
	spent   picos // in a wait that it may give up

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

// killed is the panic that unwinds a worker whose run is over.
type killed struct{}

func (m *machine) start(f func(), c *cpu, background bool) *worker {
	w := &worker{m: m, id: len(m.workers), cpu: c, body: f, background: background}
	w.resume, w.stop = iter.Pull(w.loop)
	m.workers = append(m.workers, w)
	if !background {
		m.live++
	}
	return w
}

func (w *worker) loop(yield func(struct{}) bool) {
	w.yield = yield
	m := w.m
	defer func() {
		w.state = done
		if v := recover(); v != nil {
			if _, over := v.(killed); !over && m.failure == nil {
				m.failure = panicked(w, v)
			}
		}
	}()
	engine.Runs()
	w.body()
	if m.over() {
		return
	}
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
}

// suspend lets others run, until w is resumed.
func (w *worker) suspend() {
	w.yield(struct{}{})
	if w.m.over() {
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
func (m *machine) pass(w *worker, d picos) {
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
	if len(m.events) > 0 && m.events[0].at <= c.now || c.now > m.limit {
		m.resumeAt(w, c.now)
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
	m.events.push(event{at: at, class: effects, tie: m.tie(), seq: m.next(), what: w, turn: w.turn})
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
				m.events.push(event{at: now + other.slow(m.costs.start), class: others, tie: m.tie(), seq: m.next(), what: other, turn: looksForWork})
				return
			}
		}
	}
	if r := c.runs; r != nil && r.state == spinning && r.pins == 0 {
		m.poll(r, now)
	}
}

// What happens to a CPU.
const (
	looksForWork uint64 = iota
	storeArrives
)

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

// watch has w spin until one of the lines that it has read changes, and reports whether
// it has to: none has changed since.
func (w *worker) watch() bool {
	if w.many || len(w.read) == 0 {
		return false // it does not know all that could change
	}
	for _, s := range w.read {
		if s.line.version != s.version {
			return false
		}
	}
	for _, s := range w.read {
		s.line.watched = append(s.line.watched, w)
		w.watches = append(w.watches, s.line)
	}
	return true
}

// unwatch ends what watch has begun.
func (w *worker) unwatch() {
	for _, l := range w.watches {
		for i, other := range l.watched {
			if other == w {
				l.watched = append(l.watched[:i], l.watched[i+1:]...)
				break
			}
		}
	}
	w.watches = w.watches[:0]
}

// poll resumes a worker that spins, when it next looks after a change at that time.
func (m *machine) poll(w *worker, at picos) {
	w.unwatch()
	next := w.from
	if at > next {
		n := (at - w.from + w.burst - 1) / w.burst
		next += n * w.burst
	}
	m.resumeAt(w, next)
}
