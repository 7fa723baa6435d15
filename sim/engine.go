package sim

import (
	"context"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// This file is what the primitives call: machine is an [engine.Engine].

// reach lets the operation of the running worker on the word at addr take effect: it
// returns at the moment at which it does. The word is at at, or a Cell, and at nil.
func (m *machine) reach(w *worker, addr unsafe.Pointer, at engine.Location, write bool, cost picos) {
	w.cpu.counts.Operations++
	if w.wait.since++; w.wait.since == 1 {
		w.wait.repeats = addr == w.last.addr && write == w.last.write
		if w.wait.repeats && w.wait.got == w.cpu.now {
			return // the machine has asked for it already, see wait.go
		}
	}
	l := m.line(uintptr(addr))
	w.last = operation{addr: addr, at: at, line: l, write: write}
	if l.last < 0 && l.waiting == 0 {
		cost = w.cpu.slow(m.costs.memory)
		if m.observe != nil {
			m.tellGrant(l, &request{line: l, cpu: w.cpu, write: write, worker: w}, w.cpu.now, w.cpu.now+cost)
		}
		m.touch(l, w.cpu, write, w.cpu.now+cost)
		m.see(w, l)
		m.hurry(w, cost)
		return
	}
	cost = w.cpu.slow(cost)
	if l.calm(w.cpu) {
		l.free = max(l.free, w.cpu.now+cost)
		m.see(w, l)
		m.hurry(w, cost)
		return
	}
	if l.has(w.cpu, write) {
		m.settle(w) // it may lose it before
	}
	c := w.cpu
	if l.serves(c, write, cost) {
		if l.owner == c.id {
			l.free = max(l.free, c.now+cost)
		}
		m.see(w, l)
		m.pass(w, cost)
		return
	}
	m.request(c, l, write, w, c.now)
	w.suspend()
	if len(c.pauses) > 0 {
		m.pass(w, 0)
	}
}

// mostSeen is how many lines a worker remembers to have read.
const mostSeen = 16

// see notes that w has read l.
func (m *machine) see(w *worker, l *line) {
	if w.many {
		return
	}
	for i := range w.read {
		if w.read[i].line == l {
			return // keep the older version: it has changed since
		}
	}
	if len(w.read) == mostSeen {
		w.many = true
		return
	}
	w.read = append(w.read, seen{l, l.version})
}

// forget lets w begin again to note what it reads.
func (w *worker) forget() { w.read, w.many = w.read[:0], false }

// Access implements [engine.Engine].
func (m *machine) Access(addr unsafe.Pointer, at engine.Location, kind engine.Kind, expect uint64) {
	w := m.self
	switch kind {
	case engine.Load, engine.PlainRead:
		if kind == engine.PlainRead && w.cpu.pending(addr) >= 0 {
			m.hurry(w, w.cpu.slow(m.costs.load))
			return
		}
		m.reach(w, addr, at, false, m.costs.load)
	case engine.PlainWrite:
		m.buffer(w, store{addr: addr})
	default: // also a Store, which drains the store buffer on most machines, and a failed CAS
		m.drain(w)
		m.reach(w, addr, at, true, m.costs.modify)
	}
}

// Done implements [engine.Engine].
func (m *machine) Done(_ unsafe.Pointer, old, now uint64) {
	o := &m.self.last
	o.same, o.value = old == now, now
}

// Load implements [engine.Engine].
func (m *machine) Load(addr unsafe.Pointer, at engine.Location) uint64 {
	w := m.self
	c := w.cpu
	if i := c.pending(addr); i >= 0 {
		if s := c.stores[i]; s.mask == ^uint64(0) { // the store buffer forwards it
			m.see(w, s.line)
			m.hurry(w, c.slow(m.costs.load))
			return s.val
		}
		m.drain(w)
	}
	m.reach(w, addr, at, false, m.costs.load)
	v, _ := at.Raw()
	w.last.same, w.last.value = true, v
	return v
}

// StoreRelease implements [engine.Engine].
func (m *machine) StoreRelease(addr unsafe.Pointer, at engine.Location, val, mask uint64) {
	m.buffer(m.self, store{addr: addr, at: at, val: val, mask: mask})
}

// depth is how many stores a store buffer holds.
const depth = 56

// buffer puts a store in the store buffer of w's CPU.
func (m *machine) buffer(w *worker, s store) {
	c := w.cpu
	for len(c.stores) >= depth {
		m.await(w, c)
	}
	c.counts.Operations++
	s.line = m.line(uintptr(s.addr))
	cost := c.slow(m.costs.store)
	if len(c.stores) == 0 && s.line.owner == c.id {
		ahead := most
		if !s.line.calm(c) {
			ahead = 0
			m.settle(w)
		}
		if s.line.serves(c, true, cost) {
			s.line.free = max(s.line.free, c.now+cost)
			m.spend(w, cost, ahead)
			s.apply()
			return
		}
	}
	s.made = c.now
	c.stores = append(c.stores, s)
	if len(c.stores) == 1 {
		c.send()
	}
	m.hurry(w, cost)
}

func (s *store) apply() {
	if s.at != nil {
		old, _ := s.at.Raw()
		s.at.SetRaw(old&^s.mask|s.val&s.mask, nil)
	}
}

// send asks for the line of the oldest store in the buffer, when it is made: the CPU may be
// ahead.
func (c *cpu) send() {
	c.m.request(c, c.stores[0].line, true, nil, max(c.m.clock, c.stores[0].made))
}

// arrive writes the oldest store in the buffer to its line.
func (c *cpu) arrive() {
	c.stores[0].apply()
	c.stores = append(c.stores[:0], c.stores[1:]...)
	if len(c.stores) > 0 {
		c.send()
	}
	if len(c.stores) == 0 || len(c.stores) == depth-1 {
		for _, w := range c.drained {
			c.m.resumeAt(w, max(c.m.clock, w.drains))
		}
		c.drained = c.drained[:0]
	}
}

// pending returns which store to addr is the latest in the buffer, or -1.
func (c *cpu) pending(addr unsafe.Pointer) int {
	for i := len(c.stores) - 1; i >= 0; i-- {
		if c.stores[i].addr == addr {
			return i
		}
	}
	return -1
}

// drain returns when nothing is in the store buffer of w's CPU.
func (m *machine) drain(w *worker) {
	for len(w.cpu.stores) > 0 {
		m.await(w, w.cpu)
	}
}

// await has w wait until the store buffer of c is empty, or not full any more.
func (m *machine) await(w *worker, c *cpu) {
	w.drains = w.cpu.now
	c.drained = append(c.drained, w)
	w.suspend()
}

// Membarrier implements [engine.Engine].
func (m *machine) Membarrier() {
	w := m.self
	m.drain(w)
	m.pass(w, w.cpu.slow(m.costs.membarrier))
	for _, c := range m.cpus {
		for len(c.stores) > 0 {
			m.await(w, c)
		}
	}
}

// Wait implements [engine.Engine].
func (m *machine) Wait(pinned bool, pause time.Duration) {
	w := m.self
	m.spin(w, pinned, picosOf(pause), never)
}

// Try implements [engine.Engine].
func (m *machine) Try(tried int, pause time.Duration) bool {
	w := m.self
	if tried == 0 {
		w.spent = 0
	}
	if w.spent > m.costs.budget || len(w.cpu.queue) > 0 || m.alone() {
		w.forget()
		return false
	}
	w.spent += m.spin(w, false, picosOf(pause), m.costs.budget-w.spent)
	return true
}

// alone reports whether no other CPU runs a worker.
func (m *machine) alone() bool { return m.idle == len(m.cpus)-1 }

// Pause implements [engine.Engine].
func (m *machine) Pause(d time.Duration) bool {
	w := m.self
	c := w.cpu
	if w.pins == 0 && (len(c.queue) > 0 || m.alone()) {
		return false
	}
	if d > 0 {
		took := c.slow(picosOf(d))
		c.spin += took
		m.pass(w, took)
	}
	return true
}

// Yield implements [engine.Engine].
func (m *machine) Yield() {
	w := m.self
	if len(w.cpu.queue) > 0 {
		m.preempt(w)
		return
	}
	m.pass(w, w.cpu.slow(m.costs.change))
}

// parker returns the parker at addr.
func (m *machine) parker(addr unsafe.Pointer) *parker {
	p := m.parkers[addr]
	if p == nil {
		p = new(parker)
		m.parkers[addr] = p
	}
	return p
}

// Park implements [engine.Engine].
func (m *machine) Park(addr unsafe.Pointer, ctx context.Context, d time.Duration) bool {
	w := m.self
	p := m.parker(addr)
	m.drain(w)
	m.reach(w, addr, nil, true, m.costs.modify)
	if p.held {
		p.held = false
		return true
	}
	if ctx != nil && ctx.Err() != nil {
		return false
	}
	m.pass(w, w.cpu.slow(m.costs.park))
	if p.held { // meanwhile
		p.held = false
		return true
	}
	var stop func() bool
	switch {
	case ctx != nil:
		stop = m.until(w, p, ctx)
	case d > 0:
		stop = m.after(d, func() {
			if p.sleeper == w {
				p.sleeper = nil
				m.enqueue(w, w.cpu, m.clock, false)
			}
		})
	}
	p.sleeper, w.woken = w, false
	m.sleep(w)
	if stop != nil {
		stop()
	}
	return w.woken
}

// lookAtContext is how often a worker that sleeps looks whether its context is done. A
// context does not tell it in virtual time.
const lookAtContext = 10 * time.Microsecond

// until wakes w, which sleeps in p, once ctx is done.
func (m *machine) until(w *worker, p *parker, ctx context.Context) (stop func() bool) {
	stopped := false
	var look func()
	look = func() {
		switch {
		case stopped:
		case p.sleeper != w || ctx.Err() == nil:
			m.at(m.clock+picosOf(lookAtContext), look)
		default:
			p.sleeper = nil
			m.enqueue(w, w.cpu, m.clock, false)
		}
	}
	m.at(w.cpu.now+picosOf(lookAtContext), look)
	return func() bool { stopped = true; return true }
}

// Await implements [engine.Engine].
func (m *machine) Await(addr unsafe.Pointer, pinned bool) {
	w := m.self
	p := m.parker(addr)
	const burst = 200 * time.Nanosecond
	w.forget()
	for spent := picos(0); !p.held; {
		m.reach(w, addr, nil, false, m.costs.load)
		if p.held {
			break
		}
		if !pinned && (spent > m.costs.budget || len(w.cpu.queue) > 0 || m.alone()) {
			m.Park(addr, nil, 0)
			return
		}
		limit := never
		if !pinned {
			limit = m.costs.budget - spent + 1
		}
		spent += m.spin(w, pinned, picosOf(burst), limit)
	}
	p.held = false
	m.buffer(w, store{addr: addr})
}

// Unpark implements [engine.Engine].
func (m *machine) Unpark(addr unsafe.Pointer, handoff bool) {
	w := m.self
	p := m.parker(addr)
	m.drain(w)
	m.reach(w, addr, nil, true, m.costs.modify)
	to := p.sleeper
	if to == nil {
		p.held = true
		return
	}
	p.sleeper, to.woken = nil, true
	m.pass(w, w.cpu.slow(m.costs.wake))
	m.tellWoken(w, to)
	if !handoff || w.pins > 0 {
		m.enqueue(to, w.cpu, w.cpu.now, true)
		return
	}
	m.drain(w)
	c := w.cpu
	m.enqueue(w, c, c.now, true)
	c.run(to)
	w.suspend()
}

// Take implements [engine.Engine]. Each CPU gives again what it was given last, as
// sync.Pool does.
func (m *machine) Take(addr unsafe.Pointer) unsafe.Pointer {
	c := m.self.cpu
	of := c.free[addr]
	if len(of) == 0 {
		return nil
	}
	v := of[len(of)-1]
	c.free[addr] = of[:len(of)-1]
	return v
}

// Give implements [engine.Engine].
func (m *machine) Give(addr, v unsafe.Pointer, _ uintptr) {
	c := m.self.cpu
	c.free[addr] = append(c.free[addr], v)
}

// Pin implements [engine.Engine].
func (m *machine) Pin() int {
	w := m.self
	w.pins++
	m.hurry(w, w.cpu.slow(m.costs.pin))
	return int(w.cpu.id)
}

// Unpin implements [engine.Engine].
func (m *machine) Unpin() {
	w := m.self
	if w.pins == 0 {
		panic("Unpin without Pin")
	}
	w.pins--
	m.hurry(w, w.cpu.slow(m.costs.pin))
}

// Timed implements [engine.Engine].
func (m *machine) Timed() bool { return true }

// Node implements [engine.Engine]. It takes as long as to read the clock.
func (m *machine) Node() int {
	w := m.self
	m.pass(w, w.cpu.slow(m.costs.clock))
	return m.nodes[w.cpu.id]
}

// Now implements [engine.Engine].
func (m *machine) Now() int64 {
	w := m.self
	m.pass(w, w.cpu.slow(m.costs.clock)) // so that what others have counted by then is counted
	return int64(w.cpu.now / 1000)
}

// Sleep implements [engine.Engine].
func (m *machine) Sleep(d time.Duration) {
	w := m.self
	m.drain(w)
	m.after(d, func() { m.enqueue(w, w.cpu, m.clock, false) })
	m.sleep(w)
}

// Busy implements [engine.Engine].
func (m *machine) Busy(d time.Duration) {
	w := m.self
	m.pass(w, w.cpu.slow(picosOf(d))) // so that others see that it is in a section
}

// After implements [engine.Engine].
func (m *machine) After(d time.Duration, f func()) (stop func() bool) {
	c := m.self.cpu
	return m.after(d, func() {
		w := m.start(f, c, true)
		m.enqueue(w, c, m.clock, false)
	})
}

// after calls f when d has passed on the CPU of the running worker.
func (m *machine) after(d time.Duration, f func()) (stop func() bool) {
	return m.at(m.self.cpu.now+picosOf(d), f)
}

// at calls f at that time.
func (m *machine) at(when picos, f func()) (stop func() bool) {
	t := &timer{f: f}
	if len(m.unused) == 0 {
		m.unused = append(m.unused, int32(len(m.timers)))
		m.timers = append(m.timers, nil)
	}
	end := len(m.unused) - 1
	number := m.unused[end]
	m.unused = m.unused[:end]
	m.timers[number] = t
	m.push(when, timerFires, number, 0)
	return func() bool {
		was := t.stopped
		t.stopped = true
		return !was
	}
}

// Go implements [engine.Engine].
func (m *machine) Go(f func()) {
	w := m.self
	m.pass(w, w.cpu.slow(m.costs.wake))
	m.enqueue(m.start(f, w.cpu, false), w.cpu, w.cpu.now, false)
}

// Stranger implements [engine.Engine].
func (m *machine) Stranger() {}
