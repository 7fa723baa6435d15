package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// An RCU is a flavour of read-copy update under torture.
type RCU struct {
	Name string
	New  func() RCUDomain

	// Pins says that nothing in a read-side critical section may block.
	Pins bool

	// Keeps says that a reader may keep what it found after the end of a section,
	// up to its next Quiescent, Offline or Unregister.
	Keeps bool
}

// An RCUDomain is what readers and updaters share. If it has String() string,
// that tells the reader of a [StuckError] what state it is in.
type RCUDomain interface {
	// Register returns a new reader, for one worker alone, which is online.
	Register() RCUReader

	Synchronize()                  // waits for a grace period
	SynchronizeExpedited()         // the same, in a hurry
	Call(func())                   // after a grace period
	Barrier()                      // waits for all functions that were given to Call
	StartPoll() (over func() bool) // reports whether a grace period is over that began since
	Close()                        // calls what is left to be called
}

// An RCUReader is one worker's. Sections nest.
type RCUReader interface {
	ReadLock()
	ReadUnlock()

	// Quiescent says that the worker has nothing that it found in sections
	// before. Offline says that it does not read until Online. A flavour may
	// do without.
	Quiescent()
	Offline()
	Online()

	Unregister()
}

// An object is what readers find, and updaters replace.
type object struct {
	// age is 0 while it is published, 1 once it is retired, and one more for
	// each grace period since. Readers may see 0 and 1.
	age atomic.Uint32

	// value is plain: who has the object two grace periods late meets, under
	// the race detector, the store of reused.
	value primitives.Cell[uint64]
}

const (
	reused = ^uint64(0)
	tooOld = 2  // from that age on nobody may have it
	oldest = 10 // at that age it is used again
)

// RCU tortures a flavour of RCU. Updaters publish an object in the place of
// another, which they retire; it then ages by one with each grace period, in
// whatever way they wait for it. Readers look at the age of what they found at the
// end of their sections. Nothing that they see may have lived to see the end of a
// grace period that began after it was retired; nor may a grace period end while
// they are in a section that began before it. After a Barrier all functions must
// have been called that were to be.
//
// The error is as that of [Torture.Lock].
func (t Torture) RCU(ctx context.Context, s RCU) (Tortured, error) {
	done := Tortured{Name: s.Name, Ages: make([]uint64, oldest+1), Kept: make([]uint64, oldest+1)}
	// The bouts exclude nobody: they have no lock.
	subject := Subject{Name: s.Name, Unlocked: true, New: func() sync.Locker { return none{} }}
	if err := errors.Join(t.Validate(), subject.validate()); err != nil {
		return done, err
	}
	machine.Lock()
	defer machine.Unlock()
	p := &pipeline{RCU: s, domain: s.New(), done: &done}
	p.published.Store(new(object))
	if err := t.rounds(ctx, subject, nil, &done, func(b *bout) error { return p.fight(ctx, b) }); err != nil {
		return done, err
	}
	return done, p.end(ctx, t.Patience)
}

// flavour is what errors call an RCU.
const flavour = "flavour"

// A pipeline has what outlives a bout: the objects, as they grow old.
type pipeline struct {
	RCU
	domain    RCUDomain
	published atomic.Pointer[object]
	done      *Tortured
	ending    atomic.Bool // there may be no Call soon

	given, called atomic.Uint64 // functions, to Call; and those that it called

	lock sync.Mutex // guards free
	free []*object

	_       pad
	periods atomic.Uint64 // that updaters have waited for in tight bouts
	_       pad
}

// fight is one bout.
func (p *pipeline) fight(ctx context.Context, b *bout) error {
	b.kind, b.state = flavour, p.domain
	updaters := 1 + b.rng.IntN(max(1, b.Workers/2))
	if b.tight {
		updaters = 1
		b.strain = [...]strain{unstrained, clogged, clogged, interrupted, interrupted}[b.rng.IntN(5)]
		if b.strain == clogged {
			far() // not while the workers run
		}
		runtime.GOMAXPROCS(b.CPUs + b.hogs()) // until the bout is over
	}
	var victims []*rcuVictim
	for _, w := range b.workers {
		victims = append(victims, &rcuVictim{worker: w, pipeline: p, bout: b})
	}
	err := b.fight(ctx, p.done, func(w *worker) {
		if b.strain != unstrained && w.id >= updaters {
			defer b.settle(w.id)()
		}
		if w.id < updaters {
			victims[w.id].update()
		} else {
			victims[w.id].lookUp()
		}
	})
	if stuck := (*StuckError)(nil); errors.As(err, &stuck) {
		return err // the tallies are still theirs
	}
	for _, v := range victims {
		v.tally.Reads, v.tally.Callbacks = v.read, v.called.Load()
		p.done.add(v.tally)
		for i := range v.ages {
			p.done.Ages[i] += v.ages[i]
			p.done.Kept[i] += v.kept[i]
		}
	}
	return errors.Join(b.verify(), err)
}

// end closes the domain, in a bout of its own.
func (p *pipeline) end(ctx context.Context, patience time.Duration) error {
	b := &bout{run: newRun(Scenario{
		Subject: Subject{Name: p.Name, Unlocked: true}, Patience: patience,
	}.withDefaults(), nil, 1)}
	b.kind, b.state = flavour, p.domain
	p.ending.Store(true)
	if err := b.checkIn(func(w *worker) {
		w.doing = waitsForCallbacks
		p.domain.Barrier() // nobody who has not seen that it is ending is left to Call
		p.domain.Close()
		if given, called := p.given.Load(), p.called.Load(); given != called {
			b.accuse("after Close", fmt.Sprintf("%d functions called that were given to Call", given), fmt.Sprint(called))
		}
	}); err != nil {
		return err
	}
	return errors.Join(b.release(ctx), b.verify())
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

// fresh returns an object that nobody has.
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

// An rcuVictim is a worker that reads or updates.
type rcuVictim struct {
	*worker
	*pipeline
	bout   *bout
	reader RCUReader
	tally  Tally
	ages   [oldest + 1]uint64

	last  find // in the last section
	quiet bool // whether there was a quiescent state since, or may have been
	kept  [oldest + 1]uint64

	aging  []*object     // retired, and not old enough to be used again
	calls  uint64        // how many functions it gave to Call
	called atomic.Uint64 // how many of them were called
}

// lookUp is a reader's life.
func (v *rcuVictim) lookUp() {
	v.reader = v.domain.Register()
	v.bout.live(v.worker, &v.tally.Births, func(a act) {
		v.doing = inSection
		if v.bout.strain != unstrained {
			v.volley(a)
		} else {
			v.section(a)
			v.read++
		}
		v.doing = thinking
		v.between(a)
	})
	v.reader.Unregister()
	v.tally.Registrations++
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

// look looks, in the section in which the reader found f, or in one that f was
// kept to, whether it is as it was, and returns its age.
func (v *rcuVictim) look(f find) (age int) {
	age = int(f.age.Load())
	const when = "at the end of a read-side critical section"
	switch {
	case age >= tooOld:
		v.bout.accuse(when, "what it found published, or retired in the last grace period",
			counted(age-1, "grace period")+" over since it was retired")
	case f.object.value.Get() != f.value:
		v.bout.accuse(when, "what it found to be as it was", "it in use for something else")
	}
	return min(age, oldest)
}

// section is one read-side critical section, perhaps with others inside.
func (v *rcuVictim) section(a act) {
	if v.Pins {
		a.yields, a.sleep = false, 0
	}
	if a.long() {
		v.tally.Long++
	}
	v.reader.ReadLock()
	defer v.reader.ReadUnlock()
	f := v.find()
	over := func() bool { return false }
	if !v.bout.tight && a.tries && v.calls == v.called.Load() {
		over = v.domain.StartPoll()
		v.call(func() {}) // once it has been called there is room for more
	}
	if !v.bout.tight && a.choice%4 == 0 {
		// What is found in an inner section may be kept to the next, and to the
		// end of the outer one.
		v.reader.ReadLock()
		inner := v.find()
		v.dwell(a)
		v.reader.ReadUnlock()
		v.reader.ReadLock()
		v.look(inner)
		v.reader.ReadUnlock()
		v.look(inner)
	} else {
		v.dwell(a)
	}
	v.ages[v.look(f)]++
	if over() {
		v.bout.accuse("at the end of a read-side critical section", "no grace period over that began in it", "one over")
	}
	v.keep(f)
}

// keep looks at what the reader found in the section before. It may be as old as
// it likes, if a quiescent state was between, and must not be followed, but for
// its age; otherwise it is protected as ever.
func (v *rcuVictim) keep(f find) {
	switch {
	case v.last.object == nil:
	case v.Keeps && !v.quiet:
		v.kept[v.look(v.last)]++
	default:
		v.kept[min(v.last.age.Load(), oldest)]++
	}
	v.last, v.quiet = f, false
}

// between is what a reader does between two sections.
func (v *rcuVictim) between(a act) {
	if a.choice>>2%4 != 0 {
		v.reader.Quiescent()
		v.quiet = true
	}
	if v.bout.tight {
		return
	}
	n := a.choice >> 4 % 64
	v.quiet = v.quiet || n <= 3
	switch n {
	case 0:
		v.reader.Unregister()
		v.tally.Registrations++
		v.reader = v.domain.Register()
	case 1, 2:
		v.reader.Offline()
		runtime.Gosched()
		v.reader.Online()
	case 3:
		v.reader.Offline()
		v.waitFor(v.domain.Synchronize)
		v.reader.Online()
	}
}

// update is an updater's life.
func (v *rcuVictim) update() {
	v.bout.live(v.worker, &v.tally.Births, func(a act) {
		v.retire(a)
		v.written++
	})
	v.barrier()
}

// retire publishes an object, retires the one that it replaces, and waits for a
// grace period, or has somebody else do so.
func (v *rcuVictim) retire(a act) {
	old := v.published.Swap(v.fresh(a.choice >> 1))
	old.age.Store(1)
	v.tally.Writes++
	way := a.choice % 16
	if v.bout.tight {
		way = 0
	}
	switch {
	case way < 6:
		v.waitFor(v.domain.SynchronizeExpedited)
	case way < 10:
		v.waitFor(v.domain.Synchronize)
	case way < 14 && v.calls-v.called.Load() < mostCalls:
		v.call(func() { v.growAfter(old) })
		return
	case way == 14:
		v.waitFor(func() {
			for over := v.domain.StartPoll(); !over(); {
				runtime.Gosched()
			}
		})
	default:
		v.barrier()
		return // which is no grace period
	}
	aging := append(v.aging, old)
	v.aging = aging[:0]
	for _, o := range aging {
		if v.grow(o) {
			v.aging = append(v.aging, o)
		}
	}
}

// waitFor waits for a grace period.
func (v *rcuVictim) waitFor(wait func()) {
	v.doing = waitsForGrace
	wait()
	if v.bout.tight {
		v.periods.Add(1)
	}
	v.doing = thinking
	v.tally.GracePeriods++
}

// mostCalls is how many functions of a worker may wait to be called.
const mostCalls = 100

// call has f called after a grace period.
func (v *rcuVictim) call(f func()) {
	v.calls++
	v.pipeline.call(func() {
		f()
		v.called.Add(1)
	})
}

// barrier waits until all functions were called.
func (v *rcuVictim) barrier() {
	v.doing = waitsForCallbacks
	v.domain.Barrier()
	v.doing = thinking
	if called := v.called.Load(); called != v.calls {
		v.bout.accuse("after a Barrier", fmt.Sprintf("%d functions called that were given to Call before it", v.calls), fmt.Sprint(called))
	}
}
