package check

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A proc is what can take a step: a worker, a worker's store buffer when it
// writes its oldest store to memory, or a worker's alarm, which ends its Park.
type proc int

const (
	maxWorkers = 10
	maxProcs   = 3 * maxWorkers
)

func (w *worker) proc() proc   { return proc(3 * w.id) }
func (w *worker) buffer() proc { return proc(3*w.id + 1) }
func (w *worker) alarm() proc  { return proc(3*w.id + 2) }

// procs is a set of procs.
type procs uint32

func (s procs) has(p proc) bool { return s>>p&1 != 0 }
func (s procs) count() int      { return bits.OnesCount32(uint32(s)) }
func (s procs) first() proc     { return proc(bits.TrailingZeros32(uint32(s))) }
func one(p proc) procs          { return 1 << p }

// after returns the next proc of a set after p; after the last comes the first.
func (s procs) after(p proc) proc {
	if rest := s &^ (1<<(p+1) - 1); rest != 0 {
		return rest.first()
	}
	return s.first()
}

// An op is the next step of a proc.
type op struct {
	kind   opKind
	object int32 // what it accesses, or -1
	write  bool  // whether it may change that
	cas    bool  // whether it writes only if it finds expect
	fence  bool  // whether it waits for the worker's store buffer to drain
	expect uint64
	more   []seen // what else it reads
	timer  *worker
	cpu    int
}

type opKind uint8

const (
	opLoad opKind = iota
	opStore
	opModify
	opCompareAndSwap
	opFlush
	opWait
	opYield
	opSleep
	opNow
	opClock // the clock moves on
	opAnnounce
	opPark
	opUnpark
	opExpire
	opCancel
	opErr
	opTimer
	opStop
	opPin
	opUnpin
	opFence
	opMembarrier
	opJoin
	opRead  // of a Cell, which is not a step
	opWrite // of a Cell, which is not a step
	opIssue // of a store into the buffer, which is not a step
	opChoose

	lastWordOp = opFlush // up to here only the store buffer can keep an op from being possible
)

// A search decides which proc takes each step, and which way each choice goes. The
// machine tells it what happens.
type search interface {
	begin()
	// known returns the proc that takes the next step, if that does not depend on
	// which procs can.
	known() (proc, bool)
	// pick chooses the next proc among enabled, which is not empty; self had the
	// last step. It returns false to abandon the execution.
	pick(self proc, enabled procs) (proc, bool)
	// choose chooses one of n ways.
	choose(self proc, n int) int
	// step says that p takes its step o.
	step(p proc, o *op)
	// changed says that the step changed its object.
	changed()
	// issue says that w put a store in its buffer.
	issue(w *worker)
	// follow says that the next step of p comes after all steps of q so far.
	follow(p, q proc)
	// keep and recall are follow in two parts: the next step of p comes after all
	// steps of q until it was kept under n.
	keep(n int, q proc)
	recall(p proc, n int)
}

// A blind search does not look at what happens.
type blind struct{}

func (blind) known() (proc, bool) { return 0, false }

func (blind) step(proc, *op)   {}
func (blind) changed()         {}
func (blind) issue(*worker)    {}
func (blind) follow(_, _ proc) {}
func (blind) keep(int, proc)   {}
func (blind) recall(proc, int) {}

// A vm is the virtual machine. It runs one execution after the other, one worker at a
// time, and is the workers' engine.
type vm struct {
	search search
	steps  int    // so far
	sum    uint64 // of what they were
	summed bool   // whether that is wanted
	limit  int    // on steps
	cpus   int    // how many CPUs the workers share, or 0 if each has its own
	cpu    [maxWorkers]byte
	debts  [maxWorkers]debt
	spins  int  // how often a wait that may end continues
	cut    bool // whether one of them had to end because of that
	pinned bool // whether any worker was ever pinned

	workers []*worker // all that were ever started; the first live of them are in use
	live    int
	self    *worker // the worker that runs, or ran last
	alone   *worker // the only worker that takes steps, as long as it can, or nil
	starver *worker // a worker that waits pinned to the only CPU, or nil
	next    *worker // the worker to run next; nil while one runs, or if the execution is over
	silent  uint32  // workers that run on before the next step is chosen
	pending [maxProcs]op

	memory
	now      int64
	tick     time.Duration // how far the clock moves on at the next look
	read     bool          // whether any worker ever looked at the clock
	passed   bool          // whether it ever moved on
	clocked  bool          // whether a look at the clock and a change of it conflict
	long     bool          // whether all take turns, in the second half of a long execution
	turn     proc          // the proc that had the last turn
	script   script        // the decisions so far
	outcome  outcome
	failure  *failure
	killing  bool
	recorder *recorder     // nil unless the execution is traced
	begun    atomic.Uint64 // executions so far
	gone     atomic.Bool   // whether the search was given up
	watch    watch
}

type outcome uint8

const (
	running outcome = iota
	complete
	failed
	abandoned // by the search, or because it is equivalent to another one
)

// run runs one execution of body.
func (m *vm) run(body func()) outcome {
	m.memory.begin()
	m.begun.Add(1)
	m.sum = 0
	m.steps, m.live, m.silent, m.now = 0, 0, 0, 0
	m.tick, m.long, m.turn = firstTick, false, 0
	m.debts, m.alone, m.starver = [maxWorkers]debt{}, nil, nil
	m.outcome, m.failure, m.script = running, nil, m.script[:0]
	m.search.begin()
	w := m.add(body, false)
	m.silent = 0
	w.state = runs
	m.self, m.next = w, w
	for m.next != nil {
		m.next.resume()
	}
	m.kill()
	m.memory.restore()
	return m.outcome
}

// kill unwinds the workers that have not finished.
func (m *vm) kill() {
	m.killing = true
	for _, w := range m.workers[:m.live] {
		if w.inside {
			m.self = w
			w.resume()
		}
		w.body = nil
	}
	m.killing = false
}

// givenUp stops a worker of a search that was given up.
func (m *vm) givenUp() {
	if m.gone.Load() {
		select {}
	}
}

// close ends the workers' coroutines.
func (m *vm) close() {
	engine.Rests()
	for _, w := range m.workers {
		if !w.lost {
			w.stop()
		}
	}
}

// room ends the execution if n more workers are too many.
func (m *vm) room(n int) {
	for _, w := range m.workers[:m.live] {
		n += w.alike
	}
	if m.live+n > maxWorkers {
		m.abort(Misuse, fmt.Sprintf("more than %d workers besides the body", maxWorkers-1))
	}
}

// add makes a worker that will run f.
func (m *vm) add(f func(), background bool) *worker {
	switch {
	case m.live == len(m.workers):
		m.workers = append(m.workers, newWorker(m, m.live))
	case m.workers[m.live].lost:
		m.workers[m.live] = newWorker(m, m.live)
	}
	w := m.workers[m.live]
	m.live++
	w.reset(f, background)
	w.clock[w.id] = 1
	m.silent |= 1 << w.id
	return w
}

// start makes a worker that will run f after what the running worker has done.
func (m *vm) start(f func(), background bool) *worker {
	w := m.add(f, background)
	m.search.follow(w.proc(), m.self.proc())
	w.clock = m.self.clock
	w.clock[w.id] = 1
	m.self.clock[m.self.id]++
	return w
}

// step waits until w, which runs, may take step o.
func (m *vm) step(w *worker, o op) {
	m.pending[w.proc()] = o
	w.state = posted
	m.block(w)
}

// block lets other workers run until it is w's turn.
func (m *vm) block(w *worker) {
	if m.recorder != nil {
		m.recorder.blocks(w)
	}
	if m.decide(w) {
		return
	}
	// The next worker is resumed from here, unless it is below w: it has resumed w,
	// and continues when w yields. That saves about half of the switches.
	for m.next != w {
		if next := m.next; next != nil && !next.below {
			w.below = true
			next.resume()
			w.below = false
			continue
		}
		w.yield(struct{}{})
		if m.killing {
			engine.Runs()
			panic(killed{})
		}
	}
	m.next = nil
	engine.Runs()
}

// decide chooses steps, and takes those of buffers and alarms itself, until a worker
// must run. It reports whether that is self; otherwise it is m.next, if not nil.
func (m *vm) decide(self *worker) bool {
	for {
		var w *worker
		if m.silent != 0 {
			i := bits.TrailingZeros32(m.silent)
			m.silent &^= 1 << i
			w = m.workers[i]
		} else {
			p, ok := m.pick()
			if !ok {
				m.next = nil
				return false
			}
			o := &m.pending[p]
			if o.cas {
				o.write = m.value(o.object) == o.expect
			}
			m.steps++
			if m.summed {
				m.sum = (m.sum ^ uint64(o.kind)<<40 ^ uint64(uint32(o.object))) * 0x9e3779b97f4a7c15
			}
			m.script = append(m.script, int8(p))
			m.search.step(p, o)
			if m.recorder != nil {
				m.recorder.taken(p, o)
			}
			w = m.workers[p/3]
			if w.alike > 0 && p == w.proc() {
				m.another(w)
			}
			switch p {
			case w.buffer():
				m.flush(w)
				continue
			case w.alarm():
				m.expire(w)
				continue
			}
		}
		w.state = runs
		m.self = w
		if w == self {
			return true
		}
		m.next = w
		return false
	}
}

// note records a step, if the execution is recorded.
func (m *vm) note(p proc, o *op, old, now uint64) {
	if m.recorder != nil {
		m.recorder.step(m, p, o, old, now)
	}
}

// pick chooses the next step, or ends the execution.
func (m *vm) pick() (proc, bool) {
	if w := m.starver; w != nil {
		m.fail(Deadlock, fmt.Sprintf("%v is pinned to the only CPU, and so no other worker can end its wait", w))
		return 0, false
	}
	if m.alone == nil && m.steps < m.limit/2 {
		if p, ok := m.search.known(); ok {
			return p, true
		}
	}
	enabled, needed := m.enabled()
	done := m.workers[0].state == finished
	switch {
	case enabled == 0 && done:
		m.outcome = complete
		return 0, false
	case m.steps >= m.limit:
		m.fail(Livelock, fmt.Sprintf("%d steps and no end, though in the last %d all took turns: the workers keep each other from getting on, or the limit on steps is too low", m.steps, m.steps-m.limit/2))
		return 0, false
	case done: // the background and the buffers may still race with what was done
	case needed == 0 && m.spared():
		m.outcome = abandoned // equivalent to one in which the wait has ended
		return 0, false
	case needed == 0:
		m.fail(Deadlock, "no worker can continue")
		return 0, false
	}
	if m.steps >= m.limit/2 {
		m.long = true
		enabled = one(m.nextTurn(enabled, needed))
	}
	p, ok := m.search.pick(m.self.proc(), enabled)
	if !ok {
		m.outcome = abandoned
	}
	return p, ok
}

// nextTurn returns the proc that takes the next step while all take turns. Steps that
// need not happen do not.
func (m *vm) nextTurn(enabled, needed procs) proc {
	if enabled&needed != 0 {
		enabled &= needed
	}
	m.turn = enabled.after(m.turn)
	return m.turn
}

// pends reports whether p has a step that it could take, now or later.
func (m *vm) pends(p proc) bool {
	if int(p)/3 >= m.live {
		return false
	}
	switch w := m.workers[p/3]; p {
	case w.proc():
		return w.state == posted
	case w.buffer():
		return len(w.stores) > 0
	default:
		return w.cancelled
	}
}

// choose chooses one of n ways for the running worker.
func (m *vm) choose(n int) int {
	way := m.search.choose(m.self.proc(), n)
	m.script = append(m.script, int8(-1-way))
	if m.recorder != nil {
		m.recorder.chose(m.self, way, n)
	}
	return way
}

// enabled returns the procs that can take a step, and which of them must do so in
// the end.
func (m *vm) enabled() (enabled, needed procs) {
	for _, w := range m.workers[:m.live] {
		if w.state == posted {
			o := &m.pending[w.proc()]
			if o.kind <= lastWordOp && !o.fence || m.can(w) { // most ops, quickly
				enabled |= one(w.proc())
				if !w.optional {
					needed |= one(w.proc())
				}
			}
		}
		if len(w.stores) > 0 {
			enabled |= one(w.buffer())
			needed |= one(w.buffer())
		}
		if w.cancelled {
			if w.deadline.over() {
				enabled |= one(w.alarm())
			}
			needed = enabled // includes a cancellation that need not come: it was chosen
		}
	}
	if w := m.alone; w != nil {
		if own := one(w.proc()) | one(w.buffer()); enabled&own != 0 {
			return enabled & own, needed & own
		}
		m.alone = nil
	}
	return enabled, needed
}

// can reports whether w's pending step is possible.
func (m *vm) can(w *worker) bool {
	o := &m.pending[w.proc()]
	if o.fence && len(w.stores) > 0 {
		return false
	}
	switch o.kind {
	case opWait:
		return m.anyChanged(w, o.more)
	case opPark:
		return m.objects[o.object].token || w.expired
	case opPin:
		return !m.objects[o.object].token && !m.debts[o.cpu].open(w)
	case opUnpark:
		for _, other := range m.workers[:m.live] {
			if other.cancelled && m.pending[other.proc()].object == o.object {
				return false // its deadline comes first
			}
		}
	case opSleep:
		return m.workers[0].state != finished
	case opTimer:
		return w.fires
	case opStop:
		return !o.timer.fires || o.timer.fired
	case opMembarrier:
		for _, w := range m.workers[:m.live] {
			if len(w.stores) > 0 {
				return false
			}
		}
	case opJoin:
		for _, w := range m.workers[1:m.live] {
			if !w.background && (w.state != finished || len(w.stores) > 0) {
				return false
			}
		}
	}
	return true
}

// spared reports whether a worker waits whose wait could have ended, in another
// execution in which that was chosen.
func (m *vm) spared() bool {
	for _, w := range m.workers[:m.live] {
		switch {
		case w.state != watches && w.state != posted:
		case w.trying, w.cancelled, w.deadline != nil && w.deadline.over(), w.timer && !w.fires && !w.stopped:
			return true
		}
	}
	return false
}

// another starts the next of the interchangeable workers, after w, which takes its
// first step or ends without one.
func (m *vm) another(w *worker) {
	next := m.add(w.body, false)
	next.alike, w.alike = w.alike-1, 0
	m.search.follow(next.proc(), w.proc())
	// The search orders next after w, but the race detector does not, so no data race
	// is hidden.
	next.clock, next.spawned = w.spawned, w.spawned
	next.clock[next.id] = 1
}

// finish ends w.
func (m *vm) finish(w *worker) {
	if w.alike > 0 {
		m.another(w)
	}
	w.state = finished
	if w.pins != 0 {
		m.fail(Misuse, fmt.Sprintf("%v has ended and is still pinned: want an Unpin for each Pin", w))
		if m.recorder != nil {
			m.failure.at = m.recorder.pins[w.id][w.pins-1]
		}
		return
	}
	m.decide(w)
}

// idle reports whether the execution had one worker, which only waited for others.
func (m *vm) idle() bool {
	const waits = 2 // Machine.Wait, and the end of the body
	return m.live == 1 && len(m.objects) == 0 && !m.read && len(m.script) <= waits && slices.Max(m.script) == slices.Min(m.script) && m.script[0] == 0
}

// The methods of engine.Engine.

func (m *vm) Stranger() { m.watch.takes() }

func (m *vm) Access(addr unsafe.Pointer, at engine.Location, kind engine.Kind, expect uint64) {
	w := m.self
	if m.killing {
		return
	}
	id := m.use(addr, at)
	o := op{object: id, fence: true, write: true}
	switch kind {
	case engine.PlainRead, engine.PlainWrite:
		m.plain(w, id, kind == engine.PlainWrite)
		return
	case engine.Load:
		o.kind, o.fence, o.write = opLoad, false, false
	case engine.Store:
		o.kind = opStore
	case engine.Modify:
		o.kind = opModify
	case engine.CompareAndSwap:
		o.kind, o.cas, o.expect = opCompareAndSwap, true, expect
	}
	m.step(w, o)
	if kind != engine.Store {
		w.clock.join(&m.objects[id].released)
	}
}

func (m *vm) Done(addr unsafe.Pointer, old, now uint64) {
	w := m.self
	if m.killing {
		return
	}
	o := &m.pending[w.proc()]
	object := &m.objects[o.object]
	if o.write {
		object.released = w.clock
		w.clock[w.id]++
	}
	if old != now {
		w.forget(o.object)
		m.change(w, o.object)
	} else {
		w.see(o.object, object.version)
	}
	m.note(w.proc(), o, old, now)
}

func (m *vm) Load(addr unsafe.Pointer, at engine.Location) uint64 {
	w := m.self
	if m.killing {
		val, _ := at.Raw()
		return val
	}
	id := m.use(addr, at)
	// A load of a word of which only a part is in the buffer waits for that.
	n := w.latest(id)
	m.step(w, op{kind: opLoad, object: id, fence: n >= 0 && w.stores[n].mask != wholeWord})
	val := m.value(id)
	if n := w.latest(id); n >= 0 {
		val = w.stores[n].val
	} else {
		w.clock.join(&m.objects[id].released)
	}
	w.see(id, m.objects[id].version)
	m.note(w.proc(), &m.pending[w.proc()], val, val)
	return val
}

func (m *vm) StoreRelease(addr unsafe.Pointer, at engine.Location, val, mask uint64) {
	w := m.self
	if m.killing {
		return
	}
	id := m.use(addr, at)
	// A step, because of Membarrier: that drains the stores that are in the buffer,
	// and not those that come later.
	m.step(w, op{kind: opIssue, object: m.bufferOf(w), write: true})
	w.stores = append(w.stores, store{object: id, val: val, mask: mask, clock: w.clock})
	w.issued++
	w.clock[w.id]++
	w.forget(id)
	m.search.issue(w)
	m.pending[w.buffer()] = op{kind: opFlush, object: w.stores[0].object, write: true}
	m.note(w.proc(), &op{kind: opIssue, object: id}, val, val)
}

// flush writes the oldest store in w's buffer to memory.
func (m *vm) flush(w *worker) {
	s := w.stores[0]
	object := &m.objects[s.object]
	old := m.value(s.object)
	object.at.SetRaw(old&^s.mask|s.val&s.mask, nil)
	object.released = s.clock
	now := m.value(s.object)
	m.note(w.buffer(), &m.pending[w.buffer()], old, now)
	w.stores = w.stores[:copy(w.stores, w.stores[1:])]
	if len(w.stores) > 0 {
		m.pending[w.buffer()].object = w.stores[0].object
	}
	m.settle(w)
	if old != now {
		m.change(w, s.object)
	}
	if w.latest(s.object) < 0 {
		w.flushed(s.object, object.version)
	}
}

// change notes that the step just taken, by a worker or by its store buffer, changed
// an object. It ends the waits of the workers that see the change.
func (m *vm) change(by *worker, id int32) {
	m.objects[id].version++
	m.search.changed()
	for _, w := range m.workers[:m.live] {
		if w.state == watches && w.watched == id && w != by && w.latest(id) < 0 {
			m.silent |= 1 << w.id
			w.state = runs
			m.search.follow(w.proc(), -1)
		}
	}
}

// bufferOf returns the number of w's store buffer among the objects.
func (m *vm) bufferOf(w *worker) int32 { return m.object(unsafe.Pointer(&w.stores), nil) }

func (m *vm) Membarrier() {
	self := m.self
	if m.killing {
		return
	}
	self.awaited = self.awaited[:0]
	for _, w := range m.workers[:m.live] {
		if w != self {
			self.awaited = append(self.awaited, seen{object: m.bufferOf(w)})
		}
	}
	m.step(self, op{kind: opMembarrier, object: -1, fence: true, more: self.awaited})
	for _, w := range m.workers[:m.live] {
		m.search.follow(self.proc(), w.buffer())
	}
	m.note(self.proc(), &m.pending[self.proc()], 0, 0)
}

func (m *vm) Wait(pinned bool, _ time.Duration) {
	m.spin(pinned, "waits")
	m.until()
}

// until is wait for the running worker, which another one has to end.
func (m *vm) until() {
	if len(m.self.read) > 0 {
		m.keepsCPU(m.self)
	}
	m.wait(m.self)
}

// spin ends the execution if the running worker waits with a Spin that says pinned and
// is not, or the other way around.
func (m *vm) spin(pinned bool, does string) {
	switch {
	case !pinned:
		m.unpinned(does+" with a Spin that may yield", "Spin.Pinned, or the wait after Unpin")
	case m.self.pins == 0 && !m.killing:
		m.abort(Misuse, fmt.Sprintf("%v %s with a Spin that says Pinned, and is not; on the host it keeps its CPU from the worker it waits for: want Pin before it", m.self, does))
	}
}

// keepsCPU notes that w is about to wait for another worker. If it is pinned to the only
// CPU there is, none can take a step. It is found here, and not by keeping workers
// that are not pinned from taking steps: each of their steps would then conflict
// with each Pin.
func (m *vm) keepsCPU(w *worker) {
	if m.cpus == 1 && w.pins > 0 && !m.killing {
		m.starver = w
	}
}

// unpinned ends the execution if the running worker is pinned: what it is about to do
// could give up its CPU.
func (m *vm) unpinned(does, want string) {
	w := m.self
	if w.pins == 0 || m.killing {
		return
	}
	at := ""
	if m.recorder != nil {
		at = fmt.Sprintf(" (Pin at %v)", m.recorder.pins[w.id][w.pins-1])
	}
	m.abort(Misuse, fmt.Sprintf("%v %s in a pinned section%s; on the host the program can end there with \"schedule: holding locks\": want %s", w, does, at, want))
}

// wait waits until a word has changed that w read since it last waited.
func (m *vm) wait(w *worker) {
	if m.killing {
		panic(killed{})
	}
	read := w.read
	w.read = w.read[:0]
	switch {
	case len(read) == 0:
		m.step(w, op{kind: opYield, object: -1})
	case m.starver == nil && m.anyChanged(w, read):
	case len(read) == 1:
		w.state, w.watched = watches, read[0].object
		m.block(w)
	default:
		// Several words: the schedule decides which one's change ends the wait, so the
		// wait is a step that reads all of them.
		w.awaited = append(w.awaited[:0], read...)
		m.step(w, op{kind: opWait, object: -1, more: w.awaited})
	}
}

// anyChanged reports whether any of the words has changed for w since it read them.
// While w has a store to a word in its buffer it sees that store, even if another
// worker writes the word.
func (m *vm) anyChanged(w *worker, read []seen) bool {
	for _, s := range read {
		if m.objects[s.object].version != s.version && w.latest(s.object) < 0 {
			return true
		}
	}
	return false
}

func (m *vm) Try(tried int, _ time.Duration) bool {
	w := m.self
	if m.killing {
		panic(killed{})
	}
	if tried >= m.spins {
		m.cut = true
		return false
	}
	if m.choose(2) == 1 {
		return false
	}
	w.trying = true
	m.wait(w)
	w.trying = false
	return true
}

// Yield is not a step: others may run at any time.
func (m *vm) Yield() { m.unpinned("gives way", "GiveWay after Unpin") }

func (m *vm) Await(addr unsafe.Pointer, pinned bool) {
	m.spin(pinned, "waits for a wake-up")
	if !m.objects[m.object(addr, nil)].token {
		m.keepsCPU(m.self)
	}
	m.park(addr, nil, 0) // watching for a wake-up is waiting for it
}

func (m *vm) Park(addr unsafe.Pointer, ctx context.Context, d time.Duration) bool {
	m.unpinned("parks", "Park after Unpin, or Await with Spin.Pinned")
	return m.park(addr, ctx, d)
}

func (m *vm) park(addr unsafe.Pointer, ctx context.Context, d time.Duration) bool {
	w := m.self
	if m.killing {
		panic(killed{})
	}
	id := m.use(addr, nil)
	for _, other := range m.workers[:m.live] {
		if o := &m.pending[other.proc()]; other != w && other.state == posted && o.kind == opPark && o.object == id {
			m.abort(Misuse, fmt.Sprintf("%v and %v park on one Parker", other, w))
		}
	}
	o := op{kind: opExpire, object: id, write: true}
	w.deadline, w.expired = nil, false
	announce := op{kind: opAnnounce, object: id, write: true}
	if ctx != nil {
		if s, ok := ctx.Value(engine.ContextKey{}).(*scope); ok {
			w.deadline, w.context = s, [1]seen{{object: m.object(unsafe.Pointer(s), nil)}}
			o.more = w.context[:]
		}
	} else if d > 0 {
		w.deadline = timer{}
		if m.clocked {
			w.context = [1]seen{{object: m.clock()}}
			announce.more = w.context[:]
		}
	}
	until := int64(0)
	if w.deadline != nil {
		// The announcement is a step, because an Unpark before it differs from one
		// after it.
		m.step(w, announce)
		until = m.now + int64(d)
		// Whether the deadline comes before an Unpark is chosen here, and not by
		// which comes first: an Unpark that came first would leave no trace of the
		// race. If a wake-up is held already there is no choice.
		w.cancelled = !m.objects[id].token && m.choose(2) == 1
	}
	if w.cancelled {
		m.pending[w.alarm()] = o
		m.search.follow(w.alarm(), w.proc())
	}
	m.step(w, op{kind: opPark, object: id, write: true})
	object := &m.objects[id]
	if !w.expired {
		object.token = false
		w.clock.join(&object.released)
	}
	timeout := w.expired && w.deadline == timer{}
	w.deadline, w.cancelled = nil, false
	m.note(w.proc(), &m.pending[w.proc()], 0, uint64(btoi(!w.expired)))
	if timeout {
		m.advance(w, until)
	}
	return !w.expired
}

// expire ends w's Park by its deadline.
func (m *vm) expire(w *worker) {
	w.expired, w.cancelled = true, false
	m.note(w.alarm(), &m.pending[w.alarm()], 0, 0)
}

func (m *vm) Unpark(addr unsafe.Pointer, handoff bool) {
	w := m.self
	if m.killing {
		return
	}
	id := m.use(addr, nil)
	m.step(w, op{kind: opUnpark, object: id, write: true, fence: true})
	object := &m.objects[id]
	if !object.token {
		object.token = true
		m.search.changed()
	}
	object.released.join(&w.clock)
	w.clock[w.id]++
	m.note(w.proc(), &m.pending[w.proc()], 0, 0)
}

// Pin returns a CPU that the worker has until Unpin. If each worker has its own CPU,
// it is that one. Otherwise it can be any, and if another worker has it, the worker
// waits.
func (m *vm) Pin() int {
	w := m.self
	w.pins++
	m.pinned = true
	if m.recorder != nil {
		m.recorder.pins[w.id] = append(m.recorder.pins[w.id], caller())
	}
	if w.pins > 1 || m.cpus == 0 || m.killing {
		return w.cpu
	}
	cpu := m.choose(m.cpus)
	// A move to another CPU is a fence, because the worker is rescheduled.
	m.step(w, op{kind: opPin, object: m.object(m.cpuAddr(cpu), nil), write: true, fence: cpu != w.cpu, cpu: cpu})
	m.search.recall(w.proc(), cpu)
	w.cpu = cpu
	object := &m.objects[m.pending[w.proc()].object]
	object.token = true
	w.clock.join(&object.released)
	m.note(w.proc(), &m.pending[w.proc()], 0, uint64(cpu))
	return cpu
}

func (m *vm) Unpin() {
	w := m.self
	w.pins--
	if m.recorder != nil && w.pins >= 0 {
		m.recorder.pins[w.id] = m.recorder.pins[w.id][:w.pins]
	}
	switch {
	case m.killing:
	case w.pins < 0:
		m.abort(Misuse, fmt.Sprintf("%v calls Unpin without a Pin before it", w))
	case w.pins == 0 && m.cpus > 0:
		id := m.object(m.cpuAddr(w.cpu), nil)
		m.step(w, op{kind: opUnpin, object: id, write: true})
		object := &m.objects[id]
		object.token = false
		object.released = w.clock
		w.clock[w.id]++
		m.debts[w.cpu] = debt{w, w.issued}
		m.settle(w)
		m.note(w.proc(), &m.pending[w.proc()], 0, uint64(w.cpu))
	}
}

// A debt is the stores that a worker that was pinned to a CPU has left in its store
// buffer: they are written to memory before another worker runs there.
type debt struct {
	worker *worker
	stores int // how many the worker had put in its buffer, ever
}

// open reports whether w must wait for the debt.
func (d *debt) open(w *worker) bool {
	return d.worker != nil && d.worker != w && d.worker.issued-len(d.worker.stores) < d.stores
}

// settle notes which CPUs w has no debt on any more.
func (m *vm) settle(w *worker) {
	for cpu := range m.cpus {
		if m.debts[cpu].worker == w && w.issued-len(w.stores) == m.debts[cpu].stores {
			m.search.keep(cpu, w.buffer())
		}
	}
}

// cpuAddr is the address that stands for a CPU among the objects.
func (m *vm) cpuAddr(cpu int) unsafe.Pointer { return unsafe.Pointer(&m.cpu[cpu]) }

// Take returns the value that the worker itself gave up last: code that still uses
// that value meets its next use soon. It costs no schedules, because it is known
// which worker gets the value. A worker does not get what another gave up.
func (m *vm) Take(addr unsafe.Pointer) unsafe.Pointer {
	m.unpinned("takes from a Pool", "Get before Pin")
	w := m.self
	for i := len(w.free) - 1; i >= 0; i-- {
		if w.free[i].pool == addr {
			v := w.free[i]
			w.free = slices.Delete(w.free, i, i+1)
			m.pool(v, false)
			return v.value
		}
	}
	return nil
}

func (m *vm) Give(addr, v unsafe.Pointer, size uintptr) {
	m.unpinned("gives to a Pool", "Put after Unpin")
	given := pooled{addr, v, size}
	m.self.free = append(m.self.free, given)
	m.pool(given, true)
}

// pool notes of the words, Cells and parkers in a value that have been met whether it is
// in a Pool.
func (m *vm) pool(p pooled, in bool) {
	for i := range m.objects {
		if at := uintptr(m.objects[i].addr); at-uintptr(p.value) < p.size {
			m.objects[i].pooled = in
		}
	}
}

// use is object for a step of the running worker there, which ends the execution if
// that is in a Pool: another worker can have it by then. Put is no step, so an
// access by another worker is seen only on schedules that are searched anyway.
func (m *vm) use(addr unsafe.Pointer, at engine.Location) int32 {
	id := m.object(addr, at)
	if m.objects[id].pooled {
		m.abort(Misuse, fmt.Sprintf("%v uses a value after it was Put in a Pool: another worker can have it then", m.self))
	}
	return id
}

const (
	firstTick = time.Microsecond
	lastTick  = time.Hour
)

// clock is the clock's number among the objects, which is needed only if time passes
// and a worker looks at the clock.
func (m *vm) clock() int32 {
	if !m.clocked {
		return -1
	}
	return m.object(unsafe.Pointer(&m.now), nil)
}

// Now looks at the clock, which is a step. Time passes when a worker has waited for
// it. In an execution so long that all take turns it passes by itself; otherwise a
// worker that loops until it is late would make no progress.
func (m *vm) Now() int64 {
	w := m.self
	m.read = true
	if m.killing {
		m.now += int64(lastTick)
		return m.now
	}
	m.step(w, op{kind: opNow, object: m.clock()})
	if m.long {
		m.now += int64(m.tick)
		m.tick = min(2*m.tick, lastTick)
	}
	m.note(w.proc(), &op{kind: opNow, object: -1}, uint64(m.now), uint64(m.now))
	return m.now
}

// advance moves the clock to late, if it is not later already.
func (m *vm) advance(w *worker, late int64) {
	m.passed = true
	m.step(w, op{kind: opClock, object: m.clock(), write: true})
	m.now = max(m.now, late)
}

func (m *vm) Sleep(d time.Duration) {
	w := m.self
	m.unpinned("sleeps", "Sleep after Unpin")
	if m.killing {
		panic(killed{})
	}
	m.step(w, op{kind: opSleep, object: m.clock()})
	m.advance(w, m.now+int64(d))
}

func (m *vm) After(d time.Duration, f func()) (stop func() bool) {
	var w *worker
	late := m.now + int64(d)
	w = m.goes(func() {
		m.step(w, op{kind: opTimer, object: m.object(unsafe.Pointer(&w.fired), nil), write: true})
		w.fired = true
		m.advance(w, late)
		f()
	}, true)
	w.timer = true
	if m.self.timer {
		w.again = m.self.again + 1
	}
	if w.again > m.spins && !m.killing {
		m.cut = true
	} else {
		w.fires = m.killing || m.choose(2) == 0 // before it is stopped
	}
	return func() bool {
		if m.killing {
			return false
		}
		m.step(m.self, op{kind: opStop, object: m.object(unsafe.Pointer(&w.fired), nil), write: true, fence: true, timer: w})
		w.stopped = !w.fired
		return w.stopped
	}
}

func (m *vm) Go(f func()) { m.goes(f, true) }

func (m *vm) goes(f func(), background bool) *worker {
	m.room(1)
	if len(m.self.stores) > 0 && !m.killing {
		m.step(m.self, op{kind: opFence, object: -1, fence: true})
	}
	return m.start(f, background)
}

// join waits until all workers that are not in the background have finished.
func (m *vm) join() {
	w := m.self
	if m.killing {
		panic(killed{})
	}
	m.step(w, op{kind: opJoin, object: -1, fence: true})
	for _, other := range m.workers[1:m.live] {
		if !other.background {
			m.search.follow(w.proc(), other.proc())
			m.search.follow(w.proc(), other.buffer())
			w.clock.join(&other.clock)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
