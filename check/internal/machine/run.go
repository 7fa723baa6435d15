package machine

import (
	"fmt"
	"iter"
	"math/bits"

	"github.com/lockbench/lockbench/internal/engine"
)

// Run runs one execution of body, and of the workers that it starts, as s decides.
func (m *VM) Run(s Search, body func()) Outcome {
	m.search = s
	m.memory.begin()
	m.begun.Add(1)
	m.Execution = Execution{Script: m.Script[:0]}
	m.silent, m.now = 0, 0
	m.tick, m.turn = firstTick, 0
	m.debts, m.alone, m.starver = [MaxWorkers]debt{}, nil, nil
	m.outcome = running
	m.search.Begin()
	w := m.add(func() { body(); m.join() }, false)
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
func (m *VM) kill() {
	m.killing = true
	for _, w := range m.workers[:m.Live] {
		if w.inside {
			m.self = w
			w.resume()
		}
		w.body = nil
	}
	m.killing = false
}

// Close ends the workers' coroutines.
func (m *VM) Close() {
	engine.Rests()
	for _, w := range m.workers {
		if !w.lost {
			w.stop()
		}
	}
}

// givenUp stops a worker of a search that was given up.
func (m *VM) givenUp() {
	if m.gone.Load() {
		select {}
	}
}

// join waits until all workers that are not in the background have finished.
func (m *VM) join() {
	w := m.self
	if m.killing {
		panic(killed{})
	}
	m.step(w, Op{Kind: OpJoin, Object: -1, Fence: true})
	for _, other := range m.workers[1:m.Live] {
		if !other.background {
			m.search.Follow(w.proc(), other.proc())
			m.search.Follow(w.proc(), other.buffer())
			w.clock.join(&other.clock)
		}
	}
}

// goes starts a worker that runs f.
func (m *VM) goes(f func(), background bool) *worker {
	m.room(1)
	if len(m.self.stores) > 0 && !m.killing {
		m.step(m.self, Op{Kind: OpFence, Object: -1, Fence: true})
	}
	return m.start(f, background)
}

// room ends the execution if n more workers are too many.
func (m *VM) room(n int) {
	for _, w := range m.workers[:m.Live] {
		n += w.alike
	}
	if m.Live+n > MaxWorkers {
		m.Abort(Misuse, fmt.Sprintf("more than %d workers besides the body", MaxWorkers-1))
	}
}

// start makes a worker that will run f after what the running worker has done.
func (m *VM) start(f func(), background bool) *worker {
	w := m.add(f, background)
	m.search.Follow(w.proc(), m.self.proc())
	w.clock = m.self.clock
	w.clock[w.id] = 1
	m.self.clock[m.self.id]++
	return w
}

// another starts the next of the interchangeable workers, after w, which takes its
// first step or ends without one.
func (m *VM) another(w *worker) {
	next := m.add(w.body, false)
	next.alike, w.alike = w.alike-1, 0
	m.search.Follow(next.proc(), w.proc())
	// The search orders next after w, but the race detector does not, so no data race
	// is hidden.
	next.clock, next.spawned = w.spawned, w.spawned
	next.clock[next.id] = 1
}

// add makes a worker that will run f.
func (m *VM) add(f func(), background bool) *worker {
	switch {
	case m.Live == len(m.workers):
		m.workers = append(m.workers, m.newWorker(m.Live))
	case m.workers[m.Live].lost:
		m.workers[m.Live] = m.newWorker(m.Live)
	}
	w := m.workers[m.Live]
	m.Live++
	w.reset(f, background)
	w.clock[w.id] = 1
	m.silent |= 1 << w.id
	return w
}

func (m *VM) newWorker(id int) *worker {
	w := &worker{id: id}
	w.resume, w.stop = iter.Pull(func(yield func(struct{}) bool) { m.loop(w, yield) })
	return w
}

// loop has w run one body after the other, and yield after each.
func (m *VM) loop(w *worker, yield func(struct{}) bool) {
	w.yield = yield
	m.Watch.knows(w.id)
	for {
		w.inside = true
		m.runs(w)
		if !yield(struct{}{}) {
			return
		}
	}
}

func (m *VM) runs(w *worker) {
	returned := false
	defer func() {
		m.givenUp()
		w.inside = false
		switch v := recover().(type) {
		case nil:
			if !returned {
				m.exits(w)
			}
		case killed, aborted:
		default:
			if !m.killing {
				m.panicked(v)
			}
		}
	}()
	m.next = nil
	engine.Runs()
	w.body()
	m.givenUp()
	m.finish(w)
	returned = true
}

// exits ends the execution, just before runtime.Goexit ends w's coroutine. It would
// also end a goroutine that resumes w, so none may resume w any more.
func (m *VM) exits(w *worker) {
	w.lost = true
	if !m.killing {
		m.exited()
	}
	w.yield(struct{}{})
}

// finish ends w.
func (m *VM) finish(w *worker) {
	if w.alike > 0 {
		m.another(w)
	}
	w.state = finished
	if w.pins != 0 {
		m.fail(Misuse, fmt.Sprintf("%v has ended and is still pinned: want an Unpin for each Pin", w))
		if m.recorder != nil {
			m.Fault.At = m.recorder.pins[w.id][w.pins-1]
		}
		return
	}
	m.decide(w)
}

// step waits until w, which runs, may take step o.
func (m *VM) step(w *worker, o Op) {
	m.pending[w.proc()] = o
	w.state = posted
	m.block(w)
}

// block lets other workers run until it is w's turn.
func (m *VM) block(w *worker) {
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
func (m *VM) decide(self *worker) bool {
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
				o.Write = m.value(o.Object) == o.expect
			}
			m.Steps++
			if m.Summed {
				m.Sum = (m.Sum ^ uint64(o.Kind)<<40 ^ uint64(uint32(o.Object))) * 0x9e3779b97f4a7c15
			}
			m.Script = append(m.Script, int8(p))
			m.search.Step(p, o)
			if m.recorder != nil {
				m.recorder.taken(p, o)
			}
			w = m.workers[p.Worker()]
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
