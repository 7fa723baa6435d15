package machine

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// Take returns the value that the worker itself gave up last: code that still uses
// that value meets its next use soon. It costs no schedules, because it is known
// which worker gets the value. A worker does not get what another gave up.
func (m *VM) Take(addr unsafe.Pointer) unsafe.Pointer {
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

func (m *VM) Give(addr, v unsafe.Pointer, size uintptr) {
	m.unpinned("gives to a Pool", "Put after Unpin")
	given := pooled{addr, v, size}
	m.self.free = append(m.self.free, given)
	m.pool(given, true)
}

// pool notes of the words, Cells and parkers in a value that have been met whether it is
// in a Pool.
func (m *VM) pool(p pooled, in bool) {
	for i := range m.objects {
		if at := uintptr(m.objects[i].Addr); at-uintptr(p.value) < p.size {
			m.objects[i].pooled = in
		}
	}
}

// use is object for a step of the running worker there, which ends the execution if
// that is in a Pool: another worker can have it by then. Put is no step, so an
// access by another worker is seen only on schedules that are searched anyway.
func (m *VM) use(addr unsafe.Pointer, at engine.Location) int32 {
	id := m.object(addr, at)
	if m.objects[id].pooled {
		m.Abort(Misuse, fmt.Sprintf("%v uses a value after it was Put in a Pool: another worker can have it then", m.self))
	}
	return id
}
