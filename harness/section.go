package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A pad keeps what is before it from sharing a cache line with what is after
// it, also where the CPU fetches lines in pairs.
type pad [2 * primitives.CacheLineSize]byte

// A section is what the lock under test protects: two plain words that only
// exclusion keeps consistent, and a note of who was here last. The words are
// plain so that a lost update is lost, and so that the race detector sees it.
//
//	mirror == ^count   nobody is writing
//	mirror != ^count   a writer is between its two stores
//
// All of it is on one cache line, which nothing else is on.
type section struct {
	_      pad
	count  primitives.Cell[uint64] // write sections so far
	mirror primitives.Cell[uint64]
	owner  primitives.Cell[int]    // the last writer
	streak primitives.Cell[uint64] // how often in a row it wrote
	_      [128 - 4*8]byte         // makes the size a multiple of 128, and so the address
	_      pad
}

func newSection() *section {
	s := new(section)
	s.mirror.Set(^uint64(0))
	s.owner.Set(-1)
	return s
}

// write is the critical section of a writer.
func (s *section) write(w *worker) {
	n := s.count.Get()
	if s.mirror.Get() != ^n {
		w.sawTorn(n, ^s.mirror.Get())
	}
	s.count.Set(n + 1)
	if w.hold != 0 {
		w.stay()
	}
	s.mirror.Set(^(n + 1))

	streak := uint64(1)
	if s.owner.Get() == w.id {
		streak += s.streak.Get()
	} else {
		s.owner.Set(w.id)
	}
	s.streak.Set(streak)
	if streak > w.maxRun {
		w.maxRun = streak
	}
}

// read is the critical section of a reader.
func (s *section) read(w *worker) {
	n := s.count.Get()
	if w.hold != 0 {
		w.stay()
	}
	if m := s.mirror.Get(); m != ^n {
		w.sawTorn(n, ^m)
	}
}

// stay is what a worker does inside beyond the bare minimum.
func (w *worker) stay() {
	if w.dawdle != nil {
		w.dawdle()
		return
	}
	w.sink = work(w.hold, w.sink)
}

// sawTorn notes that the two words disagreed.
//
//go:noinline
func (w *worker) sawTorn(count, mirror uint64) {
	if w.broken == nil {
		w.broken = &BrokenError{
			Lock: w.run.Name,
			When: "inside a critical section of worker " + fmt.Sprint(w.id),
			Want: "both protected words equal",
			Have: fmt.Sprintf("%d and %d", count, mirror),
		}
	}
}

// verify reports what the workers saw, or that an update was lost.
// All workers must have returned.
func (r *run) verify() error {
	if r.Unlocked {
		return nil
	}
	var written uint64
	for _, w := range r.workers {
		if w.broken != nil {
			return w.broken
		}
		written += w.written
	}
	if count := r.section.count.Get(); count != written {
		return &BrokenError{
			Lock: r.Name,
			When: fmt.Sprintf("after %d critical sections that each added one", written),
			Want: fmt.Sprintf("a count of %d", written),
			Have: fmt.Sprintf("%d: updates were lost", count),
		}
	}
	return nil
}
