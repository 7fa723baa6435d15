package machine

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A memory has what is known of the words, Cells and parkers of one execution. They
// are numbered in the order in which they are first met.
//
// Values stay in the words, as on the host. An execution may touch words that
// outlive it; restore gives them the values that they had before.
type memory struct {
	epoch   uint32
	objects []Object
	cells   []cell

	// slots maps addresses to numbers, by open addressing. Slots of another epoch
	// are empty.
	slots []slot
}

type slot struct {
	addr  uintptr
	epoch uint32
	id    int32
}

// An Object is what workers access: a word, a Cell, a parker, or what the machine adds.
type Object struct {
	Addr     unsafe.Pointer  // keeps it, so that the address stays its own
	At       engine.Location // nil for what is no word
	before   uint64          // its value when it was first met
	pointer  unsafe.Pointer
	version  uint32 // grows when its value changes
	token    bool   // of a parker: whether it holds a wake-up; of a CPU: whether it is taken
	pooled   bool   // whether it is part of a value in a Pool
	cell     int32  // of a Cell: its number among cells, plus one
	released clock  // what happened before the step that set it
}

const firstSlots = 1 << 10

func (m *memory) begin() {
	m.epoch++
	if m.slots == nil || m.epoch == 0 {
		m.epoch = 1
		m.slots = make([]slot, firstSlots)
	}
	m.objects, m.cells = m.objects[:0], m.cells[:0]
}

// object returns the number of the object at addr.
func (m *memory) object(addr unsafe.Pointer, at engine.Location) int32 {
	mask := uintptr(len(m.slots) - 1)
	for i := uintptr(uint64(uintptr(addr))*0x9e3779b97f4a7c15>>32) & mask; ; i = (i + 1) & mask {
		s := &m.slots[i]
		switch {
		case s.epoch != m.epoch:
			id := int32(len(m.objects))
			*s = slot{uintptr(addr), m.epoch, id}
			m.add(addr, at)
			if 2*len(m.objects) > len(m.slots) {
				m.grow()
			}
			return id
		case s.addr == uintptr(addr):
			return s.id
		}
	}
}

func (m *memory) add(addr unsafe.Pointer, at engine.Location) {
	if len(m.objects) < cap(m.objects) {
		m.objects = m.objects[:len(m.objects)+1]
	} else {
		m.objects = append(m.objects, Object{})
	}
	o := &m.objects[len(m.objects)-1]
	*o = Object{Addr: addr, At: at}
	if at != nil {
		o.before, o.pointer = at.Raw()
	}
}

func (m *memory) grow() {
	m.slots = make([]slot, 2*len(m.slots))
	mask := uintptr(len(m.slots) - 1)
	for id := range m.objects {
		addr := uintptr(m.objects[id].Addr)
		i := uintptr(uint64(addr)*0x9e3779b97f4a7c15>>32) & mask
		for m.slots[i].epoch == m.epoch {
			i = (i + 1) & mask
		}
		m.slots[i] = slot{addr, m.epoch, int32(id)}
	}
}

// value returns a word's value in memory.
func (m *memory) value(id int32) uint64 {
	val, _ := m.objects[id].At.Raw()
	return val
}

func (m *memory) restore() {
	for i := range m.objects {
		if o := &m.objects[i]; o.At != nil {
			o.At.SetRaw(o.before, o.pointer)
		}
	}
}
