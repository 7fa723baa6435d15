package machine

import (
	"time"
	"unsafe"
)

// Now looks at the clock, which is a step. Time passes when a worker has waited for
// it. In an execution so long that all take turns it passes by itself; otherwise a
// worker that loops until it is late would make no progress.
func (m *VM) Now() int64 {
	w := m.self
	m.read = true
	if m.killing {
		m.now += int64(lastTick)
		return m.now
	}
	m.step(w, Op{Kind: OpNow, Object: m.clock()})
	if m.Long {
		m.now += int64(m.tick)
		m.tick = min(2*m.tick, lastTick)
	}
	m.note(w.proc(), &Op{Kind: OpNow, Object: -1}, uint64(m.now), uint64(m.now))
	return m.now
}

func (m *VM) Sleep(d time.Duration) {
	w := m.self
	m.unpinned("sleeps", "Sleep after Unpin")
	if m.killing {
		panic(killed{})
	}
	m.step(w, Op{Kind: OpSleep, Object: m.clock()})
	m.advance(w, m.now+int64(d))
}

// Busy does nothing, because steps take no time.
func (m *VM) Busy(time.Duration) {}

// Timed is false: what differs in its pace alone need not be searched.
func (m *VM) Timed() bool { return false }

// Pause is not a step: no time passes, and others may run at any time.
func (m *VM) Pause(time.Duration) bool { return true }

func (m *VM) After(d time.Duration, f func()) (stop func() bool) {
	var w *worker
	late := m.now + int64(d)
	w = m.goes(func() {
		m.step(w, Op{Kind: OpTimer, Object: m.object(unsafe.Pointer(&w.fired), nil), Write: true})
		w.fired = true
		m.advance(w, late)
		f()
	}, true)
	w.timer = true
	if m.self.timer {
		w.again = m.self.again + 1
	}
	if w.again > m.limits.Spins && !m.killing {
		m.Cut = true
	} else {
		w.fires = m.killing || m.Choose(2) == 0 // before it is stopped
	}
	return func() bool {
		if m.killing {
			return false
		}
		m.step(m.self, Op{Kind: OpStop, Object: m.object(unsafe.Pointer(&w.fired), nil), Write: true, Fence: true, timer: w})
		w.stopped = !w.fired
		return w.stopped
	}
}

// advance moves the clock to late, if it is not later already.
func (m *VM) advance(w *worker, late int64) {
	m.passed = true
	m.step(w, Op{Kind: OpClock, Object: m.clock(), Write: true})
	m.now = max(m.now, late)
}

// clock is the clock's number among the objects, which is needed only if time passes
// and a worker looks at the clock.
func (m *VM) clock() int32 {
	if !m.clocked {
		return -1
	}
	return m.object(unsafe.Pointer(&m.now), nil)
}
