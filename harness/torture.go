package harness

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Torture treats a lock, or a flavour of RCU, as badly as a program may, and
// checks that it stands it: the kernel's locktorture and rcutorture.
//
// It goes in bouts of some ten milliseconds. A bout begins with new goroutines,
// all at once, and ends when all of them are done: whoever was forgotten
// meanwhile, such as a waiter that nobody woke, is then noticed, because nobody
// else moves. How many workers there are, on how many CPUs, and what each of them
// does, one thing after the other, is drawn from the seed. How far each gets is not:
// that depends on the machine.
type Torture struct {
	Duration time.Duration // of each lock's, or flavour's; at least one bout
	Seed     uint64
	CPUs     int           // of the machine; 0 means all
	Patience time.Duration // see [Scenario]

	// Report, if not nil, is called after each bout with what was done so far.
	Report func(Tortured)
}

// Tortured is what a subject of a [Torture] went through.
type Tortured struct {
	Name  string
	Took  time.Duration
	Bouts int

	Flips       uint64 // changes of GOMAXPROCS while workers ran, or between bouts
	Collections uint64 // forced runs of the garbage collector
	Storms      uint64 // cancellations of all waits with a context at once
	Tally

	// Ages has how often a reader of a flavour of RCU saw an object, by the
	// number of grace periods, and one, since it was retired: Ages[0] while it
	// was published, Ages[1] before the end of a grace period. There must be
	// nothing beyond. Nil for a lock.
	Ages []uint64

	// Kept has the same of objects that a reader had kept from the section before,
	// which may be as old as they like.
	Kept []uint64
}

// A Tally is what workers did.
type Tally struct {
	Reads, Writes uint64 // sections; of RCU: sections and retired objects
	Long          uint64 // sections that were held for long
	Births        uint64 // sections by a goroutine that was made for them

	Refused    uint64 // tries in vain
	TimedOut   uint64 // waits that ended with a timeout
	Cancelled  uint64 // waits that ended with their context
	Downgrades uint64

	GracePeriods  uint64 // that were waited for, in whatever way
	Callbacks     uint64 // functions that were called after one
	Registrations uint64 // readers that came and went
}

func (t *Tally) add(o Tally) {
	t.Reads += o.Reads
	t.Writes += o.Writes
	t.Long += o.Long
	t.Births += o.Births
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

// A bout is one round of torture.
type bout struct {
	*run
	number   int
	deadline int64
	rng      *rand.Rand // of the torturer
	seed     uint64
	cpus     int  // of the machine
	tight    bool // nothing disturbs the workers, and they do not dawdle
	reads    int  // share of the acts that read, in percent
	strain   strain

	storm atomic.Pointer[storm]
}

// A storm is a context that many waits have.
type storm struct {
	context.Context
	cancel context.CancelFunc
}

func newStorm() *storm {
	ctx, cancel := context.WithCancel(context.Background())
	return &storm{ctx, cancel}
}

// stream returns the random numbers of one worker in one bout, or of the
// torturer: number -1.
func (b *bout) stream(number int) *rand.Rand {
	return rand.New(rand.NewPCG(b.seed, uint64(b.number)<<32|uint64(uint32(number))))
}

const (
	shortestBout = 10 * time.Millisecond
	longestBout  = 60 * time.Millisecond
)

// draw draws a bout of a subject; lock is nil if there is none.
func (t Torture) draw(s Subject, lock sync.Locker, number int) *bout {
	h := fnv.New64a()
	h.Write([]byte(s.Name))
	b := &bout{number: number, seed: t.Seed ^ h.Sum64(), cpus: t.CPUs}
	if b.cpus == 0 {
		b.cpus = runtime.NumCPU()
	}
	b.rng = b.stream(-1)
	cpus := 1 + b.rng.IntN(b.cpus)
	if b.rng.IntN(4) == 0 {
		cpus *= 2 // then the kernel preempts workers, at any instruction
	}
	workers := 2 + b.rng.IntN(4*b.cpus)
	b.tight = b.rng.IntN(3) == 0 || lock == nil && b.rng.IntN(3) == 0
	if b.tight {
		cpus, workers = b.cpus, max(2, b.cpus)
	}
	b.reads = []int{10, 50, 90}[b.rng.IntN(3)]
	b.run = newRun(Scenario{
		Subject:  s,
		CPUs:     cpus,
		Workers:  workers,
		Seed:     t.Seed,
		Duration: between(b.rng, shortestBout, longestBout),
		Patience: t.Patience,
	}.withDefaults(), lock, workers)
	return b
}

// between draws a duration.
func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)+1))
}

// fight lets the workers loose, disturbs them where that is possible, and
// returns when all are done. Under pinned sections the world cannot be stopped:
// see [run.superviseStandingBy].
func (b *bout) fight(ctx context.Context, done *Tortured, life func(*worker)) error {
	if err := b.checkIn(life); err != nil {
		return err
	}
	b.storm.Store(newStorm())
	b.deadline = primitives.Nanotime() + int64(b.Duration)
	var disturber sync.WaitGroup
	if !b.pins() && !b.tight {
		disturber.Go(func() { b.disturb(done) })
	}
	for i := range b.hogs() {
		disturber.Go(func() { b.hog(1+i, b.stream(-2-i)) })
	}
	err := b.release(ctx)
	b.stop()
	disturber.Wait()
	b.storm.Load().cancel()
	return err
}

// disturb makes trouble until the bout is over.
func (b *bout) disturb(done *Tortured) {
	for !b.over() {
		select {
		case <-b.done:
			return
		case <-time.After(between(b.rng, 50*time.Microsecond, 3*time.Millisecond)):
		}
		switch b.rng.IntN(8) {
		case 0:
			runtime.GC()
			done.Collections++
		case 1, 2:
			runtime.GOMAXPROCS(1 + b.rng.IntN(2*b.cpus))
			done.Flips++
		default:
			b.storm.Swap(newStorm()).cancel()
			done.Storms++
		}
	}
}

// over reports whether the workers should return, and sees to it that all do.
func (b *bout) over() bool {
	if phase(b.word.Load()) >= stopping {
		return true
	}
	if primitives.Nanotime() < b.deadline {
		return false
	}
	b.stop()
	return true
}

// accuse ends the bout, because of what is wrong. The first time counts.
func (b *bout) accuse(when, want, have string) {
	b.condemned.CompareAndSwap(nil, &BrokenError{Kind: b.kind, Lock: b.Name, When: when, Want: want, Have: have})
	b.stop()
}

// rounds has bouts until the time is over. fight is one of them.
func (t Torture) rounds(ctx context.Context, s Subject, lock sync.Locker, done *Tortured, fight func(*bout) error) error {
	began := primitives.Nanotime()
	for done.Bouts == 0 || primitives.Nanotime()-began < int64(t.Duration) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b := t.draw(s, lock, done.Bouts)
		restore := setUp(b.Scenario)
		err := fight(b)
		restore(err)
		done.Bouts++
		done.Flips++
		if b.rng.IntN(8) == 0 {
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

// An act is what a worker does at a time. All of it is drawn beforehand, so that
// the choices do not depend on what comes of them.
type act struct {
	reads     bool
	birth     bool // a new goroutine does it
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

// act draws one. Where sections are pinned, nothing in them blocks.
func (b *bout) act(rng *rand.Rand) act {
	const instant, short, long = 200 * time.Nanosecond, 5 * time.Microsecond, 100 * time.Microsecond
	a := act{
		reads:  rng.IntN(100) < b.reads,
		way:    [...]way{waits, waits, waits, waits, tries, waitsForAWhile, waitsWithContext, hasNoTime}[rng.IntN(8)],
		tries:  rng.IntN(16) == 0,
		choice: rng.Uint64(),
	}
	a.patience = time.Duration(1) << rng.IntN(22) // up to 2 ms
	a.downgrade = rng.IntN(4) == 0
	length := instant
	switch n := rng.IntN(400); {
	case b.tight:
	case n < 1:
		length = long
		if !b.pins() {
			a.sleep = between(rng, long, 3*time.Millisecond)
		}
	case n < 10:
		length = long
	case n < 20:
		a.yields = !b.pins()
	case n < 100:
		length = short
	}
	a.hold = rng.IntN(1 + Registers.steps(length))
	a.birth = !b.tight && rng.IntN(64) == 0
	if rng.IntN(2) == 0 {
		a.think = rng.IntN(1 + Registers.steps(short))
	}
	return a
}

// long reports whether it holds for long.
func (a act) long() bool { return a.sleep > 0 || a.yields }

// dwell is what a worker does inside.
func (w *worker) dwell(a act) {
	w.sink = work(a.hold, w.sink)
	if a.yields {
		runtime.Gosched()
	}
	if a.sleep > 0 {
		time.Sleep(a.sleep)
	}
}

// live is a worker's life: one act after the other, until the bout is over.
func (b *bout) live(w *worker, births *uint64, do func(act)) {
	rng := b.stream(w.id)
	for !b.over() && w.broken == nil {
		a := b.act(rng)
		if a.birth {
			*births++
			done := make(chan struct{})
			primitives.Go(func() {
				defer close(done)
				w.lead(func(*worker) { do(a) })
			})
			<-done
		} else {
			do(a)
		}
		w.sink = work(a.think, w.sink)
	}
	if w.broken != nil {
		b.stop()
	}
}
