package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A pad keeps the field before it from sharing a cache line with the field after it,
// also where the CPU fetches lines in pairs.
type pad [2 * primitives.CacheLineSize]byte

// A section is what the lock under test protects: two plain words that only exclusion
// keeps consistent, and a note of the worker that wrote last. The words are plain, so
// that a broken lock does lose updates, and the race detector sees it.
//
//	mirror == ^count   no worker is writing
//	mirror != ^count   a writer is between its two stores
//
// All of it is on one cache line, and nothing else is.
//
// The methods are the parts of a critical section, small enough to be inlined: a reader
// calls enter, stay, check, and a writer enter, check, beginWrite, stay, endWrite.
type section struct {
	_      pad
	count  primitives.Cell[uint64] // write sections so far
	mirror primitives.Cell[uint64]
	turns
	_ [128 - 4*8]byte // makes the size a multiple of 128, and so the address
	_ pad
}

// The turns of the writers.
type turns struct {
	writer primitives.Cell[int]    // the worker that wrote last
	since  primitives.Cell[uint64] // count when that worker took over from another
}

func newSection() *section {
	s := new(section)
	s.mirror.Set(^uint64(0))
	s.writer.Set(-1)
	return s
}

// enter returns the count, which the other methods take.
func (s *section) enter() (n uint64) { return s.count.Get() }

// check notes if the two words do not agree.
func (s *section) check(w *worker, n uint64) {
	if s.mirror.Get() != ^n {
		w.sawTorn(n, s.mirror.Get())
	}
}

func (s *section) beginWrite(n uint64) { s.count.Set(n + 1) }

func (s *section) endWrite(w *worker, n uint64) {
	s.mirror.Set(^(n + 1))
	if s.writer.Get() != w.id {
		s.takeOver(w, n)
	}
}

// takeOver notes that a worker other than the last one writes, or that something is
// wrong.
func (t *turns) takeOver(w *worker, n uint64) {
	w.longestRun = max(w.longestRun, n-t.since.Get())
	t.writer.Set(w.id)
	t.since.Set(n)
}

// sawTorn notes that the two words disagree.
func (w *worker) sawTorn(n, mirror uint64) {
	if w.broken == nil {
		w.broken = &BrokenError{
			Lock: w.run.Name,
			When: fmt.Sprintf("inside a critical section of worker %d", w.id),
			Want: "two words to agree",
			Have: fmt.Sprintf("%d and %d", n, ^mirror),
		}
	}
}

// operate does one operation, in any form of section: for all callers but the hot loops,
// which measure names. If it is timed, it returns when it had acquired the lock: if
// readers retry, when the try began that no writer disturbed; of an [RCULocker] when the
// read-side critical section began.
func (w *worker) operate(read, timed bool) (acquired int64) {
	switch {
	case !read:
		return w.write(timed)
	case w.seq != nil:
		return w.readOpen(timed)
	case w.rcu != nil:
		return w.readCopy(timed)
	}
	return w.readLocked(timed)
}

// write is an operation that writes; see operate.
func (w *worker) write(timed bool) (acquired int64) {
	w.doing = waitsToWrite
	w.lock.Lock()
	if timed {
		acquired = primitives.Nanotime()
	}
	w.endWrite()
	return acquired
}

// endWrite is what is left of a write for a worker that has acquired the lock.
func (w *worker) endWrite() {
	w.writeInside()
	w.lock.Unlock()
	if w.retired != nil {
		w.settle()
	}
	w.doing = thinking
	w.written++
}

// readLocked is an operation that reads under the lock; see operate.
func (w *worker) readLocked(timed bool) (acquired int64) {
	w.doing = waitsToRead
	if w.rw != nil {
		w.rw.RLock()
	} else {
		w.lock.Lock()
	}
	if timed {
		acquired = primitives.Nanotime()
	}
	w.readInside()
	if w.rw != nil {
		w.rw.RUnlock()
	} else {
		w.lock.Unlock()
	}
	w.doing = thinking
	w.read++
	return acquired
}

// readInside is what a reader does inside.
func (w *worker) readInside() {
	if w.data != nil {
		w.doing = readingData
		w.data.Read(w.id)
		w.doing = reading
		if w.hold != 0 {
			w.stay()
		}
		return
	}
	w.doing = reading
	n := w.section.enter()
	if w.hold != 0 {
		w.stay()
	}
	w.section.check(w, n)
}

// writeInside is what a writer does inside.
func (w *worker) writeInside() {
	switch {
	case w.openSection != nil:
		w.doing = writing
		w.openSection.write(w)
		return
	case w.copySection != nil:
		w.doing = writing
		w.retired = w.copySection.update(w)
		return
	case w.section != nil:
		w.doing = writing
		n := w.section.enter()
		w.section.check(w, n)
		w.section.beginWrite(n)
		if w.hold != 0 {
			w.stay()
		}
		w.section.endWrite(w, n)
		return
	}
	w.doing = writingData
	switch {
	case w.copyData != nil:
		w.retired = w.copyData.Update(w.id)
	case w.openData != nil:
		w.openData.Write(w.id)
	default:
		w.data.Write(w.id)
	}
	w.doing = writing
	if w.hold != 0 {
		w.stay()
	}
}

// stay is what a worker does inside beyond the minimum.
func (w *worker) stay() {
	if w.dawdle != nil {
		w.dawdle()
		return
	}
	w.compute(w.hold)
}

// What the lock under test protects: one of these, the others are nil.
type protected struct {
	section     *section
	openSection *openSection // the bare section if readers retry
	copySection *copySection // the bare section of an RCULocker
	data        Data         // of the workload
	openData    OpenData     // of the workload if readers retry
	copyData    CopyData     // of the workload of an RCULocker
}

// protect returns fresh data for the lock to protect, for workers that see the lock as
// w does. Its readers retry if the lock and the workload allow it.
func (r *run) protect(workers int, w *worker) protected {
	retry, copies := w.seq != nil, w.rcu != nil
	switch w := r.Workload; {
	case w.NewIn != nil && copies:
		return protected{copyData: w.NewIn(workers, r.Seed, r.NewTable(), r.Reclaim)}
	case w.NewIn != nil && r.isTable():
		return protected{data: w.NewIn(workers, r.Seed, r.NewTable(), ReclaimNone)}
	case w.isBare() && copies:
		return protected{copySection: newCopySection(r.Reclaim)}
	case w.isBare() && retry:
		return protected{openSection: newOpenSection()}
	case w.isBare():
		return protected{section: newSection()}
	case copies:
		return protected{copyData: w.NewCopy(workers, r.Seed, r.Reclaim)}
	case retry && w.NewOpen != nil:
		return protected{openData: w.NewOpen(workers, r.Seed)}
	default:
		return protected{data: w.New(workers, r.Seed)}
	}
}

// count returns how many write sections of the bare section there were.
func (p *protected) count() uint64 {
	switch {
	case p.openSection != nil:
		return p.openSection.count.Load()
	case p.copySection != nil:
		return p.copySection.current.Load().value.count.Get()
	}
	return p.section.count.Get()
}

// turns returns those in the bare section.
func (p *protected) turns() *turns {
	switch {
	case p.openSection != nil:
		return &p.openSection.turns
	case p.copySection != nil:
		return &p.copySection.turns
	}
	return &p.section.turns
}

// verify reports that a worker panicked, that a worker saw something wrong, or that an
// update was lost, here or in the data of a workload. All workers must have returned.
func (r *run) verify() error {
	if broken := r.failed.Load(); broken != nil {
		return broken
	}
	if r.Unlocked {
		return nil
	}
	if !r.Workload.isBare() {
		return r.verifyData()
	}
	var written uint64
	for _, w := range r.workers {
		if w.broken != nil {
			return w.broken
		}
		written += w.written
	}
	if count := r.count(); count != written {
		return &BrokenError{
			Lock: r.Name,
			When: fmt.Sprintf("after %d critical sections that each added one", written),
			Want: fmt.Sprintf("a count of %d", written),
			Have: fmt.Sprintf("%d: updates were lost", count),
		}
	}
	if r.copySection != nil {
		return r.named(r.copySection.stock.verify(fmt.Sprintf("after %d updates", written), 1))
	}
	return nil
}
