package machine

import (
	"context"
	"fmt"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

func (m *VM) Await(addr unsafe.Pointer, pinned bool) {
	m.spin(pinned, "waits for a wake-up")
	if !m.objects[m.object(addr, nil)].token {
		m.keepsCPU(m.self)
	}
	m.park(addr, nil, 0) // watching for a wake-up is waiting for it
}

func (m *VM) Park(addr unsafe.Pointer, ctx context.Context, d time.Duration) bool {
	m.unpinned("parks", "Park after Unpin, or Await with Spin.Pinned")
	return m.park(addr, ctx, d)
}

func (m *VM) park(addr unsafe.Pointer, ctx context.Context, d time.Duration) bool {
	w := m.self
	if m.killing {
		panic(killed{})
	}
	id := m.use(addr, nil)
	for _, other := range m.workers[:m.Live] {
		if o := &m.pending[other.proc()]; other != w && other.state == posted && o.Kind == OpPark && o.Object == id {
			m.Abort(Misuse, fmt.Sprintf("%v and %v park on one Parker", other, w))
		}
	}
	o := Op{Kind: OpExpire, Object: id, Write: true}
	w.deadline, w.expired = nil, false
	announce := Op{Kind: OpAnnounce, Object: id, Write: true}
	if ctx != nil {
		if s, ok := ctx.Value(engine.ContextKey{}).(*scope); ok {
			w.deadline, w.context = s, [1]Seen{{Object: m.object(unsafe.Pointer(s), nil)}}
			o.More = w.context[:]
		}
	} else if d > 0 {
		w.deadline = timer{}
		if m.clocked {
			w.context = [1]Seen{{Object: m.clock()}}
			announce.More = w.context[:]
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
		w.cancelled = !m.objects[id].token && m.Choose(2) == 1
	}
	if w.cancelled {
		m.pending[w.alarm()] = o
		m.search.Follow(w.alarm(), w.proc())
	}
	m.step(w, Op{Kind: OpPark, Object: id, Write: true})
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

func (m *VM) Unpark(addr unsafe.Pointer, handoff bool) {
	w := m.self
	if m.killing {
		return
	}
	id := m.use(addr, nil)
	m.step(w, Op{Kind: OpUnpark, Object: id, Write: true, Fence: true})
	object := &m.objects[id]
	if !object.token {
		object.token = true
		m.search.Changed()
	}
	object.released.join(&w.clock)
	w.clock[w.id]++
	m.note(w.proc(), &m.pending[w.proc()], 0, 0)
}
