package harness

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// A Subject is a lock under test.
//
// A lock may have more than [sync.Locker]: TryLock() bool is checked before each
// sample; RLock and RUnlock serve the reads (see [RWLocker]), or Begin and Retry (see
// [SeqLocker]), and reads take the lock as writes do if there are neither; or an
// RCULocker's sections; String() string tells the watchdog, and then the reader of a
// [StuckError], what state the lock is in. String must be safe to call at any time.
//
// A lock for which the caller keeps something, such as a queue's node or a reader's
// token, has Worker() sync.Locker. It returns a new view of the lock that keeps it, for
// one worker only; workers then use only their views, so TryLock, RLock and the like
// must be methods of the view. What a view keeps should be on cache lines of its own.
type Subject struct {
	Name string // as in a results file: printable, without spaces and "/"

	// New returns a fresh unlocked lock. [Run] makes more of them than it uses: the
	// others keep words that are written elsewhere off its cache lines. Nil if the
	// subject is no lock, but a table that needs none.
	New func() sync.Locker

	// NewTable returns an empty table for a workload that is a map: that of an
	// [RCULocker], whose readers are in it at the same time as an updater, or, without
	// New, the subject itself. Nil for other locks: they guard a map of Go's.
	NewTable func() Table

	// Pinned returns a fresh lock whose Lock and Unlock keep preemption off in between,
	// for [Pinned] mode. Nil if the lock cannot be held like that, because it blocks.
	Pinned func() sync.Locker

	// Counting returns a fresh semaphore with a number of permits, all free: Lock takes
	// one, waiting until one is free, Unlock gives one back, and New is Counting(1).
	// Nil if the lock cannot count. See [Workload.Permits].
	Counting func(permits int) sync.Locker

	// Pins says that New's lock, too, keeps preemption off while held, so
	// that nothing in a critical section may yield. [Run] then checks it with
	// [Subject.Pinned]'s rules in every mode.
	Pins bool

	// Reclaim says, for an [RCULocker], what happens to what its updaters replaced.
	Reclaim Reclaim

	// PinsReaders says, for an [RCULocker], that its read-side critical sections keep
	// preemption off, so that nothing in them may yield.
	PinsReaders bool

	// Unlocked says that the subject does not exclude and does not claim to: nothing is
	// shared, so nothing is verified. It is for measuring the harness itself; see
	// [Cost].
	Unlocked bool
}

// A SeqLocker is a lock whose readers hold nothing. Begin begins a read, once no worker
// writes; Retry reports whether one has written since, so that the reader must discard
// what it read and read again. A reader that is not disturbed sees the state of one
// moment, no older than any that it has seen before.
//
// What such readers read are atomic words, those of the bare section too. In a
// [Workload] without NewOpen there are no such words: readers then take the lock, for
// reading if it has RLock.
type SeqLocker interface {
	sync.Locker
	Begin() (seq uint64)
	Retry(seq uint64) bool
}

// An RWLocker is a lock that distinguishes readers from writers.
type RWLocker interface {
	sync.Locker
	RLock()
	RUnlock()
}

// A Mode says how workers are assigned to CPUs.
type Mode uint8

const (
	Goroutine Mode = iota // goroutines, scheduled by Go
	Thread                // each worker locked to a thread, and the thread to a CPU; Linux only
	Pinned                // goroutines that cannot be preempted inside a critical section
)

var modes = [...]string{Goroutine: "goroutine", Thread: "thread", Pinned: "pinned"}

// String returns "goroutine", "thread" or "pinned".
func (m Mode) String() string {
	if int(m) < len(modes) {
		return modes[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// MarshalText returns what String does.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText sets m to the mode that text names.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, name := range modes {
		if string(text) == name {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("unknown mode %q (known: %s)", text, strings.Join(modes[:], ", "))
}

// A Scenario is one lock in one situation: what [Run] measures once.
type Scenario struct {
	Subject

	CPUs    int // GOMAXPROCS while measuring, at least 1
	Workers int // in all, not per CPU; at least 1
	Reads   int // share of the operations that only read, in percent

	// Readers and Writers are the numbers of workers that only read and that only
	// write, in place of Workers and Reads, which are 0 then. The readers are the first
	// workers. Each role is measured separately.
	Readers, Writers int

	Workload Workload // what critical sections do; the zero value is the bare section

	Hold  time.Duration // work in the critical section, beyond its bare minimum or its workload
	Think time.Duration // work between two critical sections

	Work Work // what hold and think are made of

	Mode Mode // what workers are: see [Mode]

	Place Place // which CPUs the workers run on, in Thread mode

	order []int // of the place, once the defaults are filled in

	GC GC // how much garbage the collector leaves; while critical sections are pinned it is off

	Arrivals Arrivals // how operations arrive; the zero value is a closed loop

	// Duration is the length of the measuring window. 0 is 3 ms, or 100 ms if
	// there are more workers than CPUs: such a window must span many of the
	// scheduler's time slices, 10 ms each. In an open loop it is 20 ms, or 200 ms.
	Duration time.Duration

	// Quota, if it is not 0, is after how many operations of all workers the window
	// closes, in place of Duration. It is for closed loops.
	Quota uint64

	// Warmup is for how long, at least, the workers run before the window
	// opens. 0 is a tenth of Duration, or in an open loop a quarter.
	Warmup time.Duration

	// Latency asks for the percentiles of the time to acquire. They are service times:
	// the loop is closed, so a worker that waits has no other operations waiting, and
	// the times are not corrected for that. They are sampled, at a cost of less than 2
	// % of throughput. An open loop always has them, for all operations, from the times
	// for which these were scheduled.
	Latency bool

	// Counters asks for the kernel's counts per operation: see [Counters]. All threads
	// of the process count, from before the workers begin until all have returned.
	Counters bool

	// Trace, if it is not nil, is called with what the workers did in a few bursts of
	// consecutive operations, after a run that found nothing wrong. The bursts are at
	// most a 40th of the window, and so is what they cost of throughput. It is for
	// closed loops on the host, without Counters, which would count the recording.
	Trace func(Timeline)

	// Counts, if it is not nil, returns what an engine has counted so far, in units for an
	// operation. It is called as the window opens, in its middle and as it closes: a
	// sample has what was counted in the window, and the unit drift, how steady the window
	// was. It is for runs under an engine.
	Counts func() []results.Value

	// Patience is how long the workers may make no progress before Run gives up and
	// calls the lock stuck; see [StuckError]. 0 is 10 s. Hold and Think are added to
	// it.
	Patience time.Duration

	// Seed varies the order of reads and writes.
	Seed uint64
}

// Validate reports everything that is wrong with s.
func (s Scenario) Validate() error {
	return errors.Join(s.Subject.validate(), s.suits(), s.validate())
}

// Suits reports why s cannot run a workload, or cannot be in a mode.
func (s Subject) Suits(w Workload, mode Mode) error {
	var why string
	switch view := s.view(w); {
	case s.isTable() && w.NewIn == nil:
		why = "is a map and no lock, want a lock for workload " + cmp.Or(w.Name, "bare")
	case w.Permits != nil && s.Counting == nil:
		why = "cannot count, want a semaphore for workload " + w.Name
	case w.Permits != nil && mode == Pinned:
		return &unsuited{why: fmt.Sprintf("workload %s: cannot run pinned, want another mode: its semaphores block", w.Name)}
	case mode == Pinned && s.Pinned == nil:
		why = "cannot be held pinned, want another mode"
	case w.Permits == nil:
		if _, ok := view.(RCULocker); ok && w.NewCopy == nil && (w.NewIn == nil || s.NewTable == nil) {
			why = fmt.Sprintf("its readers keep no writer out, want a lock for workload %s: its data cannot be read while it is changed", w.Name)
		} else if _, ok := view.(SeqLocker); ok && w.Linked {
			why = fmt.Sprintf("its readers look at what is half written, want another lock for workload %s: they would follow a link that leads anywhere", w.Name)
		}
	}
	if why == "" {
		return nil
	}
	return &unsuited{s.Name, why}
}

// An unsuited error says why a lock cannot be in a situation, or why no lock can.
type unsuited struct{ lock, why string }

func (e *unsuited) Error() string {
	if e.lock == "" {
		return e.why
	}
	return fmt.Sprintf("lock %q: %s", e.lock, e.why)
}

// isTable reports whether s is a table that needs no lock.
func (s Subject) isTable() bool { return s.New == nil && s.NewTable != nil }

// view returns a fresh lock as a worker sees it under a workload, or nil if that
// is the bare section, which suits all.
func (s Subject) view(w Workload) sync.Locker {
	if w.isBare() || s.New == nil {
		return nil
	}
	return viewOf(s.New())
}

func (s Subject) validate() error {
	var errs []error
	name := results.Cell{Lock: s.Name, CPUs: 1, Workers: 1}
	errs = append(errs, name.Validate())
	if s.New == nil && s.NewTable == nil {
		errs = append(errs, fmt.Errorf("lock %q: New is nil, want a function that returns a lock", s.Name))
	}
	return errors.Join(errs...)
}

// validate is Validate without the Subject.
func (s Scenario) validate() error {
	var errs []error
	want := func(ok bool, field string, have any, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s %v: must be %s", field, have, what))
		}
	}
	want(s.CPUs >= 1, "CPUs", s.CPUs, "at least 1")
	if s.roles() {
		want(s.Readers >= 0, "readers", s.Readers, "at least 0")
		want(s.Writers >= 0, "writers", s.Writers, "at least 0")
		want(s.Workers == 0 || s.Workers == s.Readers+s.Writers, "workers", s.Workers, "0 if there are readers and writers, or their sum")
		want(s.Reads == 0, "reads", s.Reads, "0 if there are readers and writers")
	} else {
		want(s.Workers >= 1, "workers", s.Workers, "at least 1")
	}
	want(0 <= s.Reads && s.Reads <= 100, "reads", s.Reads, "0 to 100")
	errs = append(errs, s.Workload.validate())
	want(s.Hold >= 0, "hold", s.Hold, "at least 0s")
	want(s.Think >= 0, "think", s.Think, "at least 0s")
	want(int(s.Work) < len(works), "work", s.Work, "registers, memory-l1, memory-l2 or serialized")
	want(s.Work != Serialized || primitives.CanSerialize, "work", s.Work, "another: instructions cannot be serialized on "+runtime.GOARCH+", nor under purego")
	want(s.Duration >= 0, "duration", s.Duration, "positive, or 0s for the default")
	want(s.Quota == 0 || s.Arrivals.Closed(), "quota", s.Quota, "0 in an open loop")
	want(s.Counts == nil || primitives.Virtual(), "counts", "set", "nil on the host: they are an engine's")
	want(s.Trace == nil || s.Arrivals.Closed(), "trace", "set", "nil in an open loop: its waits begin before the call")
	want(s.Trace == nil || !s.Counters, "trace", "set", "nil with counters: what recording does would count, too")
	want(s.Trace == nil || s.Quota == 0, "trace", "set", "nil with a quota: bursts are parts of a window of known length")
	want(s.Trace == nil || !primitives.Virtual(), "trace", "set", "nil under an engine, which has timelines of its own")
	want(s.Warmup >= 0, "warmup", s.Warmup, "positive, or 0s for the default")
	want(!s.Counters || s.Arrivals.Closed(), "counters", s.Counters, "false in an open loop: what a worker does while no operation is due would count, too")
	errs = append(errs, s.Arrivals.validate(s.withDefaults().Duration))
	want(s.Patience >= 0, "patience", s.Patience, "positive, or 0s for the default")
	want(int(s.Mode) < len(modes), "mode", s.Mode, "goroutine, thread or pinned")
	if s.Place != "" {
		_, err := s.Place.Order()
		errs = append(errs, err)
	}
	want(s.GC.valid(), "gc", int(s.GC), fmt.Sprintf("off, or 1 to %d", int(maxGC)))
	want(s.Mode != Thread || hasAffinity, "mode", s.Mode, "goroutine or pinned: threads cannot be bound to CPUs on "+runtime.GOOS)
	return errors.Join(errs...)
}

// Cell returns the name of s in a results file.
func (s Scenario) Cell() results.Cell {
	c := results.Cell{
		Lock:     s.Name,
		Reads:    s.Reads,
		Workers:  s.Workers,
		Readers:  s.Readers,
		Writers:  s.Writers,
		Hold:     s.Hold,
		Think:    s.Think,
		Workload: s.Workload.Name,
		CPUs:     s.CPUs,
		Load:     s.Arrivals.String(),
	}
	c.GC, c.Place = s.GC.word(), string(s.Place)
	if s.roles() {
		c.Workers = s.Readers + s.Writers
	}
	if s.Work != Registers {
		c.Work = s.Work.String()
	}
	if s.Mode != Goroutine {
		c.Mode = s.Mode.String()
	}
	return c
}

// roles reports whether each worker only reads or only writes.
func (s Scenario) roles() bool { return s.Readers != 0 || s.Writers != 0 }

// readsOf returns the share of the operations of a worker that only read, in
// percent.
func (s Scenario) readsOf(worker int) int {
	switch {
	case !s.roles():
		return s.Reads
	case worker < s.Readers:
		return 100
	}
	return 0
}

// writes reports whether any operation writes.
func (s Scenario) writes() bool {
	if s.roles() {
		return s.Writers > 0
	}
	return s.Reads < 100
}

// withDefaults returns s with the defaults for fields that are zero.
func (s Scenario) withDefaults() Scenario {
	s.order, _ = s.Place.Order() // validated
	if s.roles() {
		s.Workers = s.Readers + s.Writers
	}
	open := !s.Arrivals.Closed()
	s.Latency = s.Latency || open
	if s.Duration == 0 {
		s.Duration = 3 * time.Millisecond
		if s.Workers > s.CPUs {
			s.Duration = 100 * time.Millisecond
		}
		if open {
			s.Duration = max(20*time.Millisecond, 2*s.Duration)
		}
	}
	if s.Warmup == 0 {
		s.Warmup = s.Duration / 10
		if open {
			s.Warmup = s.Duration / 4
		}
	}
	if s.Patience == 0 {
		s.Patience = 10 * time.Second
	}
	return s
}

// Length returns how long the windows of a sample of s are, with their warm-ups,
// once the defaults are filled in.
func (s Scenario) Length() time.Duration {
	length := s.Warmup + s.Duration
	if s.Arrivals.Load != 0 {
		length += length / capacityShare
	}
	return length
}
