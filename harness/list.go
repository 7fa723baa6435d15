package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A linked is a linked list, in the order of its keys. Readers traverse all of it; a
// writer replaces an element by a new one, and the old one is used again: at once under
// a lock, after a grace period under an [RCULocker].
//
// Every key must be there once, with an element that is whole and no older than any
// that the worker has seen; and at the end the elements must have been replaced as
// often as there were writes.
type linked struct {
	_     pad
	head  primitives.Pointer[version[element]]
	_     pad
	size  int
	slots slots
	stock[element]
	spare *version[element] // what a lock's writer uses next
}

// An element is an element of the list. Only next changes while it is in the list.
type element struct {
	next   primitives.Pointer[version[element]]
	key    primitives.Cell[uint64]
	times  primitives.Cell[uint64] // how often it has been replaced
	mirror primitives.Cell[uint64] // ^times
}

func (e *element) set(key, times uint64) {
	e.key.Set(key)
	e.times.Set(times)
	e.mirror.Set(^times)
}

func (e *element) spoil() { e.set(spoilt, spoilt) }

// listOf returns the workload whose lists have size elements.
func listOf(size int) Workload {
	name := fmt.Sprintf("list%d", size)
	about := fmt.Sprintf("a linked list of %d: replace an element; traverse it", size)
	return Workload{Name: name, About: about, Linked: true,
		New: func(workers int, seed uint64) Data {
			l := newLinked(size, workers, seed, ReclaimNone) // what is used again is not in the stock
			l.spare = l.take()
			return lockedList{l}
		},
		NewCopy: func(workers int, seed uint64, reclaim Reclaim) CopyData {
			return newLinked(size, workers, seed, reclaim)
		},
	}
}

func newLinked(size, workers int, seed uint64, reclaim Reclaim) *linked {
	l := &linked{size: size, slots: newSlots(workers, seed)}
	l.setUp(reclaim, (*element).spoil)
	link := &l.head
	for key := range size {
		v := l.take()
		v.value.set(uint64(key), 0)
		link.Store(v)
		link = &v.value.next
	}
	return l
}

// A lockedList is a linked whose writers keep readers out.
type lockedList struct{ *linked }

// Write replaces an element.
func (l lockedList) Write(worker int) {
	if old := l.replace(worker, l.spare); old != nil {
		old.value.spoil()
		l.spare = old
	}
}

// Update replaces an element.
func (l *linked) Update(worker int) (reclaim func()) {
	fresh := l.take()
	old := l.replace(worker, fresh)
	if old == nil {
		return nil
	}
	return old.reclaim
}

// replace puts fresh in the place of an element and returns the old one, or nil if the
// list is broken.
func (l *linked) replace(worker int, fresh *version[element]) (old *version[element]) {
	slot := &l.slots[worker]
	key := slot.draw(uint64(l.size))
	link := &l.head
	for at := uint64(0); ; at++ {
		old = link.Load()
		if !l.sound(worker, old, at) {
			return nil
		}
		if at == key {
			break
		}
		link = &old.value.next
	}
	fresh.value.set(key, old.value.times.Get()+1)
	fresh.value.next.StoreRelease(old.value.next.Load())
	link.StoreRelease(fresh) // publishes it; readers follow the link
	slot.writes++
	return old
}

// sound reports whether v is the whole element of a key. If it is not, it reports the
// lock as broken.
func (l *linked) sound(worker int, v *version[element], key uint64) bool {
	if v != nil && v.value.key.Get() == key && v.value.mirror.Get() == ^v.value.times.Get() {
		return true
	}
	have := "the end of the list"
	switch {
	case v == nil:
	case v.value.key.Get() == spoilt:
		have = usedAgain
	default:
		have = fmt.Sprintf("key %d, replaced %d times and %d", v.value.key.Get(), v.value.times.Get(), ^v.value.mirror.Get())
	}
	l.slots[worker].fail(fmt.Sprintf("workload list%d, as worker %d traverses it", l.size, worker),
		fmt.Sprintf("the element of key %d, whole", key), have)
	return false
}

// Read traverses the list.
func (l *linked) Read(worker int) {
	times, ok := l.traverse(worker)
	slot := &l.slots[worker]
	if before := slot.seen; ok && !slot.sees(times) {
		slot.fail(fmt.Sprintf("workload list%d, as worker %d traverses it again", l.size, worker),
			fmt.Sprintf("%d replacements or more", before), fmt.Sprint(times))
	}
}

// traverse returns how often the elements were replaced, and whether all are
// sound.
func (l *linked) traverse(worker int) (times uint64, ok bool) {
	v := l.head.Load()
	for key := range uint64(l.size) {
		if !l.sound(worker, v, key) {
			return 0, false
		}
		times += v.value.times.Get()
		v = v.value.next.Load()
	}
	return times, true
}

func (l *linked) Verify() error {
	writes, err := l.slots.verify()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("list%d", l.size)
	switch times, ok := l.traverse(0); {
	case !ok:
		return l.slots[0].broken
	case times != writes:
		return lost(name, "a sum of replacements of", writes, writes, times)
	}
	return l.stock.verify("workload "+name, l.size)
}
