package rcu

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A QSBR is RCU by quiescent states: a registered goroutine may read at any time
// and says now and then that it is not reading. ReadLock and ReadUnlock cost a look
// at whether the reader is traced, 0.4 ns; without Config.Trace a reader may leave
// them out. A reader goes offline while it blocks. [NewQSBR] makes one.
//
// An online reader calls its own methods Synchronize, SynchronizeExpedited and
// Barrier: in those of the QSBR, and in Close, it would wait for itself.
//
// The source is liburcu's urcu-qsbr.
type QSBR struct {
	Updater

	// now is the number of the latest grace period, from 1, times two. A grace
	// period adds two and waits until every word is 0 or at least now.
	now primitives.Uint64

	readers registry[QuiescentReader]
}

// A QuiescentReader is one goroutine's place in a [QSBR]. Only that goroutine may
// use it. After Unregister all its methods panic, except ReadLock and ReadUnlock without
// Config.Trace. Under Config.Trace all of them except these two panic in a section.
type QuiescentReader struct {
	domain *QSBR
	place  place
	gone   bool // whether it has unregistered

	// Under Config.Trace:
	trace   mark // its last quiescent state, or where it went offline
	section mark // where the outermost section began
	depth   int  // of sections

	_ primitives.CacheLine

	traced bool // whether Config.Trace is set

	// word is the value of domain.now at the last quiescent state, or 0 offline. It
	// is odd if the reader is traced, so that it never equals now.
	//
	// I1: a reader that announces n has loaded n from now, and so sees all that the
	// updater stored before grace period n. That takes no fence. Coming online
	// takes one, because until then no grace period waits for the reader.
	word primitives.Uint64
	_    primitives.CacheLine
}

// NewQSBR returns a QSBR.
func NewQSBR(cfg Config) *QSBR {
	q := new(QSBR)
	q.init(cfg, q)
	q.now.Store(2)
	return q
}

// Register returns a new reader, online, until [QuiescentReader.Unregister]. Each takes
// 760 bytes.
func (q *QSBR) Register() *QuiescentReader {
	q.mustBeMade("Register")
	r := &QuiescentReader{domain: q, traced: q.cfg.Trace}
	q.readers.add(r, &r.place)
	r.Online()
	if r.traced {
		r.trace.disown() // another goroutine may use r
	}
	return r
}

// Unregister ends the reader. It panics if it has been called before.
func (r *QuiescentReader) Unregister() {
	r.mustBeQuiet("Unregister")
	r.word.StoreRelease(0) // release: pairs with wait
	if !r.domain.readers.remove(&r.place) {
		r.mustBeRegistered("Unregister")
	}
	r.gone = true
	r.note()
}

// ReadLock begins a read-side critical section. Without Config.Trace it does
// nothing: an online reader is always in one, from one quiescent state to the
// next. With it, it panics if the reader is offline, or in another goroutine's section.
func (r *QuiescentReader) ReadLock() {
	if r.traced {
		r.begin()
	}
}

// ReadUnlock ends a read-side critical section. Without Config.Trace it does
// nothing. With it, it panics if the reader is in none.
func (r *QuiescentReader) ReadUnlock() {
	if r.traced {
		r.end()
	}
}

// begin panics if grace periods do not wait for the reader.
func (r *QuiescentReader) begin() {
	r.mustBeRegistered("ReadLock")
	if r.word.Load() == 0 {
		panic(misuse("ReadLock of a reader that is offline", "it went offline at", &r.trace))
	}
	if r.depth > 0 {
		r.mustBeMine("ReadLock")
	} else {
		r.section.set(goroutine())
	}
	r.depth++
}

func (r *QuiescentReader) end() {
	if r.depth == 0 {
		panic("rcu: ReadUnlock without ReadLock")
	}
	r.mustBeMine("ReadUnlock")
	r.depth--
}

func (r *QuiescentReader) mustBeRegistered(method string) {
	if r.gone {
		panic(misuse(method+" of a reader that is not registered", "it was unregistered at", &r.trace))
	}
}

// mustBeMine panics if another goroutine has begun the section that the reader is
// in.
func (r *QuiescentReader) mustBeMine(method string) {
	if !r.section.of(goroutine()) {
		panic(misuse(method+" by another goroutine than the reader's", "its section began at", &r.section))
	}
}

// mustBeQuiet panics if the reader is in a section. Only Config.Trace tells that.
func (r *QuiescentReader) mustBeQuiet(method string) {
	r.mustBeRegistered(method)
	if r.depth > 0 {
		panic(misuse(method+" in a read-side critical section", "it began at", &r.section))
	}
}

// note notes where the caller is, under Config.Trace.
func (r *QuiescentReader) note() {
	if r.traced {
		r.trace.set(goroutine())
	}
}

// Quiescent says that the reader is in no read-side critical section: it will not
// use what it dereferenced before. Grace periods wait for Quiescent, so an online
// reader calls it often. Offline it does nothing.
func (r *QuiescentReader) Quiescent() {
	if now := r.domain.now.Load(); r.word.Load() != now {
		r.announce(now)
	}
}

func (r *QuiescentReader) announce(now uint64) {
	r.mustBeQuiet("Quiescent")
	switch {
	case r.word.Load() == 0: // offline: coming online would take a fence
		return
	case r.traced:
		now |= 1
	}
	r.word.StoreRelease(now) // release: pairs with wait; by I1
	r.note()
}

// Offline says that the reader is in no read-side critical section and will not
// begin one before [QuiescentReader.Online], so grace periods do not wait for it.
func (r *QuiescentReader) Offline() {
	r.mustBeQuiet("Offline")
	r.word.StoreRelease(0) // release: pairs with wait
	r.note()
}

// Online ends [QuiescentReader.Offline].
func (r *QuiescentReader) Online() {
	r.mustBeQuiet("Online")
	now := r.domain.now.Load()
	if r.traced {
		now |= 1
	}
	r.word.Store(now) // full: before what the reader reads, relies on SC
	r.note()
}

// Synchronize is [Updater.Synchronize] by the reader's own goroutine, which is
// offline meanwhile.
func (r *QuiescentReader) Synchronize() { r.offline("Synchronize", r.domain.Synchronize) }

// SynchronizeExpedited is [Updater.SynchronizeExpedited], in the same way.
func (r *QuiescentReader) SynchronizeExpedited() {
	r.offline("SynchronizeExpedited", r.domain.SynchronizeExpedited)
}

// Barrier is [Updater.Barrier], in the same way.
func (r *QuiescentReader) Barrier() { r.offline("Barrier", r.domain.Barrier) }

// offline calls wait, which may wait for the reader.
func (r *QuiescentReader) offline(method string, wait func()) {
	r.mustBeQuiet(method)
	if r.word.Load() != 0 {
		r.Offline()
		defer r.Online()
	}
	wait()
}

func (q *QSBR) wait(g *grace) {
	now := q.now.Add(2) // full: what the caller did comes before it
	for r := range q.readers.walk {
		for {
			word := r.word.Load() // acquire: pairs with announce and Offline
			if word == 0 || word >= now {
				break
			}
			g.pause()
		}
		g.again()
	}
}

// reads needs Config.Trace, and a reader that has called Online or Quiescent.
func (q *QSBR) reads() *mark {
	if !q.cfg.Trace {
		return nil
	}
	me := goroutine()
	for _, r := range q.readers.all() {
		if r.word.Load() != 0 && r.trace.of(me) {
			return &r.trace
		}
	}
	return nil
}

func (q *QSBR) holdups() []Holdup {
	var all []Holdup
	now := q.now.Load()
	for _, r := range q.readers.all() {
		if word := r.word.Load(); word != 0 && word < now {
			all = append(all, r.trace.holdup(fmt.Sprintf("reader %d, without a quiescent state", r.place.number)))
		}
	}
	return all
}
