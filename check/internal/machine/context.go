package machine

import (
	"context"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A scope is a context whose end is a step.
type scope struct {
	vm        *VM
	done      chan struct{}
	cancelled bool
}

func (s *scope) Deadline() (time.Time, bool) { return time.Time{}, false }

func (s *scope) Done() <-chan struct{} { return s.done }

func (s *scope) Err() error {
	m := s.vm
	if m.killing {
		return context.Canceled
	}
	id := m.object(unsafe.Pointer(s), nil)
	m.step(m.self, Op{Kind: OpErr, Object: id})
	m.self.clock.join(&m.objects[id].released)
	m.note(m.self.proc(), &m.pending[m.self.proc()], uint64(btoi(s.cancelled)), uint64(btoi(s.cancelled)))
	if s.cancelled {
		return context.Canceled
	}
	return nil
}

func (s *scope) Value(key any) any {
	if key == (engine.ContextKey{}) {
		return s
	}
	return nil
}

func (s *scope) over() bool { return s.cancelled }

func (s *scope) cancel() {
	m := s.vm
	if m.killing {
		return
	}
	id := m.object(unsafe.Pointer(s), nil)
	m.step(m.self, Op{Kind: OpCancel, Object: id, Write: true, Fence: true})
	if !s.cancelled {
		s.cancelled = true
		m.search.Changed()
		close(s.done)
	}
	m.objects[id].released.join(&m.self.clock)
	m.self.clock[m.self.id]++
	m.note(m.self.proc(), &m.pending[m.self.proc()], 0, 1)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
