package harness

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// preflight checks a fresh lock, so that one that excludes nobody is found
// even where workers never meet, such as on one CPU.
func preflight(ctx context.Context, s Scenario) error {
	if s.Unlocked {
		return nil
	}
	forms := []struct {
		new  func() sync.Locker
		pins bool
	}{{s.New, s.Pins}}
	if s.Mode == Pinned {
		forms = append(forms, struct {
			new  func() sync.Locker
			pins bool
		}{s.Subject.Pinned, true})
	}
	for _, form := range forms {
		if err := try(ctx, s, form.new()); err != nil {
			return err
		}
		if form.pins && s.CPUs == 1 {
			continue // nobody can come while one is inside
		}
		if err := meet(ctx, s, form.new(), form.pins); err != nil {
			return err
		}
	}
	return nil
}

// try has one worker try to get past itself.
func try(ctx context.Context, s Scenario, lock sync.Locker) error {
	r := newRun(s, lock, 1)
	if err := r.checkIn((*worker).try); err != nil {
		return err
	}
	if err := r.release(ctx); err != nil {
		return err
	}
	return r.verify()
}

func (w *worker) try() {
	excludes := func(what string, try func() bool, undo func()) {
		if try() {
			w.broken = &BrokenError{Lock: w.run.Name, When: what, Want: "false", Have: "true"}
			undo()
		}
	}
	l, _ := w.lock.(interface{ TryLock() bool })
	rl, _ := w.lock.(interface{ TryRLock() bool })

	w.doing = waitsToWrite
	w.lock.Lock()
	w.doing = writing
	if l != nil {
		excludes("TryLock of the held lock", l.TryLock, w.lock.Unlock)
	}
	if rl != nil && w.rw != nil {
		excludes("TryRLock of the lock held for writing", rl.TryRLock, w.rw.RUnlock)
	}
	w.lock.Unlock()
	if w.rw == nil {
		return
	}
	w.doing = waitsToRead
	w.rw.RLock()
	w.doing = reading
	if l != nil {
		excludes("TryLock of the lock held for reading", l.TryLock, w.lock.Unlock)
	}
	w.rw.RUnlock()
}

const (
	preflightWorkers = 3
	preflightRounds  = 8
)

// meet has a few workers dawdle inside, each until another has come to the
// lock and would be inside as well if it were let in.
func meet(ctx context.Context, s Scenario, lock sync.Locker, pins bool) error {
	r := newRun(s, lock, preflightWorkers)
	for _, w := range r.workers {
		w.hold, w.dawdle = 1, w.yield
		if pins {
			w.dawdle = w.linger
		}
	}
	if err := r.checkIn((*worker).meet); err != nil {
		return err
	}
	if err := r.release(ctx); err != nil {
		return err
	}
	return r.verify()
}

// meet writes, and every other time reads if there are readers.
func (w *worker) meet() {
	for round := range preflightRounds {
		if phase(w.run.word.Load()) >= stopping {
			return
		}
		w.run.present.Add(1)
		if w.rw != nil && (round+w.id)%2 == 1 {
			w.doing = waitsToRead
			w.rw.RLock()
			w.doing = reading
			n := w.section.enter()
			if w.hold != 0 {
				w.stay()
			}
			w.section.check(w, n)
			w.rw.RUnlock()
			w.read++
		} else {
			w.doing = waitsToWrite
			w.lock.Lock()
			w.doing = writing
			n := w.section.enter()
			w.section.check(w, n)
			w.section.beginWrite(n)
			if w.hold != 0 {
				w.stay()
			}
			w.section.endWrite(w, n)
			w.lock.Unlock()
			w.written++
		}
		w.doing = thinking
		w.run.present.Add(-1)
	}
}

// yield lets the others run until one of them is at the lock, and then some.
func (w *worker) yield() {
	for range 1000 {
		if w.run.present.Load() > 1 || w.run.left.Load() == 1 {
			break
		}
		runtime.Gosched()
	}
	for range 3 {
		runtime.Gosched()
	}
}

// linger is yield with preemption off.
func (w *worker) linger() {
	const toCome, toEnter = 20 * time.Microsecond, time.Microsecond
	until := primitives.Nanotime() + int64(toCome)
	for w.run.present.Load() == 1 && primitives.Nanotime() < until {
	}
	until = primitives.Nanotime() + int64(toEnter)
	for primitives.Nanotime() < until {
	}
}
