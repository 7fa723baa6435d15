package check

import (
	"iter"
	"unsafe"

	"github.com/lockbench/lockbench/internal/sched"
)

// A worker is a coroutine of the virtual machine.
type worker struct {
	vm     *vm
	id     int
	resume func() (struct{}, bool)
	yield  func(struct{}) bool
	stop   func()
	inside bool // whether it is in body
	below  bool // whether it has resumed another, which has not come back yet
	lost   bool // whether it has left by runtime.Goexit: it is never resumed

	body       func()
	name       string
	background bool // whether the execution may end without it
	optional   bool // whether its steps may never be taken
	state      state
	clock      clock   // what happened before, for the detection of data races
	read       []seen  // since it last waited
	awaited    []seen  // while it waits for one of several words
	watched    int32   // the one that it waits for
	trying     bool    // whether it could give up waiting
	stores     []store // its store buffer, the oldest first
	issued     int     // how many stores it ever put there
	pins       int
	free       []pooled // what it has given to pools, the latest last
	cpu        int
	bell       bell    // what may end its Park, or nil
	context    [1]seen // the bell's, if it is a context
	heeds      bool    // whether the bell will ring before an Unpark comes
	rang       bool    // whether it has

	alike int   // how many more there will be like it, once it has taken a step
	born  clock // when those could have been started

	// Of After's workers.
	timer   bool
	again   int  // how many timers came before it, each of which started the next
	fires   bool // whether it is before it is stopped
	fired   bool
	stopped bool
}

type state uint8

const (
	starts state = iota
	runs
	posted  // its next step is pending
	watches // it waits for the change of a word
	finished
)

// A seen is a word and which of its values was seen.
type seen struct {
	object  int32
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
type pooled struct{ pool, value unsafe.Pointer }

// killed is the panic that unwinds a worker whose execution is over.
type killed struct{}

// aborted is the panic that unwinds a worker that has found a failure.
type aborted struct{}

func newWorker(m *vm, id int) *worker {
	w := &worker{vm: m, id: id}
	w.resume, w.stop = iter.Pull(w.lives)
	return w
}

func (w *worker) reset(body func(), background bool) {
	w.body, w.name, w.background, w.optional = body, "", background, false
	w.state, w.clock = starts, clock{}
	w.read, w.stores, w.trying = w.read[:0], w.stores[:0], false
	w.cpu, w.issued = w.id, 0
	w.pins, w.bell, w.heeds, w.rang = 0, nil, false, false
	clear(w.free)
	w.free, w.alike = w.free[:0], 0
	w.timer, w.again, w.fires, w.fired, w.stopped = false, 0, false, false, false
}

// lives runs one body after the other, and yields after each.
func (w *worker) lives(yield func(struct{}) bool) {
	w.yield = yield
	w.vm.watch.knows(w.id)
	for {
		w.inside = true
		w.runs()
		if !yield(struct{}{}) {
			return
		}
	}
}

func (w *worker) runs() {
	returned := false
	defer func() {
		w.vm.givenUp()
		w.inside = false
		switch v := recover().(type) {
		case nil:
			if !returned {
				w.exits()
			}
		case killed, aborted:
		default:
			if !w.vm.killing {
				w.vm.panicked(v)
			}
		}
	}()
	w.vm.next = nil
	sched.Runs()
	w.body()
	w.vm.givenUp()
	w.vm.finish(w)
	returned = true
}

// exits ends the execution, in w's last moment before runtime.Goexit ends the
// coroutine, and with it whoever resumes it: so nobody may, ever.
func (w *worker) exits() {
	w.lost = true
	if m := w.vm; !m.killing {
		m.exited()
	}
	w.yield(struct{}{})
}

// see notes that w read a word.
func (w *worker) see(object int32, version uint32) {
	for i := range w.read {
		if w.read[i].object == object {
			return // the older one: what w did since then is out of date
		}
	}
	w.read = append(w.read, seen{object, version})
}

// forget notes that w wrote a word.
func (w *worker) forget(object int32) {
	for i := range w.read {
		if w.read[i].object == object {
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

// flushed notes that nothing which w wrote to a word is in its buffer any more. If
// it has read the word it saw what it wrote, so that it has seen this version.
func (w *worker) flushed(object int32, version uint32) {
	for _, read := range [...][]seen{w.read, w.awaited} {
		for i := range read {
			if read[i].object == object {
				read[i].version = version
			}
		}
	}
}

// A bell is what may end a Park.
type bell interface {
	rings() bool // whether it can now
}

// A timer rings when it likes: the machine does not say how fast a worker is.
type timer struct{}

func (timer) rings() bool { return true }
