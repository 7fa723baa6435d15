package machine

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

func (m *VM) Stranger() { m.Watch.takes() }

func (m *VM) Access(addr unsafe.Pointer, at engine.Location, kind engine.Kind, expect uint64) {
	w := m.self
	if m.killing {
		return
	}
	id := m.use(addr, at)
	o := Op{Object: id, Fence: true, Write: true}
	switch kind {
	case engine.PlainRead, engine.PlainWrite:
		m.plain(w, id, kind == engine.PlainWrite)
		return
	case engine.Load:
		o.Kind, o.Fence, o.Write = OpLoad, false, false
	case engine.Store:
		o.Kind = OpStore
	case engine.Modify:
		o.Kind = OpModify
	case engine.CompareAndSwap:
		o.Kind, o.cas, o.expect = OpCompareAndSwap, true, expect
	}
	m.step(w, o)
	if kind != engine.Store {
		w.clock.join(&m.objects[id].released)
	}
}

func (m *VM) Done(addr unsafe.Pointer, old, now uint64) {
	w := m.self
	if m.killing {
		return
	}
	o := &m.pending[w.proc()]
	object := &m.objects[o.Object]
	if o.Write {
		object.released = w.clock
		w.clock[w.id]++
	}
	if old != now {
		w.forget(o.Object)
		m.change(w, o.Object)
	} else {
		w.see(o.Object, object.version)
	}
	m.note(w.proc(), o, old, now)
}

func (m *VM) Load(addr unsafe.Pointer, at engine.Location) uint64 {
	w := m.self
	if m.killing {
		val, _ := at.Raw()
		return val
	}
	id := m.use(addr, at)
	// A load of a word of which only a part is in the buffer waits for that.
	n := w.latest(id)
	m.step(w, Op{Kind: OpLoad, Object: id, Fence: n >= 0 && w.stores[n].mask != wholeWord})
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

func (m *VM) StoreRelease(addr unsafe.Pointer, at engine.Location, val, mask uint64) {
	w := m.self
	if m.killing {
		return
	}
	id := m.use(addr, at)
	// A step, because of Membarrier: that drains the stores that are in the buffer,
	// and not those that come later.
	m.step(w, Op{Kind: OpIssue, Object: m.bufferOf(w), Write: true})
	w.stores = append(w.stores, store{object: id, val: val, mask: mask, clock: w.clock})
	w.issued++
	w.clock[w.id]++
	w.forget(id)
	m.search.Issue(w.proc(), id)
	m.pending[w.buffer()] = Op{Kind: OpFlush, Object: w.stores[0].object, Write: true}
	m.note(w.proc(), &Op{Kind: OpIssue, Object: id}, val, val)
}

func (m *VM) Membarrier() {
	self := m.self
	if m.killing {
		return
	}
	self.awaited = self.awaited[:0]
	for _, w := range m.workers[:m.Live] {
		if w != self {
			self.awaited = append(self.awaited, Seen{Object: m.bufferOf(w)})
		}
	}
	m.step(self, Op{Kind: OpMembarrier, Object: -1, Fence: true, More: self.awaited})
	for _, w := range m.workers[:m.Live] {
		m.search.Follow(self.proc(), w.buffer())
	}
	m.note(self.proc(), &m.pending[self.proc()], 0, 0)
}

func (m *VM) Go(f func()) { m.goes(f, true) }
