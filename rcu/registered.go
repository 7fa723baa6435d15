package rcu

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Registered is RCU for goroutines that register and get a [Reader] each: a
// read-side critical section costs two plain stores. A reader may block in its
// section, and begin another inside. [NewRegistered] makes one.
//
// The source is liburcu's urcu-memb.
type Registered struct {
	Updater

	// now is the value of a reader's word when a section begins: the phase, and
	// a nesting of one. A grace period waits until no section of the other phase
	// is left, turns the phase, and waits so again.
	//
	// I1: one wait is not enough. A reader may load now, be held up, and announce a
	// phase that is no longer the current one. When a later grace period has turned
	// back to that phase, its section looks as if it had just begun. But no section
	// looks so in both phases.
	now primitives.Uint32

	readers registry[Reader]
}

// A Reader is one goroutine's place in a [Registered]. Only that goroutine may use
// it.
type Reader struct {
	place place
	trace mark
	_     primitives.CacheLine

	domain  *Registered
	careful bool // whether beginning a section takes more than a store: a fence, a trace, or a panic
	gone    bool // whether it has unregistered

	// word has in bits 0-30 how many sections the reader is in, one inside the
	// other, and in bit 31 the phase in which the outermost one began.
	word primitives.Uint32
	_    primitives.CacheLine
}

const (
	nesting = 1<<31 - 1
	phase   = 1 << 31
)

// NewRegistered returns a Registered.
func NewRegistered(cfg Config) *Registered {
	r := new(Registered)
	r.init(cfg, r)
	r.now.Store(1)
	return r
}

// Register returns a new Reader, until [Reader.Unregister]. Each takes 448 bytes.
func (r *Registered) Register() *Reader {
	r.mustBeMade("Register")
	reader := &Reader{domain: r, careful: fenced || r.cfg.Trace}
	r.readers.add(reader, &reader.place)
	return reader
}

// Unregister ends the reader. It panics in a read-side critical section, and if
// the reader has been unregistered.
func (r *Reader) Unregister() {
	r.mustBeOutside("Unregister in a read-side critical section")
	if !r.domain.readers.remove(&r.place) {
		panic(misuse("Unregister of a reader that is not registered", "it was unregistered at", &r.trace))
	}
	r.gone, r.careful = true, true
	if r.domain.cfg.Trace {
		r.trace.set(goroutine())
	}
}

// ReadLock begins a read-side critical section. It panics if the reader has been
// unregistered, and in 2³¹ − 1 sections, one inside the other.
func (r *Reader) ReadLock() {
	word := r.word.Load()
	if word&nesting != 0 || r.careful {
		r.readLockSlow(word)
		return
	}
	r.word.AddOwn(r.domain.now.Load() - word) // before what the section reads: pairs with barrier in wait
}

func (r *Reader) readLockSlow(word uint32) {
	trace := r.domain.cfg.Trace
	switch {
	case word&nesting == nesting:
		panic("rcu: ReadLock in 2147483647 sections, one inside the other")
	case word&nesting != 0:
		if trace && !r.trace.of(goroutine()) {
			panic(misuse("ReadLock by another goroutine than the reader's", "its section began at", &r.trace))
		}
		r.word.AddOwn(1)
		return
	case r.gone:
		panic(misuse("ReadLock of a reader that is not registered", "it was unregistered at", &r.trace))
	case fenced:
		r.word.Store(r.domain.now.Load()) // full: before what the section reads
	default:
		r.word.AddOwn(r.domain.now.Load() - word) // before what the section reads: pairs with barrier in wait
	}
	if trace {
		r.trace.set(goroutine())
	}
}

// ReadUnlock ends a read-side critical section. It panics if the reader is in none.
func (r *Reader) ReadUnlock() {
	if r.word.Load()&nesting == 0 {
		panic("rcu: ReadUnlock without ReadLock")
	}
	r.word.AddOwn(1<<32 - 1) // adds -1; release: pairs with pass
}

// Synchronize is [Updater.Synchronize] by the reader's own goroutine: it panics
// in a read-side critical section.
func (r *Reader) Synchronize() {
	r.mustBeOutside("Synchronize in a read-side critical section waits for itself")
	r.domain.Synchronize()
}

// SynchronizeExpedited is [Updater.SynchronizeExpedited], in the same way.
func (r *Reader) SynchronizeExpedited() {
	r.mustBeOutside("SynchronizeExpedited in a read-side critical section waits for itself")
	r.domain.SynchronizeExpedited()
}

// Barrier is [Updater.Barrier], in the same way.
func (r *Reader) Barrier() {
	r.mustBeOutside("Barrier in a read-side critical section waits for itself")
	r.domain.Barrier()
}

func (r *Reader) mustBeOutside(otherwise string) {
	if r.word.Load()&nesting != 0 {
		panic(misuse(otherwise, "it began at", &r.trace))
	}
}

func (r *Registered) wait(g *grace) {
	// pass sees a reader that announced itself before the barrier. A reader that
	// announces itself after it sees what the caller stored before it.
	barrier()
	r.pass(g)
	r.now.Store(r.now.Load() ^ phase)
	g.turn()
	r.pass(g)
}

// pass waits until no section of the other phase is left.
func (r *Registered) pass(g *grace) {
	now := r.now.Load()
	for reader := range r.readers.walk {
		for {
			word := reader.word.Load() // acquire: pairs with ReadUnlock
			if !holdsUp(word, now) {
				break
			}
			g.pause()
		}
	}
}

// holdsUp reports whether word is that of a reader in a section of the other phase
// than now's.
func holdsUp(word, now uint32) bool { return word&nesting != 0 && (word^now)&phase != 0 }

// reads needs Config.Trace; a Reader's own methods do not.
func (r *Registered) reads() *mark {
	if !r.cfg.Trace {
		return nil
	}
	me := goroutine()
	for _, r := range r.readers.all() {
		if r.word.Load()&nesting != 0 && r.trace.of(me) {
			return &r.trace
		}
	}
	return nil
}

func (r *Registered) holdups() []Holdup {
	var all []Holdup
	now := r.now.Load()
	for _, reader := range r.readers.all() {
		if holdsUp(reader.word.Load(), now) {
			all = append(all, reader.trace.holdup(fmt.Sprintf("reader %d", reader.place.number)))
		}
	}
	return all
}
