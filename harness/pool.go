package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A pool has one buffer for every two workers. A worker takes one, if there is
// any, and gives it back the next time: what a counting semaphore bounds.
// Here the lock guards the list of free ones, so that any lock can be measured
// with it; a worker that finds none does not wait.
//
// No buffer may ever be with two workers, and none get lost.
type pool struct {
	_     pad
	idle  primitives.Cell[int] // how many are free: the first so many of free
	taken primitives.Cell[int] // how many are not
	_     pad
	free  []primitives.Cell[int] // numbers of buffers
	user  []primitives.Cell[int] // of each buffer, or nobody

	seats seats
	hands []hand
}

const nobody = -1

// A hand has the buffer that its worker has taken, or none.
type hand struct {
	_      pad
	full   bool
	buffer int
	_      pad
}

func newPool(workers int, seed uint64) Data {
	n := (workers + 1) / 2
	p := &pool{
		free:  apart[primitives.Cell[int]](n),
		user:  apart[primitives.Cell[int]](n),
		seats: newSeats(workers, seed),
		hands: make([]hand, workers),
	}
	for i := range n {
		p.free[i].Set(i)
		p.user[i].Set(nobody)
	}
	p.idle.Set(n)
	return p
}

// Write takes a buffer, or gives it back.
func (p *pool) Write(worker int) {
	h, idle, taken := &p.hands[worker], p.look(worker), p.taken.Get()
	switch {
	case h.full && idle < len(p.free):
		p.hand(worker, h.buffer, worker, nobody)
		p.free[idle].Set(h.buffer)
		p.idle.Set(idle + 1)
		p.taken.Set(taken - 1)
		h.full = false
	case h.full:
		p.seats[worker].accuse(fmt.Sprintf("workload pool, as worker %d gives back a buffer", worker), "room for it", "none")
	case idle > 0:
		h.full, h.buffer = true, p.free[idle-1].Get()
		p.hand(worker, h.buffer, nobody, worker)
		p.idle.Set(idle - 1)
		p.taken.Set(taken + 1)
	}
}

// hand hands a buffer from one user to another.
func (p *pool) hand(worker, buffer, from, to int) {
	if user := p.user[buffer].Get(); user != from {
		p.seats[worker].accuse(fmt.Sprintf("workload pool, as buffer %d goes from %s to %s", buffer, who(from), who(to)), "it with "+who(from), "it with "+who(user))
	}
	p.user[buffer].Set(to)
}

func who(user int) string {
	if user == nobody {
		return "nobody"
	}
	return fmt.Sprintf("worker %d", user)
}

// Read counts the buffers.
func (p *pool) Read(worker int) { p.look(worker) }

// look returns how many are free.
func (p *pool) look(worker int) int {
	idle, taken := p.idle.Get(), p.taken.Get()
	if idle+taken != len(p.free) || idle < 0 || taken < 0 {
		p.seats[worker].accuse(fmt.Sprintf("workload pool, as worker %d counts", worker),
			fmt.Sprintf("%d in all", len(p.free)), fmt.Sprintf("%d free and %d taken", idle, taken))
		return min(max(idle, 0), len(p.free))
	}
	return idle
}

func (p *pool) Verify() error {
	if _, err := p.seats.verify(); err != nil {
		return err
	}
	wrong := func(buffer int, want, have string) error {
		return &BrokenError{When: "workload pool, in the end", Want: fmt.Sprintf("buffer %d %s", buffer, want), Have: have}
	}
	has := make([]int, len(p.free)) // who has each, by the hands
	for i := range has {
		has[i] = nobody
	}
	taken := 0
	for worker := range p.hands {
		h := &p.hands[worker]
		if !h.full {
			continue
		}
		if has[h.buffer] != nobody {
			return wrong(h.buffer, "with one", fmt.Sprintf("it with %s and %s", who(has[h.buffer]), who(worker)))
		}
		has[h.buffer] = worker
		taken++
	}
	idle := p.idle.Get()
	if taken != p.taken.Get() || idle+taken != len(p.free) {
		return &BrokenError{When: "workload pool, in the end", Want: fmt.Sprintf("%d in all, %d of them taken", len(p.free), taken),
			Have: fmt.Sprintf("%d free and %d taken", idle, p.taken.Get())}
	}
	for buffer := range has {
		if user := p.user[buffer].Get(); user != has[buffer] {
			return wrong(buffer, "with "+who(has[buffer]), "it with "+who(user))
		}
	}
	listed := make([]bool, len(p.free))
	for i := range idle {
		buffer := p.free[i].Get()
		if listed[buffer] || has[buffer] != nobody {
			return wrong(buffer, "once", "it twice")
		}
		listed[buffer] = true
	}
	return nil
}
