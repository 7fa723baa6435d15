package harness

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

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
type worker struct {
	_ pad

	// Set before the worker starts, and then only read.
	id          int
	run         *run
	lock        sync.Locker // run.lock, or this worker's view of it
	rw          RWLocker    // lock, if it tells readers from writers
	seq         SeqLocker   // lock, if its readers retry, and can with what it protects
	rcu         RCULocker   // lock, if its readers exclude no worker
	protected               // run.protected, or this worker's own if nothing is shared
	reads       int         // share of its operations that only read, in percent
	pattern     []bool      // true for a read; nil if all operations are the same
	hold, think int         // steps of work
	buffer      []uint64    // what work reads and writes; nil if nothing

	// For the preflight.
	pins    bool   // whether preemption is off inside
	dawdle  func() // what to do inside instead of working
	outlast func() // the same for a reader that excludes no worker; if it retries, in every other read

	// What the worker did since it started.
	read, written uint64 // operations
	longestRun    uint64 // of others, that it ended since it noted that the window is open
	seen          uint64 // the highest count that it saw in an open section or a copySection
	retired       func() // reclaims what its last update replaced
	graces        *graces
	broken        *BrokenError
	sink          uint64 // what work returned last
	doing         uint32
	next          int // place in pattern

	// The window, as far as this worker has come.
	word       uint32 // run.word when it last looked
	warm       bool
	begun      bool
	ended      bool
	began      uint64 // read+written when the window opened
	ops        uint64 // operations in the window
	slices     uint64 // bit i is set if it finished something in slice i
	lookedAt   int64
	lookedOps  uint64
	stride     int // operations between two looks at the clock, on average
	span       int // the same, for the current stride
	rng        *rand.Rand
	readTimes  *latency // nil unless latency is asked for
	writeTimes *latency

	schedule schedule // of an open loop

	_ pad
}

func newWorker(r *run, id int, lock sync.Locker) *worker {
	if l, ok := lock.(interface{ Worker() sync.Locker }); ok {
		lock = l.Worker()
	}
	w := &worker{
		id:     id,
		run:    r,
		lock:   lock,
		reads:  r.readsOf(id),
		hold:   r.Work.steps(r.Hold),
		think:  r.Work.steps(r.Think),
		buffer: r.Work.newBuffer(),
		stride: 1,
		span:   1,
		rng:    rand.New(rand.NewPCG(r.Seed, uint64(id))),
	}
	w.rw, _ = lock.(RWLocker)
	w.seq, _ = lock.(SeqLocker)
	if w.rcu, _ = lock.(RCULocker); w.rcu != nil {
		w.graces = newGraces()
	}
	if 0 < w.reads && w.reads < 100 {
		w.pattern = make([]bool, patternLen)
		for i := range w.reads * patternLen / 100 {
			w.pattern[i] = true
		}
		w.rng.Shuffle(patternLen, func(i, j int) {
			w.pattern[i], w.pattern[j] = w.pattern[j], w.pattern[i]
		})
	}
	if r.Latency {
		w.readTimes, w.writeTimes = newLatency(), newLatency()
	}
	return w
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
// Each form of section has a loop of its own, although the loops differ only in the
// operations: so no operation pays for a choice between the forms.
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

// pause is what a worker does between two critical sections.
func (w *worker) pause() { w.compute(w.think) }

// compute does n steps of work.
func (w *worker) compute(n int) {
	if w.buffer != nil {
		w.sink = workIn(w.buffer, n, w.sink)
		return
	}
	w.sink = work(n, w.sink)
}

// order returns the order of a worker's reads and writes, for a loop that needs one
// even if all operations are the same.
func (w *worker) order() *[patternLen]bool {
	if w.pattern == nil {
		w.pattern = slices.Repeat([]bool{w.reads != 0}, patternLen)
	}
	return (*[patternLen]bool)(w.pattern)
}

// nextReads reports whether the next operation is a read.
func (w *worker) nextReads() bool {
	if w.pattern == nil {
		return w.reads != 0
	}
	i := w.next
	if w.next++; w.next == patternLen {
		w.next = 0
	}
	return w.pattern[i]
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
// operation.
func (w *worker) look() bool {
	r := w.run
	if w.rcu != nil {
		w.quiet()
	}
	for {
		word := r.word.Load()
		now := primitives.Nanotime()
		w.adapt(now, word)
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
		if w.readTimes == nil || !w.begun || w.ended {
			return true
		}
		w.timed()
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
		runtime.Gosched()
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

// adapt sets the length of the next stride.
//
// If latency is sampled, strides are random, so that they cannot follow the pattern of
// reads and writes; and inside the window they get longer, for a worker that hardly ran
// before, but not shorter: if they did whenever operations got slower, the slow ones
// would be sampled too often.
func (w *worker) adapt(now int64, word uint32) {
	took := now - w.lookedAt
	w.lookedAt = now
	sampling := w.readTimes != nil && w.begun
	if word == w.word { // the stride was not cut short
		took = took * int64(w.stride) / int64(w.span)
		if took < lookAfter {
			w.stride = min(2*w.stride, maxStride)
		} else if took > 2*lookAfter && !sampling {
			w.stride = max(w.stride/2, 1)
		}
	}
	w.word = word
	w.span = w.stride
	if sampling {
		w.span = 1 + w.stride/2 + w.rng.IntN(w.stride)
	}
}
