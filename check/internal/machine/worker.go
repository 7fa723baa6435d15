package machine

import (
	"fmt"
	"unsafe"
)

// A worker is a coroutine of the virtual machine.
type worker struct {
	id     int
	resume func() (struct{}, bool)
	yield  func(struct{}) bool
	stop   func()
	inside bool // whether it is in body
	below  bool // whether it has resumed another, which has not yielded back yet
	lost   bool // whether it has left by runtime.Goexit: it must not be resumed

	body       func()
	name       string
	background bool // whether the execution may end without it
	optional   bool // whether its steps may never be taken
	state      state
	clock      clock   // what happened before, for the detection of data races
	read       []Seen  // since it last waited
	awaited    []Seen  // while it waits for one of several words
	watched    int32   // the one that it waits for
	trying     bool    // whether it could give up waiting
	stores     []store // its store buffer, the oldest first
	issued     int     // how many stores it ever put there
	pins       int
	free       []pooled // what it has given to pools, the latest last
	cpu        int
	deadline   deadline // what may end its Park, or nil
	context    [1]Seen  // of the deadline, if it is a context
	cancelled  bool     // whether the deadline will end its Park before an Unpark comes
	expired    bool     // whether it has

	alike   int   // how many more of its kind will start, once it has taken a step
	spawned clock // when those could have been started

	// Of After's workers.
	timer   bool
	again   int  // how many timers came before it, each started by the one before
	fires   bool // whether it fires before it is stopped
	fired   bool
	stopped bool
}

func (w *worker) proc() Proc   { return Proc(3 * w.id) }
func (w *worker) buffer() Proc { return Proc(3*w.id + 1) }
func (w *worker) alarm() Proc  { return Proc(3*w.id + 2) }

type state uint8

const (
	starts state = iota
	runs
	posted  // its next step is pending
	watches // it waits for the change of a word
	finished
)

// A Seen is a word and which of its values was seen.
type Seen struct {
	Object  int32
	version uint32
}

const wholeWord = ^uint64(0)

// A store is in a store buffer: the bits of val in mask.
type store struct {
	object    int32
	val, mask uint64
	clock     clock
}

// A pooled is a value that is in a pool.
type pooled struct {
	pool, value unsafe.Pointer
	size        uintptr
}

func (w *worker) String() string {
	switch {
	case w.name != "":
		return w.name
	case w.id == 0:
		return "body"
	default:
		return fmt.Sprintf("worker %d", w.id)
	}
}

func (w *worker) reset(body func(), background bool) {
	w.body, w.name, w.background, w.optional = body, "", background, false
	w.state, w.clock = starts, clock{}
	w.read, w.stores, w.trying = w.read[:0], w.stores[:0], false
	w.cpu, w.issued = w.id, 0
	w.pins, w.deadline, w.cancelled, w.expired = 0, nil, false, false
	clear(w.free)
	w.free, w.alike = w.free[:0], 0
	w.timer, w.again, w.fires, w.fired, w.stopped = false, 0, false, false, false
}

// see notes that w read a word.
func (w *worker) see(object int32, version uint32) {
	for i := range w.read {
		if w.read[i].Object == object {
			return // keep the older version: it changed since w read it
		}
	}
	w.read = append(w.read, Seen{object, version})
}

// forget notes that w wrote a word.
func (w *worker) forget(object int32) {
	for i := range w.read {
		if w.read[i].Object == object {
			w.read[i] = w.read[len(w.read)-1]
			w.read = w.read[:len(w.read)-1]
			return
		}
	}
}

// latest returns which store in w's buffer is the latest to a word, or -1.
func (w *worker) latest(object int32) int {
	for i := len(w.stores) - 1; i >= 0; i-- {
		if w.stores[i].object == object {
			return i
		}
	}
	return -1
}

// flushed notes that w's buffer has no store to a word any more. If w has read the
// word it saw its own store, so it has seen this version.
func (w *worker) flushed(object int32, version uint32) {
	for _, read := range [...][]Seen{w.read, w.awaited} {
		for i := range read {
			if read[i].Object == object {
				read[i].version = version
			}
		}
	}
}

// A deadline may end a Park.
type deadline interface {
	over() bool // whether it can end the Park now
}

// A timer can end at any time: the machine does not say how fast a worker is.
type timer struct{}

func (timer) over() bool { return true }
