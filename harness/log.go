package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A record log is a ring of records in the order in which they were appended; new ones
// overwrite the oldest: the log buffer of a kernel, as printk had it under one
// spinlock. A reader goes from record to record, as dmesg does. After the newest
// record, or when it has been overtaken, it continues with the oldest.
//
// Every record must be as it was written, and the numbers must have no gap. At the end
// there must have been one record for each write, and those of one worker must be in
// its order.
type recordLog struct {
	_ pad

	// The oldest record, and the next one to be appended: their sequence numbers, and
	// where in the ring they begin. All only grow; a place p is word p%ringLen.
	first, firstAt primitives.Cell[uint64]
	next, nextAt   primitives.Cell[uint64]

	ring [ringLen]primitives.Cell[uint64]
	_    pad

	slots   slots
	readers []logReader
}

// A record is in the ring as
//
//	its sequence number
//	the number of its author, and of the words of its text
//	how many records its author has written before
//	the text: longestText words, or fewer
const (
	ringLen      = 1024
	recordHeader = 3
	longestText  = 8
)

// A logReader says how far one worker has read.
type logReader struct {
	_        pad
	next, at uint64
	_        pad
}

func newLog(workers int, seed uint64) Data {
	l := &recordLog{slots: newSlots(workers+1, seed), readers: make([]logReader, workers)}
	for range ringLen / (recordHeader + longestText) {
		l.Write(workers) // an author that is no worker, so that there is something to read
	}
	return l
}

// logText returns word i of the text of an author's n'th record, from 0.
func logText(author, n, i uint64) uint64 { return work(1, author<<48^n<<8^i) }

// Write appends a record.
func (l *recordLog) Write(worker int) {
	s, author := &l.slots[worker], uint64(worker)
	length := 1 + s.draw(longestText)
	first, firstAt := l.first.Get(), l.firstAt.Get()
	next, nextAt := l.next.Get(), l.nextAt.Get()
	for nextAt+recordHeader+length-firstAt > ringLen {
		old, ok := l.header(first, firstAt)
		if !ok {
			s.fail(fmt.Sprintf("workload log, as worker %d makes room", worker), fmt.Sprintf("record %d", first), "another")
			return
		}
		first, firstAt = first+1, old.end
	}
	l.first.Set(first)
	l.firstAt.Set(firstAt)

	for i, word := range [recordHeader]uint64{next, author<<8 | length, s.writes} {
		l.word(nextAt + uint64(i)).Set(word)
	}
	for i := range length {
		l.word(nextAt + recordHeader + i).Set(logText(author, s.writes, i))
	}
	l.next.Set(next + 1)
	l.nextAt.Set(nextAt + recordHeader + length)
	s.writes++
}

// Read reads the next record.
func (l *recordLog) Read(worker int) {
	r := &l.readers[worker]
	if r.next < l.first.Get() || r.next >= l.next.Get() {
		r.next, r.at = l.first.Get(), l.firstAt.Get()
	}
	record, ok := l.record(r.next, r.at)
	if !ok {
		l.slots[worker].fail(fmt.Sprintf("workload log, as worker %d reads", worker), fmt.Sprintf("record %d", r.next), "another, or a torn one")
	}
	r.next, r.at = r.next+1, record.end
}

// word returns the word at place p of the ring.
func (l *recordLog) word(p uint64) *primitives.Cell[uint64] { return &l.ring[p%ringLen] }

// A logRecord is the n'th record of author, from 0, up to place end.
type logRecord struct{ author, n, end uint64 }

// header returns the record at a place. ok says whether it has that number, and a
// possible author and length.
func (l *recordLog) header(number, at uint64) (r logRecord, ok bool) {
	author := l.word(at + 1).Get()
	length := author & 0xff
	r = logRecord{author >> 8, l.word(at + 2).Get(), at + recordHeader + length}
	return r, l.word(at).Get() == number && r.author < uint64(len(l.slots)) && 1 <= length && length <= longestText
}

// record is header, and reads the text as well.
func (l *recordLog) record(number, at uint64) (r logRecord, ok bool) {
	if r, ok = l.header(number, at); !ok {
		return r, false
	}
	at += recordHeader
	for i := range r.end - at {
		ok = ok && l.word(at+i).Get() == logText(r.author, r.n, i)
	}
	return r, ok
}

func (l *recordLog) Verify() error {
	writes, err := l.slots.verify()
	if err != nil {
		return err
	}
	next, at := l.next.Get(), l.firstAt.Get()
	if next != writes {
		return lost("log", "records:", writes, writes, next)
	}
	wrong := func(number uint64, want string, have any) error {
		return &BrokenError{
			When: fmt.Sprintf("workload log, after %d writes", writes),
			Want: fmt.Sprintf("record %d %s", number, want),
			Have: fmt.Sprint(have),
		}
	}
	latest := make(map[uint64]uint64) // of each author
	for number := l.first.Get(); number < next; number++ {
		r, ok := l.record(number, at)
		if !ok {
			return wrong(number, "as it was written", "another, or a torn one")
		}
		if before, ok := latest[r.author]; ok && r.n != before+1 {
			return wrong(number, fmt.Sprintf("to be number %d of worker %d", before+1, r.author), r.n)
		}
		latest[r.author], at = r.n, r.end
	}
	for author := range l.slots {
		n, wrote := latest[uint64(author)]
		if have := l.slots[author].writes - 1; wrote && have != n {
			return wrong(next, fmt.Sprintf("to follow number %d of worker %d", have, author), n)
		}
	}
	if at != l.nextAt.Get() {
		return wrong(next, fmt.Sprintf("at place %d", at), l.nextAt.Get())
	}
	return nil
}
