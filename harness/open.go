package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// An openSection is the section of a lock whose readers retry: its words are atomic,
// since a reader may look at them while a writer is between its stores. Otherwise it is
// like a section, and its turns are those of the writers only.
//
// A writer calls write; a reader loads count, stays, loads mirror, and calls check if
// no worker wrote meanwhile.
type openSection struct {
	_      pad
	count  primitives.Uint64 // write sections so far
	mirror primitives.Uint64
	turns
	_ [128 - 4*8]byte // makes the size a multiple of 128, and so the address
	_ pad
}

func newOpenSection() *openSection {
	s := new(openSection)
	s.mirror.Store(^uint64(0))
	s.writer.Set(-1)
	return s
}

// write is a critical section of a writer.
func (s *openSection) write(w *worker) {
	n := s.count.Load()
	s.check(w, n, s.mirror.Load())
	s.count.StoreRelease(n + 1)
	if w.hold != 0 {
		w.stay()
	}
	s.mirror.StoreRelease(^(n + 1))
	w.seen = n + 1
	if s.writer.Get() != w.id {
		s.takeOver(w, n)
	}
}

// check notes if two words that the lock says are of one moment do not agree,
// or are older than what w has seen before.
func (s *openSection) check(w *worker, n, mirror uint64) {
	if mirror != ^n {
		w.sawTorn(n, mirror)
	}
	if n < w.seen {
		w.sawStale(n)
	}
	w.seen = n
}

// sawStale notes that the reader saw an older count than before.
func (w *worker) sawStale(n uint64) {
	if w.broken == nil {
		w.broken = &BrokenError{
			Lock: w.run.Name,
			When: fmt.Sprintf("in a read of worker %d", w.id),
			Want: fmt.Sprintf("a count of %d or more, as it was before", w.seen),
			Have: fmt.Sprint(n),
		}
	}
}

// measureOpen is the body of a worker whose reads retry, in an open section. Between
// two looks at the clock the harness adds two calls through an interface to a read, as
// it does to the others. It is a hot loop; see measure.
func (w *worker) measureOpen() {
	lock, seq, section, word := w.lock, w.seq, w.openSection, &w.run.word
	pattern, next := w.order(), w.next
	for {
		for n := w.span; n > 0; n-- {
			read := pattern[next]
			if next++; next == patternLen {
				next = 0
			}
			if read {
				w.doing = beginning
				for {
					s := seq.Begin()
					w.doing = looking
					n := section.count.Load()
					if w.hold != 0 {
						w.stay()
					}
					mirror := section.mirror.Load()
					if !seq.Retry(s) {
						section.check(w, n, mirror)
						break
					}
				}
				w.doing = thinking
				w.read++
			} else {
				w.doing = waitsToWrite
				lock.Lock()
				w.doing = writing
				section.write(w)
				lock.Unlock()
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

// readOpen is a read that retries, for callers that are not the hot loop. If it is
// timed it returns when the try began that no writer disturbed: the time before counts
// as waiting.
func (w *worker) readOpen(timed bool) (began int64) {
	for try := 1; ; try++ {
		w.doing = beginning
		s := w.seq.Begin()
		if timed {
			began = primitives.Nanotime()
		}
		var n, mirror uint64
		if w.openData != nil {
			w.doing = lookingAtData
			w.openData.Look(w.id)
		} else {
			n = w.openSection.count.Load()
		}
		w.doing = looking
		switch {
		case w.outlast != nil:
			if try == 1 && w.read%2 == 0 {
				w.outlast()
			}
		case w.hold != 0:
			w.stay()
		}
		if w.openSection != nil {
			mirror = w.openSection.mirror.Load()
		}
		if w.seq.Retry(s) {
			continue
		}
		if w.openData != nil {
			w.doing = lookingAtData
			w.openData.Check(w.id)
		} else {
			w.openSection.check(w, n, mirror)
		}
		w.doing = thinking
		w.read++
		return began
	}
}
