package harness

import "github.com/lockbench/lockbench/primitives"

// A Timeline is what the workers of a run did in its bursts: see [Scenario.Trace].
type Timeline struct {
	// Kind says which sections exclude each other:
	//
	//	none       no sections: the subject does not exclude
	//	exclusive  all
	//	shared     those of writers all others
	//	retried    those of writers each other; readers repeat what a writer disturbed
	//	copied     those of writers each other; readers go on meanwhile
	//	counting   none, but no more are inside at once than there are permits
	Kind string

	Reclaim Reclaim // for kind copied: what the time up to [Use.Settled] is spent on

	Bursts []Burst // in the order of their times
}

// A Burst is a short time in which all workers of a run recorded every operation: see
// [Scenario.Trace]. Between two bursts nothing is recorded. Its times are nanoseconds from
// when the window opened, by [primitives.Nanotime].
type Burst struct {
	From, To int64 // when it began and ended

	// Full says that a worker's buffer was full, so that the burst ended early, for all
	// workers at once.
	Full bool

	// Joined is, by worker, from when it recorded: from the end of the operation that it
	// was in as the burst began. It is -1 for a worker that recorded nothing, because that
	// operation, or what kept it off its CPU, outlasted the burst.
	Joined []int64

	// Waiting says, by worker, whether it waited for the lock as the burst began, in the
	// operation before those that it recorded: of that one nothing else is known. It is
	// false for workers after the first 256.
	Waiting []bool

	// Uses are the operations that began in the burst, by worker, each worker's in order.
	// The last of a worker may end after the burst.
	Uses []Use
}

// A Use is one operation of a worker: its wait, its section and what came after it. Its
// times are those of a [Burst], and none is before the one above it.
type Use struct {
	Worker int
	Read   bool // whether it only read

	Called   int64 // when it called Lock, or RLock, Begin or ReadLock
	Acquired int64 // when that had returned; if readers retry, when the last try began
	Releases int64 // when it called Unlock or RUnlock; Returned if there is no such call
	Returned int64 // when that had returned
	Settled  int64 // of an RCULocker's updater when it had reclaimed or queued what it replaced; Returned otherwise
}

// The bursts of a run are a quarter and three quarters into its window, or begin as soon
// after that as a worker looks at the clock. Together they take the burstsShare'th part of
// it, which bounds what they cost: even if no worker got anything done in them, throughput
// would fall by no more than that.
const (
	burstsInWindow = 2
	burstsShare    = 40

	mostUses  = 4096    // of a worker in a burst
	leastUses = 4       // the same
	allUses   = 1 << 18 // of all workers in a burst, unless these are very many

	mostPeeked = 256 // workers of which it is known whether they wait as a burst begins
)

// A burst is a Burst while the workers run.
type burst struct {
	_       pad
	after   int64             // when it may begin
	long    int64             // at most
	claimed primitives.Uint32 // 1 once a worker begins it
	from    int64             // when it began; set before to is
	to      primitives.Int64  // when it ends; 0 before it has begun
	full    primitives.Uint32
	waited  []uint64 // by worker: 0, or 1 more than its operations before that for which it waited as the burst began
	_       pad
}

// A recording is what one worker recorded of a burst.
type recording struct {
	joined int64
	before uint64 // its operations then
	uses   []Use  // its capacity is the worker's buffer
}

// A recorder is what a worker has recorded, by burst. There is nothing unless a trace is
// asked for.
type recorder struct {
	recorded  []recording
	nextBurst int // the burst that it has not yet seen the end of
}

func newBursts(s Scenario, workers int) []burst {
	all := make([]burst, burstsInWindow)
	for i := range all {
		b := &all[i]
		b.after = int64(s.Duration) * int64(2*i+1) / (2 * burstsInWindow)
		b.long = int64(s.Duration) / burstsShare / burstsInWindow
		b.waited = make([]uint64, min(workers, mostPeeked))
	}
	return all
}

func newRecorder(s Scenario) recorder {
	room := max(leastUses, min(mostUses, allUses/s.Workers))
	all := make([]recording, burstsInWindow)
	for i := range all {
		buffer := apart[Use](room)
		for j := range buffer {
			buffer[j].Worker = -1 // so that the page is there before the burst
		}
		all[i] = recording{joined: -1, uses: buffer[:0]}
	}
	return recorder{recorded: all}
}

// recordBursts records what the worker does while a burst is on. It returns when none is on any
// more, or when the run's word has changed: at most one operation comes after that.
func (w *worker) recordBursts() {
	r := w.run
	now := primitives.Nanotime() - r.opened.wall
	for w.nextBurst < len(r.bursts) {
		b := &r.bursts[w.nextBurst]
		if now < b.after || !b.begun(r, now) || now < b.to.Load() && !w.recordBurst(b, now) {
			return
		}
		w.nextBurst++
		// What comes next is timed without the burst.
		w.lookedAt = primitives.Nanotime()
		now = w.lookedAt - r.opened.wall
	}
}

// begun reports whether b has begun. If no worker has, the caller begins it, and tells the
// others: they join after their operation, and not only after their stride.
func (b *burst) begun(r *run, now int64) bool {
	if b.to.Load() != 0 {
		return true
	}
	if !b.claimed.CompareAndSwap(0, 1) {
		return false // another worker is about to
	}
	r.noteWaiting(b)
	b.from = now
	b.to.Store(now + b.long)
	r.word.Add(nudge)
	return true
}

// recordBurst records what the worker does, from now on, and reports whether the burst
// has ended.
func (w *worker) recordBurst(b *burst, now int64) (ended bool) {
	r := w.run
	own := &w.recorded[w.nextBurst]
	if own.joined < 0 {
		own.joined, own.before = max(now, b.from), w.read+w.written
	}
	quiet := now
	for {
		n := len(own.uses)
		own.uses = own.uses[:n+1]
		now = w.recordUse(&own.uses[n])
		if n+1 == cap(own.uses) && now < b.to.Load() {
			b.full.Store(1)
			b.to.Store(now)
		}
		if now >= b.to.Load() {
			return true
		}
		if r.word.Load() != w.word {
			return false
		}
		if w.rcu != nil && now-quiet > lookAfter {
			w.quiet()
			quiet = now
		}
		if w.think != 0 {
			w.pause()
		}
	}
}

// noteWaiting notes which workers wait for the lock, before they are told of the burst.
func (r *run) noteWaiting(b *burst) {
	for i := range b.waited {
		switch ops, doing := r.workers[i].peek(); doing {
		case waitsToRead, waitsToWrite, beginning:
			b.waited[i] = ops + 1
		}
	}
}

// waiting reports whether worker i waited as a burst began, in an operation that it did not
// record: one that looked at the clock at that time may have recorded its wait.
func (b *burst) waiting(i int, own *recording) bool {
	return i < len(b.waited) && b.waited[i] > 0 && (own.joined < 0 || b.waited[i] <= own.before)
}

// recordUse does one operation and records it; see operate. It returns when it was over.
func (w *worker) recordUse(u *Use) (now int64) {
	opened := w.run.opened.wall
	u.Worker = w.id
	u.Read = w.nextReads()
	u.Called = primitives.Nanotime() - opened
	switch {
	case !u.Read:
		w.doing = waitsToWrite
		w.lock.Lock()
		u.Acquired = primitives.Nanotime() - opened
		w.writeInside()
		u.Releases = primitives.Nanotime() - opened
		w.lock.Unlock()
		u.Returned = primitives.Nanotime() - opened
		u.Settled = u.Returned
		if w.retired != nil {
			w.settle()
			u.Settled = primitives.Nanotime() - opened
		}
		w.doing = thinking
		w.written++
		return u.Settled
	case w.seq != nil || w.rcu != nil:
		u.Acquired = w.operate(true, true) - opened
		u.Returned = primitives.Nanotime() - opened
		u.Releases = u.Returned
	default:
		w.doing = waitsToRead
		if w.rw != nil {
			w.rw.RLock()
		} else {
			w.lock.Lock()
		}
		u.Acquired = primitives.Nanotime() - opened
		w.readInside()
		u.Releases = primitives.Nanotime() - opened
		if w.rw != nil {
			w.rw.RUnlock()
		} else {
			w.lock.Unlock()
		}
		u.Returned = primitives.Nanotime() - opened
		w.doing = thinking
		w.read++
	}
	u.Settled = u.Returned
	return u.Returned
}

// kindOf returns the Kind of a Timeline of r.
func (r *run) kindOf() string {
	w := r.workers[0]
	switch {
	case r.Unlocked || r.isTable():
		return "none"
	case r.Workload.Permits != nil:
		return "counting"
	case w.rcu != nil:
		return "copied"
	case w.seq != nil:
		return "retried"
	case w.rw != nil:
		return "shared"
	}
	return "exclusive"
}

// timeline returns what the workers recorded. All have returned.
func (r *run) timeline() Timeline {
	t := Timeline{Kind: r.kindOf(), Reclaim: r.Reclaim}
	for i := range r.bursts {
		from := &r.bursts[i]
		if from.to.Load() <= from.from {
			continue // no worker was on a CPU from when it might have begun, or it had no length
		}
		b := Burst{From: from.from, To: from.to.Load(), Full: from.full.Load() != 0}
		for id, w := range r.workers {
			own := &w.recorded[i]
			b.Waiting = append(b.Waiting, from.waiting(id, own))
			b.Joined = append(b.Joined, own.joined)
			b.Uses = append(b.Uses, own.uses...)
		}
		t.Bursts = append(t.Bursts, b)
	}
	return t
}
