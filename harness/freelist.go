package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A freelist is a list of free buffers, one for every two workers. A worker takes a
// buffer, if one is free, and gives it back the next time; a worker that finds none
// does not wait.
//
// Two workers must never have the same buffer, and no buffer may get lost.
type freelist struct {
	_     pad
	idle  primitives.Cell[int] // how many are free: the first of free, up to this number
	taken primitives.Cell[int] // how many are not
	_     pad
	free  []primitives.Cell[int] // numbers of buffers
	user  []primitives.Cell[int] // of each buffer, or noUser

	slots slots
	hands []hand
}

const noUser = -1

// A hand has the buffer that its worker has taken, or none.
type hand struct {
	_      pad
	full   bool
	buffer int
	_      pad
}

func newFreelist(workers int, seed uint64) Data {
	n := (workers + 1) / 2
	l := &freelist{
		free:  apart[primitives.Cell[int]](n),
		user:  apart[primitives.Cell[int]](n),
		slots: newSlots(workers, seed),
		hands: make([]hand, workers),
	}
	for i := range n {
		l.free[i].Set(i)
		l.user[i].Set(noUser)
	}
	l.idle.Set(n)
	return l
}

// Write takes a buffer, or gives it back.
func (l *freelist) Write(worker int) {
	h, idle, taken := &l.hands[worker], l.look(worker), l.taken.Get()
	switch {
	case h.full && idle < len(l.free):
		l.hand(worker, h.buffer, worker, noUser)
		l.free[idle].Set(h.buffer)
		l.idle.Set(idle + 1)
		l.taken.Set(taken - 1)
		h.full = false
	case h.full:
		l.slots[worker].fail(fmt.Sprintf("workload freelist, as worker %d gives back a buffer", worker), "room for it", "none")
	case idle > 0:
		h.full, h.buffer = true, l.free[idle-1].Get()
		l.hand(worker, h.buffer, noUser, worker)
		l.idle.Set(idle - 1)
		l.taken.Set(taken + 1)
	}
}

// hand gives a buffer of one user to another.
func (l *freelist) hand(worker, buffer, from, to int) {
	if user := l.user[buffer].Get(); user != from {
		l.slots[worker].fail(fmt.Sprintf("workload freelist, as buffer %d goes from %s to %s", buffer, userName(from), userName(to)), "it with "+userName(from), "it with "+userName(user))
	}
	l.user[buffer].Set(to)
}

// userName returns what errors call a user of a buffer.
func userName(user int) string {
	if user == noUser {
		return "no worker"
	}
	return fmt.Sprintf("worker %d", user)
}

// Read counts the buffers.
func (l *freelist) Read(worker int) { l.look(worker) }

// look returns how many are free.
func (l *freelist) look(worker int) int {
	idle, taken := l.idle.Get(), l.taken.Get()
	if idle+taken != len(l.free) || idle < 0 || taken < 0 {
		l.slots[worker].fail(fmt.Sprintf("workload freelist, as worker %d counts", worker),
			fmt.Sprintf("%d in all", len(l.free)), fmt.Sprintf("%d free and %d taken", idle, taken))
		return min(max(idle, 0), len(l.free))
	}
	return idle
}

func (l *freelist) Verify() error {
	if _, err := l.slots.verify(); err != nil {
		return err
	}
	wrong := func(buffer int, want, have string) error {
		return &BrokenError{When: "workload freelist, in the end", Want: fmt.Sprintf("buffer %d %s", buffer, want), Have: have}
	}
	has := make([]int, len(l.free)) // which worker has each buffer, as the hands say
	for i := range has {
		has[i] = noUser
	}
	taken := 0
	for worker := range l.hands {
		h := &l.hands[worker]
		if !h.full {
			continue
		}
		if has[h.buffer] != noUser {
			return wrong(h.buffer, "with one", fmt.Sprintf("it with %s and %s", userName(has[h.buffer]), userName(worker)))
		}
		has[h.buffer] = worker
		taken++
	}
	idle := l.idle.Get()
	if taken != l.taken.Get() || idle+taken != len(l.free) {
		return &BrokenError{When: "workload freelist, in the end", Want: fmt.Sprintf("%d in all, %d of them taken", len(l.free), taken),
			Have: fmt.Sprintf("%d free and %d taken", idle, l.taken.Get())}
	}
	for buffer := range has {
		if user := l.user[buffer].Get(); user != has[buffer] {
			return wrong(buffer, "with "+userName(has[buffer]), "it with "+userName(user))
		}
	}
	listed := make([]bool, len(l.free))
	for i := range idle {
		buffer := l.free[i].Get()
		if listed[buffer] || has[buffer] != noUser {
			return wrong(buffer, "once", "it twice")
		}
		listed[buffer] = true
	}
	return nil
}
