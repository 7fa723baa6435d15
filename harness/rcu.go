package harness

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// An RCULocker is read-copy update and a lock by which updaters exclude each other, but
// no reader. Readers follow a pointer in a read-side critical section; an updater that
// holds the lock publishes a new version, and the one that it replaced may be used
// again when no reader can have it: see [Reclaim].
//
// It is one worker's view (see [Subject]), since readers are registered.
type RCULocker interface {
	sync.Locker // of updaters

	// As in RCUReader. A view is offline at first; its worker is online from its first
	// operation to its last.
	ReadLock()
	ReadUnlock()
	Quiescent()
	Offline()
	Online()

	// The worker calls these outside of sections, without the lock.
	Synchronize()
	Call(func())
	Barrier()

	// Backlog returns how many functions were given to Call, by all workers,
	// and have not been called.
	Backlog() int
}

// Reclaim says what happens to a version that an updater of an [RCULocker] has
// replaced.
type Reclaim uint8

const (
	ReclaimCall Reclaim = iota // used again after a grace period, for which no updater waits
	ReclaimSync                // used again after a grace period, for which the updater waits
	ReclaimNone                // left to Go's collector: there are no grace periods
)

// CopyData is data that readers look at while a worker updates it: what readers may
// have is not changed, but replaced. Otherwise it is like [Data], and as plain: only
// the pointers that readers follow are atomic.
type CopyData interface {
	// Update changes the data for a worker that holds the updaters' lock. It returns a
	// function that makes what it replaced fit to be used again, to be called once no
	// reader can have it: at any time, in any goroutine. It is nil if nothing was
	// replaced. The function should spoil what it makes available, so that a reader
	// that still has it notices.
	Update(worker int) (reclaim func())

	// Read looks at the data for a worker in a read-side critical section.
	Read(worker int)

	// Verify is like that of Data. All functions that were to be called have been
	// called.
	Verify() error
}

// A version is a value that readers may have, and that is used again.
type version[T any] struct {
	value   T
	next    *version[T] // in the stock
	reclaim func()      // puts it there; nil if it is used once
}

// A stock has the versions that no reader can have.
type stock[T any] struct {
	_     pad
	first primitives.Pointer[version[T]]
	_     pad
	made  int  // guarded by the lock under test
	once  bool // whether versions are used once
	spoil func(*T)
}

// setUp says whether the versions of s are spoilt and used again, or used once.
func (s *stock[T]) setUp(r Reclaim, spoil func(*T)) {
	s.once, s.spoil = r == ReclaimNone, spoil
}

// take returns a version that no worker has. The caller holds the lock, so no other
// worker takes a version meanwhile, and the next of the first does not change (no ABA).
func (s *stock[T]) take() *version[T] {
	for {
		v := s.first.Load()
		if v == nil {
			break
		}
		if s.first.CompareAndSwap(v, v.next) { // acquire: pairs with give
			return v
		}
	}
	s.made++
	v := new(version[T])
	if s.once {
		return v
	}
	v.reclaim = func() { s.give(v) }
	return v
}

// give spoils v and puts it in the stock.
func (s *stock[T]) give(v *version[T]) {
	s.spoil(&v.value)
	for {
		v.next = s.first.Load()
		if s.first.CompareAndSwap(v.next, v) { // release: pairs with take
			return
		}
	}
}

// verify reports whether a version got lost, if used of them are in use.
func (s *stock[T]) verify(when string, used int) error {
	if s.once {
		return nil
	}
	in := 0
	for v := s.first.Load(); v != nil && in <= s.made; v = v.next {
		in++
	}
	if in+used == s.made {
		return nil
	}
	return &BrokenError{
		When: when + ", after all grace periods",
		Want: fmt.Sprintf("%d versions, all but %d of them to be used again", s.made, used),
		Have: fmt.Sprint(in),
	}
}

// spoilt is the value of the words that no worker may look at: no count or version
// reaches it.
const spoilt = 0x6b6b6b6b6b6b6b6b

// What errors say if a reader has a spoilt version: under RCU, and otherwise.
const (
	tooEarly  = "it reclaimed: a grace period was over too early"
	usedAgain = "it in use for something else: reclaimed too early"
)

// A copySection is the section of an RCULocker: its words are in a version that
// updaters, which exclude each other, replace. Otherwise it is like a section.
//
// A reader follows current, loads count, stays, loads mirror, and calls check.
type copySection struct {
	_       pad
	current primitives.Pointer[version[words]]
	_       pad
	turns   // the updaters'
	stock[words]
}

// words are those of a section: mirror == ^count. They share no cache line.
type words struct {
	_             primitives.CacheLine
	count, mirror primitives.Cell[uint64]
	_             primitives.CacheLine
}

func newCopySection(r Reclaim) *copySection {
	s := new(copySection)
	s.setUp(r, func(w *words) {
		w.count.Set(spoilt)
		w.mirror.Set(spoilt)
	})
	v := s.take()
	v.value.mirror.Set(^uint64(0))
	s.current.Store(v)
	s.writer.Set(-1)
	return s
}

// update is what an updater does while it holds the lock.
func (s *copySection) update(w *worker) (reclaim func()) {
	old := s.current.Load()
	n := old.value.count.Get()
	s.check(w, n, old.value.mirror.Get())
	v := s.take()
	v.value.count.Set(n + 1)
	if w.hold != 0 {
		w.stay()
	}
	v.value.mirror.Set(^(n + 1))
	s.current.StoreRelease(v) // publishes it; readers follow a pointer to its words
	w.seen = n + 1
	if s.writer.Get() != w.id {
		s.takeOver(w, n)
	}
	return old.reclaim
}

// check notes if the words of a version do not agree, as they do not once they
// are spoilt, or if they are older than what w has seen before.
func (s *copySection) check(w *worker, n, mirror uint64) {
	if mirror != ^n || n < w.seen {
		w.sawWrong(n, mirror)
	}
	w.seen = n
}

func (w *worker) sawWrong(n, mirror uint64) {
	switch {
	case n == spoilt || mirror == spoilt:
		w.sawReclaimed()
	case mirror != ^n:
		w.sawTorn(n, mirror)
	default:
		w.sawStale(n)
	}
}

// sawReclaimed notes that a reader has a version that was reclaimed.
func (w *worker) sawReclaimed() {
	if w.broken == nil {
		w.broken = &BrokenError{
			Lock: w.run.Name,
			When: fmt.Sprintf("inside a read-side critical section of worker %d", w.id),
			Want: "what it found there to stay until the section ends",
			Have: tooEarly,
		}
	}
}

// measureCopies is the body of a worker whose reads are read-side critical sections, in
// a copySection. Between two looks at the clock a read costs the harness two calls
// through an interface and a pointer to follow.
//
// It is a hot loop; see measure.
func (w *worker) measureCopies() {
	rcu, section, word := w.rcu, w.copySection, &w.run.word
	pattern, next := w.order(), w.next
	for {
		for n := w.span; n > 0; n-- {
			read := pattern[next]
			if next++; next == patternLen {
				next = 0
			}
			if read {
				w.doing = inSection
				rcu.ReadLock()
				v := section.current.Load()
				n := v.value.count.Get()
				if w.hold != 0 {
					w.stay()
				}
				section.check(w, n, v.value.mirror.Get())
				rcu.ReadUnlock()
				w.doing = thinking
				w.read++
			} else {
				w.doing = waitsToWrite
				rcu.Lock()
				w.doing = writing
				w.retired = section.update(w)
				rcu.Unlock()
				if w.retired != nil {
					w.settle()
				}
				w.doing = thinking
				w.written++
			}
			if word.Load() != w.word {
				break
			}
			if w.think != 0 {
				w.pause()
			}
		}
		w.next = next
		if !w.look() {
			return
		}
		next = w.next
	}
}

// readCopy is a read of an RCULocker, for callers that are not the hot loop. It returns
// when its section began.
func (w *worker) readCopy(timed bool) (began int64) {
	w.doing = inSection
	w.rcu.ReadLock()
	if timed {
		began = primitives.Nanotime()
	}
	if w.copyData != nil {
		w.doing = readingData
		w.copyData.Read(w.id)
		w.doing = inSection
		if w.hold != 0 {
			w.stay()
		}
	} else {
		v := w.copySection.current.Load()
		n := v.value.count.Get()
		switch {
		case w.outlast != nil:
			w.outlast()
		case w.hold != 0:
			w.stay()
		}
		w.copySection.check(w, n, v.value.mirror.Get())
	}
	w.rcu.ReadUnlock()
	w.doing = thinking
	w.read++
	return began
}

// A reclamation is what a worker of an [RCULocker] has replaced and not reclaimed yet,
// and what it measured of the grace periods for that.
type reclamation struct {
	retired func() // reclaims what its last update replaced
	graces  *graces
}

// settle reclaims what the last update replaced, in the way that the run asks for. The
// worker has released the lock: others may update meanwhile.
func (w *worker) settle() {
	reclaim := w.retired
	w.retired = nil
	switch w.run.Reclaim {
	case ReclaimSync:
		w.doing = waitsForGrace
		began := primitives.Nanotime()
		w.rcu.Synchronize()
		if w.measures() {
			w.graces.record(began)
		}
		reclaim()
	case ReclaimCall:
		w.doing = defers
		if w.measures() && w.graces.begin(reclaim) {
			reclaim = w.graces.called
		}
		w.rcu.Call(reclaim)
	}
}

// measures reports whether a grace period that begins now counts: inside the window,
// and of the first thousand workers only, to limit memory.
func (w *worker) measures() bool { return w.begun && !w.ended && w.id < 1000 }

// graces are the grace periods that a worker has waited for, or, if it does not wait, a
// sample of its callbacks': one is measured at a time.
type graces struct {
	lengths *latency // ns; nil if there are none
	backlog int      // the most that was seen
	_       pad
	running primitives.Bool // the updaters' goroutine writes it
	_       pad
	began   int64
	reclaim func()
	called  func()
}

func newGraces() *graces {
	g := new(graces)
	g.called = func() {
		g.reclaim()
		g.record(g.began)
		g.running.Store(false)
	}
	return g
}

// record notes that a grace period ends now.
func (g *graces) record(began int64) {
	length := max(1, primitives.Nanotime()-began)
	if g.lengths == nil {
		g.lengths = newLatency()
	}
	g.lengths.RecordValue(length)
}

// begin reports whether the next function to be given to Call may be g.called,
// which then calls reclaim.
func (g *graces) begin(reclaim func()) bool {
	if g.running.Load() {
		return false
	}
	g.running.Store(true)
	g.began, g.reclaim = primitives.Nanotime(), reclaim
	return true
}

// quiet announces, now and then between two operations, that the worker has nothing
// that it found in earlier sections.
func (w *worker) quiet() {
	w.rcu.Quiescent()
	if w.run.Reclaim == ReclaimCall && w.begun && !w.ended {
		w.graces.backlog = max(w.graces.backlog, w.rcu.Backlog())
	}
}

// withdraw is the last thing that a worker does with an RCULocker: no grace period
// waits for it from then on, and every function that it gave to Call is called.
func (w *worker) withdraw() {
	w.rcu.Offline()
	if w.run.Reclaim == ReclaimCall {
		w.doing = waitsForCallbacks
		w.rcu.Barrier()
	}
}
