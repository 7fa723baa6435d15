package harness

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// preflight checks a fresh lock, so that a lock that does not exclude is found even
// where workers never meet, such as on one CPU.
func preflight(ctx context.Context, s Scenario) error {
	if s.Unlocked || s.isTable() { // it excludes no worker, and does not claim to
		return nil
	}
	if s.Workload.Permits != nil {
		if err := s.preflightPermits(ctx); err != nil {
			return err
		}
	}
	s.Workload = Workload{} // the bare section can be looked at when it is half-written
	s.Trace = nil           // nothing is measured
	type form struct {
		new  func() sync.Locker
		pins bool
	}
	forms := []form{{s.New, s.Pins}}
	if s.Mode == Pinned {
		forms = append(forms, form{s.Subject.Pinned, true})
	}
	for _, form := range forms {
		r := newRun(s, unmeasured(form.new), 1)
		r.workers[0].pins = form.pins
		if err := r.fly(ctx, (*worker).try); err != nil {
			return err
		}
		if form.pins && s.CPUs == 1 {
			continue // no worker can come while one is inside
		}
		r = newRun(s, unmeasured(form.new), preflightWorkers)
		for _, w := range r.workers {
			w.hold, w.dawdle, w.outlast = 1, w.yield, w.yieldAndOutlast
			if form.pins {
				w.dawdle, w.outlast = w.linger, w.lingerAndOutlast
			}
			switch {
			case w.rcu == nil:
			case !s.PinsReaders:
				w.outlast = w.yieldAndOutlast
			case s.CPUs > 1:
				w.outlast = w.lingerAndOutlast
			default:
				w.outlast = func() {} // no updater can come while a reader is inside
			}
		}
		if err := r.fly(ctx, (*worker).meet); err != nil {
			return err
		}
	}
	return nil
}

// unmeasured returns a new lock for a run that is not measured. Under an engine, in which
// what was before decides what comes next, it must lie as it did in the last run, too.
func unmeasured(fresh func() sync.Locker) sync.Locker {
	if !primitives.Virtual() {
		return fresh()
	}
	lock, _ := isolate(fresh)
	return lock
}

// preflightPermits checks that a fresh semaphore lets in as many as it should,
// and no more.
func (s Scenario) preflightPermits(ctx context.Context) error {
	s.Workload = Workload{}
	fresh := func(workers int, body func(*worker)) error {
		r := newRun(s, unmeasured(func() sync.Locker { return s.Counting(preflightPermits) }), workers)
		return r.fly(ctx, body)
	}
	if err := fresh(1, (*worker).tryPermits); err != nil {
		return err
	}
	return fresh(2*preflightPermits, (*worker).share)
}

const preflightPermits = 3

// tryPermits has a worker take all permits, and then try for one more.
func (w *worker) tryPermits() {
	l, _ := w.lock.(interface{ TryLock() bool })
	for range preflightPermits {
		w.doing = waitsToWrite
		w.lock.Lock()
	}
	w.doing = triesToWrite
	if l != nil && l.TryLock() {
		w.gotPast(fmt.Sprintf("TryLock of a semaphore with %d of %d permits out", preflightPermits, preflightPermits))
		return
	}
	w.doing = writing
	for range preflightPermits {
		w.lock.Unlock()
	}
}

// In share, workers dawdle inside, each until all permits are out.
func (w *worker) share() {
	for range preflightRounds {
		w.doing = waitsToWrite
		w.lock.Lock()
		w.doing = writing
		if in := w.run.present.Add(1); in > preflightPermits {
			w.broken = &BrokenError{
				Lock: w.run.Name,
				When: fmt.Sprintf("inside, with one of %d permits", preflightPermits),
				Want: fmt.Sprintf("at most %d workers", preflightPermits),
				Have: fmt.Sprint(in),
			}
		}
		for range preflightRounds {
			if w.run.present.Load() >= preflightPermits || w.run.alone() {
				break
			}
			primitives.Yield()
		}
		primitives.Yield()
		w.run.present.Add(-1)
		w.lock.Unlock()
		w.doing = thinking
	}
}

// fly is one run of the preflight, which is verified but not measured.
func (r *run) fly(ctx context.Context, body func(*worker)) error {
	if err := r.checkIn(body); err != nil {
		return err
	}
	if err := r.release(ctx); err != nil {
		return err
	}
	return r.verify()
}

// try checks that a worker cannot acquire the lock that it holds itself.
func (w *worker) try() {
	l, _ := w.lock.(interface{ TryLock() bool })
	rl, _ := w.lock.(interface{ TryRLock() bool })

	w.doing = waitsToWrite
	w.lock.Lock()
	w.doing = triesToWrite
	if l != nil && l.TryLock() {
		w.gotPast("TryLock of the held lock", w.lock.Unlock, w.lock.Unlock)
		return
	}
	w.doing = triesToRead
	if rl != nil && w.rw != nil && rl.TryRLock() {
		w.gotPast("TryRLock of the lock held for writing", w.rw.RUnlock, w.lock.Unlock)
		return
	}
	w.endWrite()
	if w.rw != nil {
		w.doing = waitsToRead
		w.rw.RLock()
		w.doing = triesToWrite
		if l != nil && l.TryLock() {
			w.gotPast("TryLock of the lock held for reading", w.lock.Unlock, w.rw.RUnlock)
			return
		}
		w.doing = reading
		w.rw.RUnlock()
		w.read++
	}
	w.doing = waitsToWrite
	w.lock.Lock() // was it released?
	w.endWrite()
}

// gotPast notes that a try succeeded that should have failed. The lock cannot be used
// any more, so it is released only where the goroutine must not end while it holds it.
func (w *worker) gotPast(what string, release ...func()) {
	w.broken = &BrokenError{Lock: w.run.Name, When: what, Want: "false", Have: "true"}
	if w.pins {
		for _, f := range release {
			f()
		}
	}
}

const (
	preflightWorkers = 3
	preflightRounds  = 8
)

// In meet, each worker dawdles inside until another has come to the lock and would be
// inside as well if the lock did not exclude it. Workers write, or, if there are
// readers, read and write in turn.
func (w *worker) meet() {
	for round := range preflightRounds {
		if phase(w.run.word.Load()) >= stopping {
			return
		}
		w.run.present.Add(1)
		reads := (round+w.id)%2 == 1 && (w.rw != nil || w.seq != nil || w.rcu != nil)
		w.operate(reads, false)
		if reads && w.rcu != nil {
			w.rcu.Quiescent()
		}
		w.run.present.Add(-1)
	}
}

// yield lets the others run until one of them is at the lock, and then some.
func (w *worker) yield() {
	for range 1000 {
		if w.run.present.Load() > 1 || w.run.alone() {
			break
		}
		primitives.Yield()
	}
	for range 3 {
		primitives.Yield()
	}
}

const (
	toCome  = 50 * time.Microsecond
	toEnter = time.Microsecond
)

// linger is yield with preemption off.
func (w *worker) linger() {
	until := primitives.Nanotime() + int64(toCome)
	for w.run.present.Load() == 1 && !w.run.alone() && primitives.Nanotime() < until {
	}
	primitives.Busy(toEnter)
}

// A reader that holds nothing does not keep a writer waiting. So in one kind of read it
// dawdles until a writer has written since it looked; in the other it does not dawdle,
// and is done before a writer that dawdles.
//
// A reader in a read-side critical section then dawdles for as long as an updater that
// does not wait takes to spoil the version that the reader has.

const (
	toWrite = 100 // yields, after which the reader does not wait for a writer any longer
	toSpoil = 20  // yields
)

// lastWrite returns a number that changes when a writer has written.
func (w *worker) lastWrite() uint64 {
	if w.copySection != nil {
		return w.copySection.current.Load().value.count.Get()
	}
	return w.openSection.mirror.Load()
}

func (w *worker) yieldAndOutlast() {
	before := w.lastWrite()
	for n := 0; n < toWrite && w.lastWrite() == before && !w.run.alone(); n++ {
		primitives.Yield()
	}
	if w.copySection != nil {
		for range toSpoil {
			primitives.Yield()
		}
	}
}

// lingerAndOutlast is yieldAndOutlast with preemption off.
func (w *worker) lingerAndOutlast() {
	before := w.lastWrite()
	until := primitives.Nanotime() + int64(toCome)
	for w.lastWrite() == before && !w.run.alone() && primitives.Nanotime() < until {
	}
	if w.copySection != nil {
		primitives.Busy(toEnter)
	}
}
