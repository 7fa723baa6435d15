package machine

import (
	"fmt"
	"time"
)

func (m *VM) Wait(pinned bool, _ time.Duration) {
	m.spin(pinned, "waits")
	m.Until()
}

func (m *VM) Try(tried int, _ time.Duration) bool {
	w := m.self
	if m.killing {
		panic(killed{})
	}
	if tried >= m.limits.Spins {
		m.Cut = true
		return false
	}
	if m.Choose(2) == 1 {
		return false
	}
	w.trying = true
	m.wait(w)
	w.trying = false
	return true
}

// Yield is not a step: others may run at any time.
func (m *VM) Yield() { m.unpinned("gives way", "GiveWay after Unpin") }

// Until is wait for the running worker, which another one has to end.
func (m *VM) Until() {
	if len(m.self.read) > 0 {
		m.keepsCPU(m.self)
	}
	m.wait(m.self)
}

// spin ends the execution if the running worker waits with a Spin that says pinned and
// is not, or the other way around.
func (m *VM) spin(pinned bool, does string) {
	switch {
	case !pinned:
		m.unpinned(does+" with a Spin that may yield", "Spin.Pinned, or the wait after Unpin")
	case m.self.pins == 0 && !m.killing:
		m.Abort(Misuse, fmt.Sprintf("%v %s with a Spin that says Pinned, and is not; on the host it keeps its CPU from the worker it waits for: want Pin before it", m.self, does))
	}
}

// keepsCPU notes that w is about to wait for another worker. If it is pinned to the only
// CPU there is, none can take a step. It is found here, and not by keeping workers
// that are not pinned from taking steps: each of their steps would then conflict
// with each Pin.
func (m *VM) keepsCPU(w *worker) {
	if m.limits.CPUs == 1 && w.pins > 0 && !m.killing {
		m.starver = w
	}
}

// wait waits until a word has changed that w read since it last waited.
func (m *VM) wait(w *worker) {
	if m.killing {
		panic(killed{})
	}
	read := w.read
	w.read = w.read[:0]
	switch {
	case len(read) == 0:
		m.step(w, Op{Kind: OpYield, Object: -1})
	case m.starver == nil && m.anyChanged(w, read):
	case len(read) == 1:
		w.state, w.watched = watches, read[0].Object
		m.block(w)
	default:
		// Several words: the schedule decides which one's change ends the wait, so the
		// wait is a step that reads all of them.
		w.awaited = append(w.awaited[:0], read...)
		m.step(w, Op{Kind: OpWait, Object: -1, More: w.awaited})
	}
}
