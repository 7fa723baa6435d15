package harness

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// What a worker may be doing. The worker notes it in a plain word, for the watchdog.
const (
	starting uint32 = iota
	waitsToRead
	waitsToWrite
	reading
	writing
	readingData
	writingData
	triesToRead
	triesToWrite
	beginning
	looking
	lookingAtData
	inSection
	defers
	waitsForGrace
	waitsForCallbacks
	thinking
	finished
)

var doings = [...]string{
	starting:          "has not begun",
	waitsToRead:       "waits to read",
	waitsToWrite:      "waits to write",
	reading:           "holds the lock for reading",
	writing:           "holds the lock for writing",
	readingData:       "is in the workload's Read",
	writingData:       "is in the workload's Write",
	triesToRead:       "tries to read what it holds",
	triesToWrite:      "tries to write what it holds",
	beginning:         "waits to begin a read",
	looking:           "reads beside writers",
	lookingAtData:     "is in the workload's Look or Check",
	inSection:         "is in a read-side critical section",
	defers:            "is in Call",
	waitsForGrace:     "waits for a grace period",
	waitsForCallbacks: "waits for callbacks",
	thinking:          "is between two critical sections",
	finished:          "has finished",
}

// operations are the methods that a worker is in, or that come next, by what it is
// doing.
var operations = [...]string{
	waitsToRead:       "RLock",
	waitsToWrite:      "Lock",
	reading:           "RUnlock",
	writing:           "Unlock",
	readingData:       "the workload's Read",
	writingData:       "the workload's Write",
	triesToRead:       "TryRLock",
	triesToWrite:      "TryLock",
	beginning:         "Begin",
	looking:           "Retry",
	lookingAtData:     "the workload's Look or Check",
	inSection:         "a read-side critical section",
	defers:            "Call",
	waitsForGrace:     "a wait for a grace period",
	waitsForCallbacks: "Barrier or Close",
	finished:          "",
}

// patternLen is the length of a worker's precomputed order of reads and writes: a
// multiple of 100, so that any percentage is exact.
const patternLen = 1000

// A worker is one goroutine that uses the lock. Its fields belong to it alone
// until it has returned; nothing of another worker is on their cache lines.
//
// It is made of parts, each of which has one purpose.
type worker struct {
	_ pad

	id  int
	run *run

	access               // its way to the lock
	protected            // run.protected, or this worker's own if nothing is shared
	task                 // what it has to do
	dawdling             // what it does inside in place of the task
	progress             // what it has done so far, and does now
	findings             // what it saw of what the lock protects
	reclamation          // of what it has replaced under an RCULocker
	part                 // its part in the window
	strides              // when it looks at the clock
	latencies            // how long it waited
	recorder             // what it did in bursts
	schedule    schedule // of an open loop
	rng         *rand.Rand

	_ pad
}

func newWorker(r *run, id int, lock sync.Locker) *worker {
	w := &worker{
		id:      id,
		run:     r,
		rng:     rand.New(rand.NewPCG(r.Seed, uint64(id))),
		access:  newAccess(lock),
		strides: strides{stride: 1, span: 1},
	}
	w.task = newTask(r.Scenario, id, w.rng)
	if w.rcu != nil {
		w.graces = newGraces()
	}
	if r.Latency {
		w.latencies = latencies{newLatency(), newLatency()}
	}
	if r.bursts != nil {
		w.recorder = newRecorder(r.Scenario)
	}
	return w
}

// An access is a worker's way to the lock under test. It is set before the worker
// starts, and then only read.
type access struct {
	lock sync.Locker // the run's lock, or this worker's view of it
	rw   RWLocker    // lock, if it tells readers from writers
	seq  SeqLocker   // lock, if its readers retry, and can with what it protects
	rcu  RCULocker   // lock, if its readers exclude no worker
}

func newAccess(lock sync.Locker) access {
	a := access{lock: viewOf(lock)}
	a.rw, _ = a.lock.(RWLocker)
	a.seq, _ = a.lock.(SeqLocker)
	a.rcu, _ = a.lock.(RCULocker)
	return a
}

// viewOf returns a new view of lock, for one worker, or lock if it has no views.
func viewOf(lock sync.Locker) sync.Locker {
	if l, ok := lock.(interface{ Worker() sync.Locker }); ok {
		return l.Worker()
	}
	return lock
}

// A task is what a worker has to do: which of its operations only read, and what it
// computes inside and in between.
type task struct {
	reads       int      // share of its operations that only read, in percent
	pattern     []bool   // true for a read; nil if all operations are the same
	next        int      // place in pattern
	hold, think int      // steps of work
	buffer      []uint64 // what work reads and writes; nil if nothing
	sink        uint64   // what work returned last
}

func newTask(s Scenario, id int, rng *rand.Rand) task {
	t := task{
		reads:  s.readsOf(id),
		hold:   s.Work.steps(s.Hold),
		think:  s.Work.steps(s.Think),
		buffer: s.Work.newBuffer(),
	}
	if 0 < t.reads && t.reads < 100 {
		t.pattern = make([]bool, patternLen)
		for i := range t.reads * patternLen / 100 {
			t.pattern[i] = true
		}
		rng.Shuffle(patternLen, func(i, j int) {
			t.pattern[i], t.pattern[j] = t.pattern[j], t.pattern[i]
		})
	}
	return t
}

// pause is what a worker does between two critical sections.
func (t *task) pause() { t.compute(t.think) }

// compute does n steps of work.
func (t *task) compute(n int) {
	if primitives.Virtual() {
		primitives.Busy(time.Duration(n)) // see Work.steps
		return
	}
	if t.buffer != nil {
		t.sink = workIn(t.buffer, n, t.sink)
		return
	}
	t.sink = work(n, t.sink)
}

// order returns the order of a worker's reads and writes, for a loop that needs one
// even if all operations are the same.
func (t *task) order() *[patternLen]bool {
	if t.pattern == nil {
		t.pattern = slices.Repeat([]bool{t.reads != 0}, patternLen)
	}
	return (*[patternLen]bool)(t.pattern)
}

// nextReads reports whether the next operation is a read.
func (t *task) nextReads() bool {
	if t.pattern == nil {
		return t.reads != 0
	}
	i := t.next
	if t.next++; t.next == patternLen {
		t.next = 0
	}
	return t.pattern[i]
}

// A dawdling says what a worker of a preflight or of a torture does inside in place of
// its task.
type dawdling struct {
	pins    bool   // whether preemption is off inside
	dawdle  func() // what to do inside; nil for the task
	outlast func() // the same for a reader that excludes no worker; if it retries, in every other read
}

// A progress is what a worker has done since it started, and what it does. The watchdog
// reads it while the worker runs; see peek.
type progress struct {
	read, written uint64 // operations
	doing         uint32
}

// The findings of a worker are what it saw of what the lock protects.
type findings struct {
	seen       uint64 // the highest count that it saw in an open section or a copySection
	longestRun uint64 // of others, that it ended since it noted that the window is open
	broken     *BrokenError
}

// A part is how far a worker has come with the window, and what it did in it.
type part struct {
	warm      bool
	begun     bool
	ended     bool
	began     uint64 // its operations when the window opened
	ops       uint64 // operations in the window
	slices    uint64 // bit i is set if it finished something in slice i
	lookedOps uint64 // its operations when it last looked, if there is a quota
}

// The latencies of a worker are its times to acquire. Both are nil unless latency is
// asked for.
type latencies struct{ readTimes, writeTimes *latency }

// record notes how many nanoseconds an operation took to acquire the lock.
func (l *latencies) record(read bool, took int64) {
	times := l.writeTimes
	if read {
		times = l.readTimes
	}
	times.RecordValue(max(1, took))
}

// lead runs the worker's body. If an operation of the lock panics, the lock is broken
// and the run is over. With preemption off that cannot be done: the runtime ends the
// process.
func (w *worker) lead(body func(*worker)) {
	defer func() {
		operation := w.operation(w.doing)
		if operation == "" {
			return // if anything panics here, it is the harness
		}
		if v := recover(); v != nil {
			w.run.failed.CompareAndSwap(nil, &BrokenError{
				Kind:  w.run.kind,
				Lock:  w.run.Name,
				When:  fmt.Sprintf("%s by worker %d", operation, w.id),
				Want:  "no panic",
				Have:  fmt.Sprint(v),
				Stack: string(debug.Stack()),
			})
			w.run.stop()
		}
	}()
	if w.rcu == nil {
		body(w)
		return
	}
	w.rcu.Online()
	body(w)
	w.withdraw()
}

// measure is the body of a worker: operations in strides, and a look at the clock after
// each stride, until the run is over. Between two looks an operation costs the harness
// two calls through an interface, the section's four stores, and one load that finds
// the phase unchanged.
//
// The hot loops are measureWrites, measureReads, measureMix, measureOpen and
// measureCopies, one for each form of the bare section, and measureData for all others.
// They have the steps of an operation inline, which for all other callers are in
// [worker.operate], so that no operation pays for a choice between the forms, or for a
// call: with one loop for all an operation with an empty lock took 7.0 ns in place of 4.6.
// A change of a step is a change of operate and of the loops.
func (w *worker) measure() {
	if w.run.Work == Serialized {
		w.fence()
	}
	switch {
	case w.copySection != nil:
		w.measureCopies()
	case w.openSection != nil:
		w.measureOpen()
	case w.section == nil:
		w.measureData()
	case w.reads == 0:
		w.measureWrites()
	case w.reads == 100:
		w.measureReads()
	default:
		w.measureMix()
	}
}

func (w *worker) measureWrites() {
	lock, section, word := w.lock, w.section, &w.run.word
	for {
		for n := w.span; n > 0; n-- {
			w.doing = waitsToWrite
			lock.Lock()
			w.doing = writing
			n := section.enter()
			section.check(w, n)
			section.beginWrite(n)
			if w.hold != 0 {
				w.stay()
			}
			section.endWrite(w, n)
			lock.Unlock()
			w.doing = thinking
			w.written++
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

func (w *worker) measureReads() {
	section, word := w.section, &w.run.word
	for {
		for n := w.span; n > 0; n-- {
			w.doing = waitsToRead
			if w.rw != nil {
				w.rw.RLock()
			} else {
				w.lock.Lock()
			}
			w.doing = reading
			n := section.enter()
			if w.hold != 0 {
				w.stay()
			}
			section.check(w, n)
			if w.rw != nil {
				w.rw.RUnlock()
			} else {
				w.lock.Unlock()
			}
			w.doing = thinking
			w.read++
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

func (w *worker) measureMix() {
	lock, rw, section, word := w.lock, w.rw, w.section, &w.run.word
	pattern, next := w.order(), w.next
	for {
		for n := w.span; n > 0; n-- {
			read := pattern[next]
			if next++; next == patternLen {
				next = 0
			}
			if read {
				w.doing = waitsToRead
				if rw != nil {
					rw.RLock()
				} else {
					lock.Lock()
				}
				w.doing = reading
				n := section.enter()
				if w.hold != 0 {
					w.stay()
				}
				section.check(w, n)
				if rw != nil {
					rw.RUnlock()
				} else {
					lock.Unlock()
				}
				w.doing = thinking
				w.read++
			} else {
				w.doing = waitsToWrite
				lock.Lock()
				w.doing = writing
				n := section.enter()
				section.check(w, n)
				section.beginWrite(n)
				if w.hold != 0 {
					w.stay()
				}
				section.endWrite(w, n)
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

// A worker looks at the clock after every stride. Strides adapt, so that they
// take between lookAfter and twice that long: a look costs some 30 ns.
const (
	lookAfter = 5_000 // ns
	maxStride = 4096  // operations
)

// look follows the phases of the run, and begins the next one when it is time to. It
// reports whether to go on. At least one operation comes before each look.
//
// While the window is open and latency is asked for, a look also times one
// operation; and if a trace is asked for, it records the operations of a burst.
func (w *worker) look() bool {
	r := w.run
	if w.rcu != nil {
		w.quiet()
	}
	for {
		word := r.word.Load()
		now := primitives.Nanotime()
		w.adapt(now, word, w.sampling())
		switch p := phase(word); {
		case p <= opening:
			if !w.warm {
				w.warm = true
				r.warm.Add(1)
			}
			if p == warming && r.mayOpen(now) {
				if r.open() {
					w.begin(0)
				}
			} else if int(r.warm.Load()) < len(r.workers) {
				r.giveWay()
			}
		case p <= closing:
			w.begin(1)
			w.slices |= r.slice(now)
			if p == measuring && r.mayClose(now, w) && r.close() {
				w.end(0)
			}
		default:
			w.begin(1)
			w.end(1)
			if p >= stopping {
				return false
			}
			r.giveWay()
		}
		if w.readTimes == nil && w.recorded == nil || !w.begun || w.ended {
			return true
		}
		if w.readTimes != nil {
			w.timed()
		}
		if w.recorded != nil && r.word.Load() == w.word {
			w.recordBursts()
		}
		if r.word.Load() == w.word {
			return true
		}
	}
}

// giveWay lets other workers run, if there are too many for all to run at once, so that
// all get warm and all notice that the window has closed, without waiting for a time
// slice of 10 ms for each.
func (r *run) giveWay() {
	if r.Workers > r.CPUs {
		primitives.Yield()
	}
}

// begin notes that the window has opened, before the last late operations.
func (w *worker) begin(late uint64) {
	if !w.begun {
		w.begun = true
		w.began = w.read + w.written - late
		w.lookedOps = w.began
		w.longestRun = 0
	}
}

// end notes that the window has closed, before the last late operations.
func (w *worker) end(late uint64) {
	if !w.ended {
		w.ops = w.read + w.written - late - w.began
		w.noteEnd()
	}
}

// noteEnd notes that w is done with the window. The last worker to note it ends
// the run: until then all keep up the load.
func (w *worker) noteEnd() {
	if !w.ended {
		w.ended = true
		if r := w.run; int(r.noted.Add(1)) == len(r.workers) {
			r.stop()
		}
	}
}

// sampling returns what the strides of a worker vary with while it samples latencies, and
// nil otherwise.
func (w *worker) sampling() *rand.Rand {
	if w.readTimes == nil || !w.begun {
		return nil
	}
	return w.rng
}

// The strides of a worker are the operations between two looks at the clock.
type strides struct {
	word     uint32 // course.word when it last looked
	lookedAt int64
	stride   int // how many, on average
	span     int // the same, for the current stride
}

// adapt sets the length of the next stride.
//
// If latency is sampled, strides are random, so that they cannot follow the pattern of
// reads and writes; and inside the window they get longer, for a worker that hardly ran
// before, but not shorter: if they did whenever operations got slower, the slow ones
// would be sampled too often.
func (s *strides) adapt(now int64, word uint32, sampling *rand.Rand) {
	took := now - s.lookedAt
	s.lookedAt = now
	if word == s.word { // the stride was not cut short
		took = took * int64(s.stride) / int64(s.span)
		if took < lookAfter {
			s.stride = min(2*s.stride, maxStride)
		} else if took > 2*lookAfter && sampling == nil {
			s.stride = max(s.stride/2, 1)
		}
	}
	s.word = word
	s.span = s.stride
	if sampling != nil {
		s.span = 1 + s.stride/2 + sampling.IntN(s.stride)
	}
}
