package harness

import (
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"unsafe"

	"github.com/lockbench/lockbench/results"
)

// A Workload is what critical sections do. The zero Workload is the bare
// section: two words on one cache line. [Workloads] are real uses of locks;
// bring your own with a name and a New.
type Workload struct {
	Name  string // as in a results file: printable, without spaces and "/"
	About string // what it models: what writers do; what readers do

	// New returns fresh data for workers 0 to workers-1. All that varies from one to
	// the next comes from the seed. What belongs to one worker should be on cache lines
	// of its own.
	New func(workers int, seed uint64) Data

	// NewOpen returns fresh data that can be looked at while a worker writes, for locks
	// whose readers retry (see [SeqLocker]). If it is nil, their readers take the lock
	// as writers do.
	NewOpen func(workers int, seed uint64) OpenData

	// NewCopy returns fresh data that is not changed but replaced, for an [RCULocker].
	// If it and NewIn are nil, no RCULocker can run the workload.
	NewCopy func(workers int, seed uint64, reclaim Reclaim) CopyData

	// NewIn returns fresh data in a table that is empty, for an [RCULocker] and
	// for a Subject that is a table, where the reclaim is ReclaimNone. If it is
	// nil, the latter cannot run the workload.
	NewIn func(workers int, seed uint64, table Table, reclaim Reclaim) TableData

	// Linked says that a reader of the data from New follows links. A lock
	// whose readers retry cannot run it then, unless there is NewOpen.
	Linked bool

	// Permits, if not nil, says that the data is guarded by a counting semaphore, with
	// this many permits for a number of workers, at least 1: as many workers may be
	// inside at once, writers or readers. Only a [Subject] that has Counting can run
	// it.
	Permits func(workers int) int
}

// Data is what a lock protects, and what workers do to it.
//
// It should be plain: not atomic, nor guarded by anything else, so that the race
// detector sees a broken lock. Under such a lock it may contain anything, and still
// Write, Read and Verify should return; what they find wrong is kept, for each worker
// separately, until Verify reports it. They should not allocate, and must not block.
type Data interface {
	// Write changes the data for a worker that holds the lock.
	Write(worker int)

	// Read looks at the data for a worker that holds the lock, alone or with
	// other readers. It may only change what belongs to that worker.
	Read(worker int)

	// Verify reports what is wrong with the data, or was wrong when a worker looked at
	// it. All workers have returned. If the error is a [*BrokenError], the harness
	// fills in the lock.
	Verify() error
}

// OpenData is data that can be looked at while a worker writes. The words that a Look
// reads and a Write writes are atomic, or the two would race; each store is a release
// (see package primitives, or use sync/atomic). Otherwise it is like [Data].
type OpenData interface {
	// Write changes the data for a worker that holds the lock.
	Write(worker int)

	// Look notes, in what belongs to the worker, what it sees of the data. It must
	// return whatever it sees, and not judge it: the words may be of different moments.
	Look(worker int)

	// Check judges what the worker saw in its last Look, once it is known that no
	// worker wrote meanwhile.
	Check(worker int)

	// Verify is like that of Data.
	Verify() error
}

// Workloads returns the workloads that are built in: one real use of each kind
// of lock, each of which verifies its own invariants. docs/workloads.md
// describes them.
func Workloads() []Workload {
	return []Workload{
		{Name: "counter", About: "a statistic: add one; look", New: newCounter},
		{Name: "log", About: "a ring of log records: append one; read the next", New: newLog},
		{Name: "clock", About: "a 128-bit time: tick; tell the time", New: newClock, NewOpen: newOpenClock},
		{Name: "config", About: "a configuration: replace all of it; consult a part", New: newConfig, NewOpen: newOpenConfig, NewCopy: newCopyConfig},
		{Name: "record", About: "a struct of 8 words: replace it; read it", New: newRecord, NewOpen: newOpenRecord, NewCopy: newCopyRecord},
		listOf(10),
		listOf(100),
		listOf(1000),
		tableOf(1000),
		{Name: "intervals", About: "an address space: map and unmap; look up a page", New: newIntervals},
		{Name: "freelist", About: "a list of free buffers: take one or give it back; count them", New: newFreelist},
		{Name: "pool", About: "a bounded pool under a semaphore: fill a buffer; look at one", New: newPool, Permits: permits},
	}
}

// isBare reports whether w is the bare section.
func (w Workload) isBare() bool { return w.New == nil }

func (w Workload) validate() error {
	err := results.Cell{Lock: "any", CPUs: 1, Workers: 1, Workload: w.Name}.Validate()
	switch {
	case w.New == nil && w.Name != "":
		err = errors.Join(err, fmt.Errorf("workload %q: New is nil, want a function that returns data", w.Name))
	case w.New == nil && (w.NewOpen != nil || w.NewCopy != nil || w.NewIn != nil):
		err = errors.Join(err, errors.New("workload without New: NewOpen, NewCopy and NewIn are for some locks only"))
	case w.New != nil && w.Name == "":
		err = errors.Join(err, errors.New("workload without a name: only the bare section has none"))
	}
	return err
}

// measureData is the body of a worker that has a workload: one loop for all shares of
// reads and all forms of data, since the workload costs more than the choice. It is a hot
// loop; see measure. With a call of operate each operation took 2 ns more.
func (w *worker) measureData() {
	word := &w.run.word
	for {
		for n := w.span; n > 0; n-- {
			switch {
			case !w.nextReads():
				w.doing = waitsToWrite
				w.lock.Lock()
				w.writeInside()
				w.lock.Unlock()
				if w.retired != nil {
					w.settle()
				}
				w.doing = thinking
				w.written++
			case w.rcu != nil:
				w.readCopy(false)
			case w.seq != nil:
				w.readOpen(false)
			default:
				w.doing = waitsToRead
				if w.rw != nil {
					w.rw.RLock()
				} else {
					w.lock.Lock()
				}
				w.readInside()
				if w.rw != nil {
					w.rw.RUnlock()
				} else {
					w.lock.Unlock()
				}
				w.doing = thinking
				w.read++
			}
			if word.Load() != w.word {
				break
			}
			if w.think != 0 {
				w.pause()
			}
		}
		if !w.look() {
			return
		}
	}
}

// verifyData reports what is wrong with the data of a workload.
func (r *run) verifyData() error {
	data := interface{ Verify() error }(r.data)
	switch {
	case r.openData != nil:
		data = r.openData
	case r.copyData != nil:
		data = r.copyData
	}
	return r.named(data.Verify())
}

// named returns an error of the data as a BrokenError that names the lock.
func (r *run) named(err error) error {
	if err == nil {
		return nil
	}
	broken := BrokenError{
		When: "verifying workload " + r.Workload.Name,
		Want: "sound data",
		Have: err.Error(),
	}
	if e := (*BrokenError)(nil); errors.As(err, &e) {
		broken = *e
	}
	broken.Lock = r.Name
	return &broken
}

// slots are the state that a built-in workload keeps for each worker.
type slots []slot

// A slot belongs to one worker, on cache lines of its own.
type slot struct {
	_      pad
	writes uint64
	seen   uint64 // the newest that this worker has seen
	random uint64
	broken *BrokenError
	_      pad
}

func newSlots(workers int, seed uint64) slots {
	s := make(slots, workers)
	for i := range s {
		s[i].random = rand.NewPCG(seed, uint64(i)).Uint64()
	}
	return s
}

// draw returns a random number below n. Its generator is small enough to run
// inside a critical section.
func (s *slot) draw(n uint64) uint64 {
	s.random = work(1, s.random)
	below, _ := bits.Mul64(s.random, n)
	return below
}

// fail notes that the lock is broken. The first time counts.
func (s *slot) fail(when, want, have string) {
	if s.broken == nil {
		s.broken = &BrokenError{When: when, Want: want, Have: have}
	}
}

// sees notes that the worker saw n, a number that must never go back. It reports
// whether it did not.
func (s *slot) sees(n uint64) bool {
	forward := n >= s.seen
	s.seen = n
	return forward
}

// verify returns the number of writes, and the first fault that was noted.
func (s slots) verify() (writes uint64, err error) {
	for i := range s {
		if s[i].broken != nil {
			return 0, s[i].broken
		}
		writes += s[i].writes
	}
	return writes, nil
}

// lost returns the error of a workload whose updates got lost.
func lost(workload, what string, writes, want uint64, have any) error {
	return &BrokenError{
		When: fmt.Sprintf("workload %s, after %d writes", workload, writes),
		Want: fmt.Sprintf("%s %d", what, want),
		Have: fmt.Sprint(have),
	}
}

// apart returns n values on cache lines that nothing else uses.
func apart[T any](n int) []T {
	around := 1 + len(pad{})/int(unsafe.Sizeof(*new(T)))
	return make([]T, n+2*around)[around : around+n : around+n]
}
