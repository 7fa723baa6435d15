package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A record is a struct of eight words, the smallest value that is longer than a word
// and is used as a whole. Readers read all of it, a writer replaces all.
//
// All words must be of one version, which never goes back; at the end it is the number
// of writes.
type record struct {
	_     pad
	words recordWords
	_     pad
	slots slots
}

const recordLen = 8 // a cache line

// recordWords are the words of one version.
type recordWords [recordLen]primitives.Cell[uint64]

// A snapshot is what a worker saw of a record.
type snapshot [recordLen]uint64

func newRecord(workers int, seed uint64) Data {
	r := &record{slots: newSlots(workers, seed)}
	r.words.set(0)
	return r
}

// recordWord returns the value of word i in a version.
func recordWord(version uint64, i int) uint64 { return version*recordLen + uint64(i) }

func (r *recordWords) set(version uint64) {
	for i := range r {
		r[i].Set(recordWord(version, i))
	}
}

func (r *recordWords) get() (s snapshot) {
	for i := range r {
		s[i] = r[i].Get()
	}
	return s
}

// Write replaces the record.
func (r *record) Write(worker int) {
	r.words.set(r.slots.sawRecord(worker, r.words.get()) + 1)
	r.slots[worker].writes++
}

// Read reads the record.
func (r *record) Read(worker int) { r.slots.sawRecord(worker, r.words.get()) }

func (r *record) Verify() error { return r.slots.verifyRecord(r.words.get()) }

// An openRecord is a record that can be read while it is replaced.
type openRecord struct {
	_     pad
	words [recordLen]primitives.Uint64
	_     pad
	slots slots
	looks []snapshot // of workers, apart
}

func newOpenRecord(workers int, seed uint64) OpenData {
	r := &openRecord{slots: newSlots(workers, seed), looks: make([]snapshot, 4*workers)}
	for i := range r.words {
		r.words[i].Store(recordWord(0, i))
	}
	return r
}

// Write replaces the record.
func (r *openRecord) Write(worker int) {
	version := r.slots.sawRecord(worker, r.get()) + 1
	for i := range r.words {
		r.words[i].StoreRelease(recordWord(version, i))
	}
	r.slots[worker].writes++
}

// Look reads the record.
func (r *openRecord) Look(worker int) { r.looks[4*worker] = r.get() }

// Check checks what was read.
func (r *openRecord) Check(worker int) { r.slots.sawRecord(worker, r.looks[4*worker]) }

func (r *openRecord) Verify() error { return r.slots.verifyRecord(r.get()) }

func (r *openRecord) get() (s snapshot) {
	for i := range r.words {
		s[i] = r.words[i].Load()
	}
	return s
}

// A copyRecord is a record of which a new version is published.
type copyRecord struct {
	_       pad
	current primitives.Pointer[version[paddedRecord]]
	_       pad
	slots   slots
	stock[paddedRecord]
}

// A paddedRecord shares no cache line.
type paddedRecord struct {
	_     primitives.CacheLine
	words recordWords
	_     primitives.CacheLine
}

func newCopyRecord(workers int, seed uint64, reclaim Reclaim) CopyData {
	r := &copyRecord{slots: newSlots(workers, seed)}
	r.setUp(reclaim, func(p *paddedRecord) {
		for i := range p.words {
			p.words[i].Set(spoilt)
		}
	})
	v := r.take()
	v.value.words.set(0)
	r.current.Store(v)
	return r
}

// Update publishes a new version.
func (r *copyRecord) Update(worker int) (reclaim func()) {
	old := r.current.Load()
	v := r.take()
	v.value.words.set(r.slots.sawRecord(worker, old.value.words.get()) + 1)
	r.current.StoreRelease(v) // publishes it; readers follow a pointer to its words
	r.slots[worker].writes++
	return old.reclaim
}

// Read reads the record.
func (r *copyRecord) Read(worker int) {
	r.slots.sawRecord(worker, r.current.Load().value.words.get())
}

func (r *copyRecord) Verify() error {
	if err := r.slots.verifyRecord(r.current.Load().value.words.get()); err != nil {
		return err
	}
	return r.stock.verify("workload record", 1)
}

// sawRecord reports the lock as broken if what a worker saw is not of one version, or
// is of an older one than it has seen before. It returns the version.
func (s slots) sawRecord(worker int, have snapshot) (version uint64) {
	version = have[0] / recordLen
	torn := uint64(0)
	for i, word := range have {
		torn |= word ^ recordWord(version, i)
	}
	slot := &s[worker]
	before := slot.seen
	forward := slot.sees(version)
	if torn != 0 || !forward {
		s.failRecord(worker, have, before)
	}
	return version
}

func (s slots) failRecord(worker int, have snapshot, before uint64) {
	when := fmt.Sprintf("workload record, as worker %d reads", worker)
	for i, word := range have {
		switch version := have[0] / recordLen; {
		case word == spoilt:
			s[worker].fail(when, "a version that stays until the section ends", tooEarly)
		case word != recordWord(version, i):
			s[worker].fail(when, fmt.Sprintf("eight words of version %d", version), fmt.Sprintf("one of version %d", word/recordLen))
		}
	}
	s[worker].fail(when, fmt.Sprintf("version %d or later", before), fmt.Sprint(have[0]/recordLen))
}

// verifyRecord reports what is wrong with the record at the end.
func (s slots) verifyRecord(have snapshot) error {
	writes, err := s.verify()
	if err != nil {
		return err
	}
	for i, word := range have {
		if word != recordWord(writes, i) {
			return lost("record", "eight words of version", writes, writes, word/recordLen)
		}
	}
	return nil
}
