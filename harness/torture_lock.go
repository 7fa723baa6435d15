package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// What a lock may have beside [sync.Locker] and [RWLocker].
type (
	tryLocker      interface{ TryLock() bool }
	tryRLocker     interface{ TryRLock() bool }
	timeoutLocker  interface{ LockTimeout(time.Duration) bool }
	timeoutRLocker interface{ RLockTimeout(time.Duration) bool }
	contextLocker  interface{ LockContext(context.Context) error }
	contextRLocker interface {
		RLockContext(context.Context) error
	}
	downgrader interface{ Downgrade() } // from Lock to RLock, with nobody in between
)

// Lock tortures a lock. Its workers write and read two words that only exclusion
// keeps consistent, as those of [Run] do. They use what the lock has of TryLock,
// LockTimeout, LockContext, the same for reading, and Downgrade. Between bouts
// the lock must be free.
//
// The error is a [*BrokenError], a [*StuckError], both, what [Torture.Validate]
// says, or the cause of ctx; what was done so far is returned with each. See
// [Run] for what a StuckError leaves behind.
func (t Torture) Lock(ctx context.Context, s Subject) (Tortured, error) {
	done := Tortured{Name: s.Name}
	if err := errors.Join(t.Validate(), s.validate()); err != nil {
		return done, err
	}
	if s.Unlocked {
		return done, fmt.Errorf("lock %q: does not claim to exclude anybody, want one that does", s.Name)
	}
	machine.Lock()
	defer machine.Unlock()
	lock, neighbours := isolate(s.New)
	err := t.rounds(ctx, s, lock, &done, func(b *bout) error {
		b.neighbours = neighbours
		var victims []*victim
		for _, w := range b.workers {
			victims = append(victims, newVictim(b, w))
		}
		err := b.fight(ctx, &done, func(w *worker) { victims[w.id].live() })
		if stuck := (*StuckError)(nil); errors.As(err, &stuck) {
			return err // the tallies are still theirs
		}
		for _, v := range victims {
			v.tally.Reads, v.tally.Writes = v.read, v.written
			done.add(v.tally)
		}
		return errors.Join(b.verify(), b.mustBeFree(), err)
	})
	return done, err
}

// mustBeFree checks that the lock lets one in, now that all workers have gone.
func (b *bout) mustBeFree() error {
	lock := b.lock
	if l, ok := lock.(interface{ Worker() sync.Locker }); ok {
		lock = l.Worker()
	}
	l, ok := lock.(tryLocker)
	if !ok || b.condemned.Load() != nil {
		return nil
	}
	if !l.TryLock() {
		broken := &BrokenError{
			Lock: b.Name,
			When: fmt.Sprintf("TryLock of the free lock, after bout %d", b.number),
			Want: "true",
			Have: "false",
		}
		if l, ok := b.lock.(fmt.Stringer); ok {
			broken.Have += ", state: " + l.String()
		}
		return broken
	}
	lock.Unlock()
	return nil
}

// A victim is a worker under torture.
type victim struct {
	*worker
	bout  *bout
	tally Tally
	now   act
}

func newVictim(b *bout, w *worker) *victim {
	v := &victim{worker: w, bout: b}
	w.pins = b.pins()
	w.hold, w.dawdle = 1, func() { v.dwell(v.now) }
	return v
}

func (v *victim) live() {
	v.bout.live(v.worker, &v.tally.Births, v.do)
}

// do acquires the lock, and holds it.
func (v *victim) do(a act) {
	v.now = a
	if a.reads && v.seq != nil {
		v.readAgain()
		return
	}
	a.reads = a.reads && v.rw != nil
	if a.reads {
		v.doing = waitsToRead
	} else {
		v.doing = waitsToWrite
	}
	acquired := v.acquire(a)
	if !acquired {
		v.doing = thinking
		return
	}
	if a.long() {
		v.tally.Long++
	}
	if a.reads {
		v.stayReading(a)
	} else {
		v.stayWriting(a)
	}
	v.doing = thinking
}

// acquire acquires the lock and reports whether it did. What the lock does not
// have becomes a plain wait.
func (v *victim) acquire(a act) bool {
	switch a.way {
	case tries:
		if try := v.try(a.reads); try != nil {
			return v.noted(try(), &v.tally.Refused)
		}
	case waitsForAWhile:
		if a.reads {
			if l, ok := v.lock.(timeoutRLocker); ok {
				return v.noted(l.RLockTimeout(a.patience), &v.tally.TimedOut)
			}
		} else if l, ok := v.lock.(timeoutLocker); ok {
			return v.noted(l.LockTimeout(a.patience), &v.tally.TimedOut)
		}
	case waitsWithContext:
		if lock := v.withContext(a.reads); lock != nil {
			return v.waitsFor(v.bout.storm.Load(), lock)
		}
	case hasNoTime:
		if lock := v.withContext(a.reads); lock != nil {
			return v.waitsFor(over, lock)
		}
	}
	if a.reads {
		v.rw.RLock()
	} else {
		v.lock.Lock()
	}
	return true
}

// over is a context that is.
var over = func() context.Context {
	s := newStorm()
	s.cancel()
	return s
}()

// noted counts what was not ok.
func (v *victim) noted(ok bool, otherwise *uint64) bool {
	if !ok {
		*otherwise++
	}
	return ok
}

// try returns the method that tries, or nil.
func (v *victim) try(reads bool) func() bool {
	if reads {
		if l, ok := v.lock.(tryRLocker); ok {
			return l.TryRLock
		}
		return nil
	}
	if l, ok := v.lock.(tryLocker); ok {
		return l.TryLock
	}
	return nil
}

// withContext returns the method that waits with a context, or nil.
func (v *victim) withContext(reads bool) func(context.Context) error {
	if reads {
		if l, ok := v.lock.(contextRLocker); ok {
			return l.RLockContext
		}
		return nil
	}
	if l, ok := v.lock.(contextLocker); ok {
		return l.LockContext
	}
	return nil
}

// waitsFor acquires with a context. It fails for no other reason than that.
func (v *victim) waitsFor(ctx context.Context, lock func(context.Context) error) bool {
	err := lock(ctx)
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Cause(ctx))) {
		v.bout.accuse("waiting with a context", fmt.Sprintf("the lock, or the context's cause, %v", context.Cause(ctx)), err.Error())
	}
	return v.noted(err == nil, &v.tally.Cancelled)
}

// stayReading is a read section, and its end.
func (v *victim) stayReading(a act) {
	if a.tries {
		v.mustRefuse(triesToWrite, "TryLock of the lock held for reading", v.lock.Unlock)
	}
	v.doing = reading
	v.readInside()
	v.rw.RUnlock()
	v.read++
}

func (v *victim) readInside() {
	n := v.section.enter()
	v.section.check(v.worker, n)
	v.stay()
	v.section.check(v.worker, n)
}

// stayWriting is a write section, and its end.
func (v *victim) stayWriting(a act) {
	if a.tries {
		v.mustRefuse(triesToWrite, "TryLock of the held lock", v.lock.Unlock)
		if v.rw != nil {
			v.mustRefuse(triesToRead, "TryRLock of the lock held for writing", v.rw.RUnlock)
		}
	}
	v.doing = writing
	if v.openSection != nil {
		v.openSection.write(v.worker)
		v.written++
		v.lock.Unlock()
		return
	}
	n := v.section.enter()
	v.section.check(v.worker, n)
	v.section.beginWrite(n)
	v.stay()
	v.mustHaveWritten(n + 1)
	v.section.endWrite(v.worker, n)
	v.written++
	l, ok := v.lock.(downgrader)
	if !a.downgrade || !ok || v.rw == nil {
		v.lock.Unlock()
		return
	}
	l.Downgrade()
	v.tally.Downgrades++
	v.doing = reading
	v.mustHaveWritten(n + 1) // as the last
	v.readInside()
	v.rw.RUnlock()
}

// mustHaveWritten checks that the count is what v made it.
func (v *victim) mustHaveWritten(count uint64) {
	if n := v.section.enter(); n != count {
		v.sawTorn(n, ^count)
	}
}

// readAgain is a read that retries. A reader dawdles in its first try: in each,
// it would never end.
func (v *victim) readAgain() {
	for first := true; ; first = false {
		v.doing = beginning
		seq := v.seq.Begin()
		v.doing = looking
		n := v.openSection.count.Load()
		if first {
			v.stay()
		}
		mirror := v.openSection.mirror.Load()
		if !v.seq.Retry(seq) {
			v.openSection.check(v.worker, n, mirror)
			break
		}
		v.tally.Refused++
	}
	v.doing = thinking
	v.read++
}

// mustRefuse has a worker try to get past itself. If it does, that ends the
// bout; what it got is released if preemption would stay off.
func (v *victim) mustRefuse(doing uint32, what string, release func()) {
	try := v.try(doing == triesToRead)
	if try == nil {
		return
	}
	v.doing = doing
	if !try() {
		return
	}
	v.bout.accuse(what, "false", "true")
	if v.pins {
		release()
	}
}
