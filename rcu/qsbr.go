package rcu

import (
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/primitives"
)

// A QSBR is RCU by quiescent states: a registered goroutine may read at any
// time, at no cost at all, and says every now and then that it is not doing so.
// It goes offline while it blocks. [NewQSBR] makes one.
//
// An online reader has Synchronize, SynchronizeExpedited and Barrier of its own:
// in those of the QSBR, and in Close, it would wait for itself.
//
// The source is liburcu's urcu-qsbr.
type QSBR struct {
	Updater

	// now is the number of the latest grace period, from 1. A grace period
	// adds one and waits until every word is 0 or has come so far.
	now primitives.Uint64

	readers registry[QuiescentReader]
}

// A QuiescentReader is one goroutine's place in a [QSBR]. It is that goroutine's
// alone to use.
type QuiescentReader struct {
	domain *QSBR
	number int
	trace  mark
	_      primitives.CacheLine

	// word is what domain.now was at the last quiescent state, or 0 offline.
	//
	// I1: who announces n has seen that now is n, and so sees all that the
	// updater stored before the grace period n. That takes no fence. Only to
	// come online does: until then nobody waits for the reader.
	word primitives.Uint64
	_    primitives.CacheLine
}

// NewQSBR returns a QSBR.
func NewQSBR(cfg Config) *QSBR {
	q := new(QSBR)
	q.init(cfg, q)
	q.now.Store(1)
	return q
}

// Register returns a new reader, online, until [QuiescentReader.Unregister].
func (q *QSBR) Register() *QuiescentReader {
	r := &QuiescentReader{domain: q}
	r.number = q.readers.add(r)
	r.Online()
	if q.cfg.Trace {
		r.trace.disown() // it may be meant for another goroutine
	}
	return r
}

// Unregister ends the reader.
func (r *QuiescentReader) Unregister() {
	r.Offline()
	r.domain.readers.remove(r)
}

// ReadLock begins a read-side critical section: it does nothing. An online
// reader is always in one, from one quiescent state to the next.
func (r *QuiescentReader) ReadLock() {}

// ReadUnlock ends a read-side critical section: it does nothing.
func (r *QuiescentReader) ReadUnlock() {}

// Quiescent says that the reader is in no read-side critical section: what it
// has dereferenced before it does not use after. Grace periods wait for it, so
// an online reader calls it often.
func (r *QuiescentReader) Quiescent() {
	if now := r.domain.now.Load(); r.word.Load() != now {
		r.announce(now)
	}
}

func (r *QuiescentReader) announce(now uint64) {
	r.word.StoreRelease(now) // release: pairs with wait; by I1
	if r.domain.cfg.Trace {
		r.trace.set(goroutine())
	}
}

// Offline says that the reader is in no read-side critical section and will not
// begin one before [QuiescentReader.Online]: grace periods do not wait for it.
func (r *QuiescentReader) Offline() {
	r.word.StoreRelease(0) // release: pairs with wait
}

// Online ends [QuiescentReader.Offline].
func (r *QuiescentReader) Online() {
	r.word.Store(r.domain.now.Load()) // full: before what the reader reads, relies on SC
	if r.domain.cfg.Trace {
		r.trace.set(goroutine())
	}
}

// Synchronize is [Updater.Synchronize] by the reader's own goroutine, which is
// offline meanwhile.
func (r *QuiescentReader) Synchronize() { r.offline(r.domain.Synchronize) }

// SynchronizeExpedited is [Updater.SynchronizeExpedited] likewise.
func (r *QuiescentReader) SynchronizeExpedited() { r.offline(r.domain.SynchronizeExpedited) }

// Barrier is [Updater.Barrier] likewise.
func (r *QuiescentReader) Barrier() { r.offline(r.domain.Barrier) }

// offline calls wait, which may wait for the reader.
func (r *QuiescentReader) offline(wait func()) {
	if r.word.Load() != 0 {
		r.Offline()
		defer r.Online()
	}
	wait()
}

func (q *QSBR) wait(g *grace) {
	now := q.now.Add(1) // full: what the caller did comes before it
	for _, r := range q.readers.all() {
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

// reads knows it under Config.Trace, of who has said Online or Quiescent.
func (q *QSBR) reads() bool {
	if !q.cfg.Trace {
		return false
	}
	me := goroutine()
	return slices.ContainsFunc(q.readers.all(), func(r *QuiescentReader) bool { return r.word.Load() != 0 && r.trace.of(me) })
}

func (q *QSBR) holdups() []Holdup {
	var all []Holdup
	now := q.now.Load()
	for _, r := range q.readers.all() {
		if word := r.word.Load(); word != 0 && word < now {
			all = append(all, r.trace.holdup(fmt.Sprintf("reader %d, without a quiescent state", r.number)))
		}
	}
	return all
}
