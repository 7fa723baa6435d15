package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/primitives"
)

// An RCU is a flavour of read-copy update under torture.
type RCU struct {
	Name string           // for reports
	New  func() RCUDomain // returns a new domain, without readers

	// Pins says that nothing in a read-side critical section may block.
	Pins bool

	// Keeps says that a reader may keep what it found after the end of a section,
	// up to its next Quiescent, Offline or Unregister.
	Keeps bool
}

// An RCUDomain is what readers and updaters share. If it has String() string, a
// [StuckError] has its state.
type RCUDomain interface {
	// Register returns a new reader, for one worker alone, which is online.
	Register() RCUReader

	Synchronize()                  // waits for a grace period
	SynchronizeExpedited()         // the same, in a hurry
	Call(func())                   // after a grace period
	Barrier()                      // waits for all functions that were given to Call
	StartPoll() (over func() bool) // over reports whether a grace period that began since is over
	Close()                        // calls the functions that are left
}

// An RCUReader is one worker's. Sections nest.
type RCUReader interface {
	ReadLock()
	ReadUnlock()

	// Quiescent says that the worker has nothing that it found in earlier sections.
	// Offline says that it does not read until Online. In a flavour that does not need
	// them they do nothing.
	Quiescent()
	Offline()
	Online()

	Unregister()
}

// An object is what readers find, and updaters replace.
type object struct {
	// age is 0 while the object is published, 1 once it is retired, and one more for
	// each grace period since. Readers may see 0 and 1.
	age primitives.Uint32

	// value is plain: the load of a reader that has the object a grace period too long
	// races with the store of reused, and the race detector sees it.
	value primitives.Cell[uint64]
}

const (
	reused = ^uint64(0)
	tooOld = 2  // from this age on no reader may have it
	oldest = 10 // at this age it is used again
)

// RunRCU tortures a flavour of RCU. Updaters publish an object in the place of another,
// which they retire; it then ages by one with each grace period, in whatever way they
// wait for it. At the end of a section a reader looks at the age of what it found. No
// grace period that began after an object was retired may have ended while a reader has
// the object, nor may a grace period end while a reader is in a section that began
// before it. After a Barrier all functions given to Call before must have been called.
//
// The error is as that of [Torture.RunLock].
func (t Torture) RunRCU(ctx context.Context, s RCU) (Tortured, error) {
	done := Tortured{Name: s.Name, Ages: make([]uint64, oldest+1), Kept: make([]uint64, oldest+1)}
	// The rounds have no lock, so they exclude no worker.
	subject := Subject{Name: s.Name, Unlocked: true, New: func() sync.Locker { return none{} }}
	if err := errors.Join(t.Validate(), subject.validate()); err != nil {
		return done, err
	}
	machine.Lock()
	defer machine.Unlock()
	p := &pipeline{RCU: s, domain: s.New(), done: &done}
	p.published.Store(new(object))
	if err := t.rounds(ctx, subject, nil, &done, func(r *round) error { return p.torture(ctx, r) }); err != nil {
		return done, err
	}
	return done, p.end(ctx, t.Patience)
}

// flavour is what errors call an RCU.
const flavour = "flavour"

// A pipeline has what lasts longer than a round: the objects, as they age.
type pipeline struct {
	RCU
	domain    RCUDomain
	published primitives.Pointer[object]
	done      *Tortured
	ending    primitives.Bool // no function may be given to Call any more

	given, called primitives.Uint64 // functions given to Call, and those of them that were called

	// lock guards free. It is the host's: a torture disturbs the process, so it cannot run
	// under an engine.
	lock sync.Mutex
	free []*object

	_       pad
	periods primitives.Uint64 // that updaters have waited for in tight rounds
	_       pad
}

// torture is one round.
func (p *pipeline) torture(ctx context.Context, r *round) error {
	r.kind, r.state = flavour, p.domain
	updaters := 1 + r.rng.IntN(max(1, r.Workers/2))
	if r.tight {
		updaters = 1
		r.strain = [...]strain{unstrained, clogged, clogged, interrupted, interrupted}[r.rng.IntN(5)]
		if r.strain == clogged {
			far() // it takes long, so not while the workers run
		}
		runtime.GOMAXPROCS(r.CPUs + r.hogs()) // until the round is over
	}
	var workers []*rcuWorker
	for _, w := range r.workers {
		workers = append(workers, &rcuWorker{worker: w, pipeline: p, round: r})
	}
	err := r.torture(ctx, p.done, func(w *worker) {
		if r.strain != unstrained && w.id >= updaters {
			defer r.settle(w.id)()
		}
		if w.id < updaters {
			workers[w.id].update()
		} else {
			workers[w.id].lookUp()
		}
	})
	if stuck := (*StuckError)(nil); errors.As(err, &stuck) {
		return err // the tallies are still theirs
	}
	for _, w := range workers {
		w.tally.Reads, w.tally.Callbacks = w.read, w.called.Load()
		p.done.add(w.tally)
		for i := range w.ages {
			p.done.Ages[i] += w.ages[i]
			p.done.Kept[i] += w.kept[i]
		}
	}
	return errors.Join(r.verify(), err)
}

// end closes the domain, in a round of its own.
func (p *pipeline) end(ctx context.Context, patience time.Duration) error {
	r := &round{run: newRun(Scenario{
		Subject: Subject{Name: p.Name, Unlocked: true}, Patience: patience,
	}.withDefaults(), nil, 1)}
	r.kind, r.state = flavour, p.domain
	p.ending.Store(true)
	if err := r.checkIn(func(w *worker) {
		w.doing = waitsForCallbacks
		p.domain.Barrier() // after it no callback is left that has not seen ending and could Call again
		p.domain.Close()
		if given, called := p.given.Load(), p.called.Load(); given != called {
			r.fail("after Close", fmt.Sprintf("%d functions called that were given to Call", given), fmt.Sprint(called))
		}
	}); err != nil {
		return err
	}
	return errors.Join(r.release(ctx), r.verify())
}

// call has f called after a grace period.
func (p *pipeline) call(f func()) {
	p.given.Add(1)
	p.domain.Call(func() {
		f()
		p.called.Add(1)
	})
}

// grow notes that one more grace period is over since o was retired, and reports
// whether there must be another.
func (p *pipeline) grow(o *object) (another bool) {
	age := o.age.Add(1)
	if age == tooOld {
		o.value.Set(reused)
	}
	if age < oldest {
		return true
	}
	p.lock.Lock()
	p.free = append(p.free, o)
	p.lock.Unlock()
	return false
}

// growAfter grows o, and has itself called again after the next grace period.
func (p *pipeline) growAfter(o *object) {
	if p.grow(o) && !p.ending.Load() {
		p.call(func() { p.growAfter(o) })
	}
}

// fresh returns an object that no reader has.
func (p *pipeline) fresh(value uint64) *object {
	p.lock.Lock()
	defer p.lock.Unlock()
	o := new(object)
	if n := len(p.free); n > 0 {
		o, p.free = p.free[n-1], p.free[:n-1]
	}
	o.age.Store(0)
	o.value.Set(value)
	return o
}

// An rcuWorker is a worker of a round that reads or updates.
type rcuWorker struct {
	*worker
	*pipeline
	round  *round
	reader RCUReader
	tally  Tally
	ages   [oldest + 1]uint64

	last  find // in the last section
	quiet bool // whether there was a quiescent state since, or may have been
	kept  [oldest + 1]uint64

	aging  []*object         // retired, and too young to be used again
	calls  uint64            // how many functions it gave to Call
	called primitives.Uint64 // how many of them were called
}

// lookUp is the body of a reader.
func (w *rcuWorker) lookUp() {
	w.reader = w.domain.Register()
	w.round.loop(w.worker, &w.tally.Starts, func(a act) {
		w.doing = inSection
		if w.round.strain != unstrained {
			w.volley(a)
		} else {
			w.section(a)
			w.read++
		}
		w.doing = thinking
		w.between(a)
	})
	w.reader.Unregister()
	w.tally.Registrations++
}

// A find is an object that a reader found published, and what was in it.
type find struct {
	*object
	value uint64
}

// find returns what is published.
func (p *pipeline) find() find {
	o := p.published.Load()
	return find{o, o.value.Get()}
}

// look checks that f is unchanged, and returns its age. The reader is in the section in
// which it found f, or in a later one to which it may keep f.
func (w *rcuWorker) look(f find) (age int) {
	age = int(f.age.Load())
	const when = "at the end of a read-side critical section"
	switch {
	case age >= tooOld:
		w.round.fail(when, "what it found published, or retired in the last grace period",
			wording.Count(age-1, "grace period")+" over since it was retired")
	case f.object.value.Get() != f.value:
		w.round.fail(when, "what it found to be as it was", "it in use for something else")
	}
	return min(age, oldest)
}

// section is one read-side critical section, which may have others inside.
func (w *rcuWorker) section(a act) {
	if w.Pins {
		a.yields, a.sleep = false, 0
	}
	if a.long() {
		w.tally.Long++
	}
	w.reader.ReadLock()
	defer w.reader.ReadUnlock()
	f := w.find()
	over := func() bool { return false }
	if !w.round.tight && a.tries && w.calls == w.called.Load() {
		over = w.domain.StartPoll()
		w.call(func() {}) // no further poll until it has been called
	}
	if !w.round.tight && a.choice%4 == 0 {
		// What a reader finds in an inner section it may keep to the next inner one,
		// and to the end of the outer one.
		w.reader.ReadLock()
		inner := w.find()
		w.dwell(a)
		w.reader.ReadUnlock()
		w.reader.ReadLock()
		w.look(inner)
		w.reader.ReadUnlock()
		w.look(inner)
	} else {
		w.dwell(a)
	}
	w.ages[w.look(f)]++
	if over() {
		w.round.fail("at the end of a read-side critical section", "no grace period over that began in it", "one over")
	}
	w.keep(f)
}

// keep looks at what the reader found in the section before. If a quiescent state was
// in between, it may have any age, and the reader must look at nothing but that;
// otherwise it is still protected.
func (w *rcuWorker) keep(f find) {
	switch {
	case w.last.object == nil:
	case w.Keeps && !w.quiet:
		w.kept[w.look(w.last)]++
	default:
		w.kept[min(w.last.age.Load(), oldest)]++
	}
	w.last, w.quiet = f, false
}

// between is what a reader does between two sections.
func (w *rcuWorker) between(a act) {
	if a.choice>>2%4 != 0 {
		w.reader.Quiescent()
		w.quiet = true
	}
	if w.round.tight {
		return
	}
	n := a.choice >> 4 % 64
	w.quiet = w.quiet || n <= 3
	switch n {
	case 0:
		w.reader.Unregister()
		w.tally.Registrations++
		w.reader = w.domain.Register()
	case 1, 2:
		w.reader.Offline()
		primitives.Yield()
		w.reader.Online()
	case 3:
		w.reader.Offline()
		w.waitFor(w.domain.Synchronize)
		w.reader.Online()
	}
}

// update is the body of an updater.
func (w *rcuWorker) update() {
	w.round.loop(w.worker, &w.tally.Starts, func(a act) {
		w.retire(a)
		w.written++
	})
	w.barrier()
}

// retire publishes an object, retires the one that it replaces, and waits for a grace
// period, or has a callback do so.
func (w *rcuWorker) retire(a act) {
	old := w.published.Swap(w.fresh(a.choice >> 1))
	old.age.Store(1)
	w.tally.Writes++
	way := a.choice % 16
	if w.round.tight {
		way = 0
	}
	switch {
	case way < 6:
		w.waitFor(w.domain.SynchronizeExpedited)
	case way < 10:
		w.waitFor(w.domain.Synchronize)
	case way < 14 && w.calls-w.called.Load() < mostCalls:
		w.call(func() { w.growAfter(old) })
		return
	case way == 14:
		w.waitFor(func() {
			for over := w.domain.StartPoll(); !over(); {
				primitives.Yield()
			}
		})
	default:
		w.barrier()
		return // a Barrier is no grace period
	}
	aging := append(w.aging, old)
	w.aging = aging[:0]
	for _, o := range aging {
		if w.grow(o) {
			w.aging = append(w.aging, o)
		}
	}
}

// waitFor waits for a grace period.
func (w *rcuWorker) waitFor(wait func()) {
	w.doing = waitsForGrace
	wait()
	if w.round.tight {
		w.periods.Add(1)
	}
	w.doing = thinking
	w.tally.GracePeriods++
}

// mostCalls is how many functions of a worker may wait to be called at a time.
const mostCalls = 100

// call has f called after a grace period.
func (w *rcuWorker) call(f func()) {
	w.calls++
	w.pipeline.call(func() {
		f()
		w.called.Add(1)
	})
}

// barrier waits until all functions were called.
func (w *rcuWorker) barrier() {
	w.doing = waitsForCallbacks
	w.domain.Barrier()
	w.doing = thinking
	if called := w.called.Load(); called != w.calls {
		w.round.fail("after a Barrier", fmt.Sprintf("%d functions called that were given to Call before it", w.calls), fmt.Sprint(called))
	}
}
