package harness

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Torture uses a lock, or a flavour of RCU, as roughly as a program may, and checks
// that it keeps its promises, as the kernel's locktorture and rcutorture do.
//
// It runs in rounds of some ten milliseconds. A round begins with new goroutines, all
// at once, and ends when all of them have returned: a waiter that was not woken is then
// noticed, because no other worker makes progress. How many workers there are, on how
// many CPUs, and the sequence of what each of them does, is drawn from the seed. How
// far each gets depends on the machine.
type Torture struct {
	Duration time.Duration // of each lock, or flavour; at least one round
	Seed     uint64        // of all that is drawn; any number
	CPUs     int           // of the machine; 0 means all
	Patience time.Duration // see [Scenario]

	// Report, if not nil, is called after each round with the results so far.
	Report func(Tortured)
}

// Tortured is what was done to a subject of a [Torture].
type Tortured struct {
	Name   string        // of the lock or the flavour
	Took   time.Duration // wall time
	Rounds int           // how many

	Flips         uint64 // changes of GOMAXPROCS while workers ran, or between rounds
	Collections   uint64 // forced runs of the garbage collector
	Cancellations uint64 // cancellations of all waits with a context at once
	Tally

	// Ages has how often a reader of a flavour of RCU saw an object, by the number of
	// grace periods, and one, since it was retired: Ages[0] while it was published,
	// Ages[1] before the end of a grace period. All others must be 0. Nil for a lock.
	Ages []uint64

	// Kept is the same for objects that a reader had kept from the section before. They
	// may have any age.
	Kept []uint64
}

// A Tally is what workers did.
type Tally struct {
	Reads, Writes uint64 // sections; of RCU: sections and retired objects
	Long          uint64 // sections that were held for long
	Starts        uint64 // sections by a goroutine that was started for them

	Refused    uint64 // tries that failed
	TimedOut   uint64 // waits that ended with a timeout
	Cancelled  uint64 // waits that ended with their context
	Downgrades uint64 // writers that became readers without a release

	GracePeriods  uint64 // that were waited for, in any way
	Callbacks     uint64 // functions that were called after one
	Registrations uint64 // readers that came and went
}

func (t *Tally) add(o Tally) {
	t.Reads += o.Reads
	t.Writes += o.Writes
	t.Long += o.Long
	t.Starts += o.Starts
	t.Refused += o.Refused
	t.TimedOut += o.TimedOut
	t.Cancelled += o.Cancelled
	t.Downgrades += o.Downgrades
	t.GracePeriods += o.GracePeriods
	t.Callbacks += o.Callbacks
	t.Registrations += o.Registrations
}

// Validate reports everything that is wrong with t.
func (t Torture) Validate() error {
	var errs []error
	if t.Duration <= 0 {
		errs = append(errs, fmt.Errorf("duration %v: must be positive", t.Duration))
	}
	if t.CPUs < 0 {
		errs = append(errs, fmt.Errorf("CPUs %d: must be positive, or 0 for all", t.CPUs))
	}
	if t.Patience < 0 {
		errs = append(errs, fmt.Errorf("patience %v: must be positive, or 0s for the default", t.Patience))
	}
	return errors.Join(errs...)
}

// A round is one round of torture.
type round struct {
	*run
	number   int
	deadline int64
	rng      *rand.Rand // of the torturer
	seed     uint64
	cpus     int  // of the machine
	tight    bool // nothing disturbs the workers, and they do not stay inside for long
	reads    int  // share of the acts that read, in percent
	strain   strain

	shared primitives.Pointer[sharedContext]
}

// A sharedContext is a context that many waits have.
type sharedContext struct {
	context.Context
	cancel context.CancelFunc
}

func newSharedContext() *sharedContext {
	ctx, cancel := context.WithCancel(context.Background())
	return &sharedContext{ctx, cancel}
}

// stream returns the random numbers of one worker in one round, or of the
// torturer: number -1.
func (r *round) stream(number int) *rand.Rand {
	return rand.New(rand.NewPCG(r.seed, uint64(r.number)<<32|uint64(uint32(number))))
}

const (
	shortestRound = 10 * time.Millisecond
	longestRound  = 60 * time.Millisecond
)

// draw draws a round of a subject; lock is nil if there is none.
func (t Torture) draw(s Subject, lock sync.Locker, number int) *round {
	h := fnv.New64a()
	h.Write([]byte(s.Name))
	r := &round{number: number, seed: t.Seed ^ h.Sum64(), cpus: t.CPUs}
	if r.cpus == 0 {
		r.cpus = runtime.NumCPU()
	}
	r.rng = r.stream(-1)
	cpus := 1 + r.rng.IntN(r.cpus)
	if r.rng.IntN(4) == 0 {
		cpus *= 2 // then the kernel preempts workers, at any instruction
	}
	workers := 2 + r.rng.IntN(4*r.cpus)
	r.tight = r.rng.IntN(3) == 0 || lock == nil && r.rng.IntN(3) == 0
	if r.tight {
		cpus, workers = r.cpus, max(2, r.cpus)
	}
	r.reads = []int{10, 50, 90}[r.rng.IntN(3)]
	r.run = newRun(Scenario{
		Subject:  s,
		CPUs:     cpus,
		Workers:  workers,
		Seed:     t.Seed,
		Duration: between(r.rng, shortestRound, longestRound),
		Patience: t.Patience,
	}.withDefaults(), lock, workers)
	return r
}

// between draws a duration.
func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)+1))
}

// torture starts the workers, disturbs them where that is possible, and returns when
// all are done. Under pinned sections the world cannot be stopped: see
// [run.superviseStandingBy].
func (r *round) torture(ctx context.Context, done *Tortured, body func(*worker)) error {
	if err := r.checkIn(body); err != nil {
		return err
	}
	r.shared.Store(newSharedContext())
	r.deadline = primitives.Nanotime() + int64(r.Duration)
	var helpers countdown
	var returned primitives.Parker // holds a wake-up once all workers have
	help := func(f func()) {
		helpers.add(1)
		primitives.Go(func() {
			defer helpers.done()
			f()
		})
	}
	if !r.pins() && !r.tight {
		help(func() { r.disturb(done, &returned) })
	}
	for i := range r.hogs() {
		help(func() { r.hog(1+i, r.stream(-2-i)) })
	}
	err := r.release(ctx)
	r.stop()
	returned.Unpark()
	helpers.wait()
	r.shared.Load().cancel()
	return err
}

// disturb disturbs the workers until the round is over, or all workers have returned.
func (r *round) disturb(done *Tortured, returned *primitives.Parker) {
	for !r.over() {
		if returned.ParkTimeout(between(r.rng, 50*time.Microsecond, 3*time.Millisecond)) {
			return
		}
		switch r.rng.IntN(8) {
		case 0:
			runtime.GC()
			done.Collections++
		case 1, 2:
			runtime.GOMAXPROCS(1 + r.rng.IntN(2*r.cpus))
			done.Flips++
		default:
			r.shared.Swap(newSharedContext()).cancel()
			done.Cancellations++
		}
	}
}

// over reports whether the workers should return; if the time is up, it makes all of
// them return.
func (r *round) over() bool {
	if phase(r.word.Load()) >= stopping {
		return true
	}
	if primitives.Nanotime() < r.deadline {
		return false
	}
	r.stop()
	return true
}

// fail ends the round with an error. The first one counts.
func (r *round) fail(when, want, have string) {
	r.failed.CompareAndSwap(nil, &BrokenError{Kind: r.kind, Lock: r.Name, When: when, Want: want, Have: have})
	r.stop()
}

// rounds calls one for each round, until the time is over.
func (t Torture) rounds(ctx context.Context, s Subject, lock sync.Locker, done *Tortured, one func(*round) error) error {
	began := primitives.Nanotime()
	for done.Rounds == 0 || primitives.Nanotime()-began < int64(t.Duration) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		r := t.draw(s, lock, done.Rounds)
		restore := setUp(r.Scenario)
		err := one(r)
		restore(err)
		done.Rounds++
		done.Flips++
		if r.rng.IntN(8) == 0 {
			runtime.GC()
			done.Collections++
		}
		done.Took = time.Duration(primitives.Nanotime() - began)
		if t.Report != nil {
			t.Report(*done)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// An act is one operation of a worker. All of it is drawn beforehand, so that the
// choices do not depend on how it ends.
type act struct {
	reads     bool
	start     bool // a new goroutine does it
	way       way
	patience  time.Duration // of a wait with a timeout
	hold      int           // steps of work inside
	yields    bool          // inside
	sleep     time.Duration // inside
	tries     bool          // to lock what it holds
	downgrade bool
	think     int // steps of work afterwards
	choice    uint64
}

// A way is how a worker acquires.
type way int

const (
	waits way = iota
	tries
	waitsForAWhile
	waitsWithContext
	hasNoTime // a context that is over
)

// act draws an act. If sections are pinned, nothing in them blocks.
func (r *round) act(rng *rand.Rand) act {
	const instant, short, long = 200 * time.Nanosecond, 5 * time.Microsecond, 100 * time.Microsecond
	a := act{
		reads:  rng.IntN(100) < r.reads,
		way:    [...]way{waits, waits, waits, waits, tries, waitsForAWhile, waitsWithContext, hasNoTime}[rng.IntN(8)],
		tries:  rng.IntN(16) == 0,
		choice: rng.Uint64(),
	}
	a.patience = time.Duration(1) << rng.IntN(22) // up to 2 ms
	a.downgrade = rng.IntN(4) == 0
	length := instant
	switch n := rng.IntN(400); {
	case r.tight:
	case n < 1:
		length = long
		if !r.pins() {
			a.sleep = between(rng, long, 3*time.Millisecond)
		}
	case n < 10:
		length = long
	case n < 20:
		a.yields = !r.pins()
	case n < 100:
		length = short
	}
	a.hold = rng.IntN(1 + Registers.steps(length))
	a.start = !r.tight && rng.IntN(64) == 0
	if rng.IntN(2) == 0 {
		a.think = rng.IntN(1 + Registers.steps(short))
	}
	return a
}

// long reports whether the worker holds the lock for long.
func (a act) long() bool { return a.sleep > 0 || a.yields }

// dwell is what a worker does inside.
func (w *worker) dwell(a act) {
	w.sink = work(a.hold, w.sink)
	if a.yields {
		primitives.Yield()
	}
	if a.sleep > 0 {
		primitives.Sleep(a.sleep)
	}
}

// loop is the body of a worker: one act after the other, until the round is over.
func (r *round) loop(w *worker, starts *uint64, do func(act)) {
	rng := r.stream(w.id)
	var back primitives.Parker // where the worker waits for a goroutine that it started
	for !r.over() && w.broken == nil {
		a := r.act(rng)
		if a.start {
			*starts++
			primitives.Go(func() {
				defer back.Unpark()
				w.lead(func(*worker) { do(a) })
			})
			back.Park()
		} else {
			do(a)
		}
		w.sink = work(a.think, w.sink)
	}
	if w.broken != nil {
		r.stop()
	}
}
