package harness

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What a lock may have in addition to [sync.Locker] and [RWLocker].
type (
	tryLocker      interface{ TryLock() bool }
	tryRLocker     interface{ TryRLock() bool }
	timeoutLocker  interface{ LockTimeout(time.Duration) bool }
	timeoutRLocker interface{ RLockTimeout(time.Duration) bool }
	contextLocker  interface{ LockContext(context.Context) error }
	contextRLocker interface {
		RLockContext(context.Context) error
	}
	downgrader interface{ Downgrade() } // from Lock to RLock, without a writer in between
)

// RunLock tortures a lock. Its workers write and read two words that only exclusion keeps
// consistent, as those of [Run] do. They use TryLock, LockTimeout, LockContext, the
// same for reading, and Downgrade, where the lock has them. Between rounds the lock
// must be free.
//
// The error is a [*BrokenError], a [*StuckError], both, what [Torture.Validate] says,
// or the cause of ctx; the results so far are returned with each. See [Run] for what a
// StuckError leaves behind.
func (t Torture) RunLock(ctx context.Context, s Subject) (Tortured, error) {
	done := Tortured{Name: s.Name}
	if err := errors.Join(t.Validate(), s.validate()); err != nil {
		return done, err
	}
	if s.Unlocked {
		return done, fmt.Errorf("lock %q: does not claim to exclude, want one that does", s.Name)
	}
	machine.Lock()
	defer machine.Unlock()
	lock, neighbours := isolate(s.New)
	err := t.rounds(ctx, s, lock, &done, func(r *round) error {
		r.neighbours = neighbours
		var workers []*lockWorker
		for _, w := range r.workers {
			workers = append(workers, newLockWorker(r, w))
		}
		err := r.torture(ctx, &done, func(w *worker) { workers[w.id].loop() })
		if stuck := (*StuckError)(nil); errors.As(err, &stuck) {
			return err // the tallies are still theirs
		}
		for _, w := range workers {
			w.tally.Reads, w.tally.Writes = w.read, w.written
			done.add(w.tally)
		}
		return errors.Join(r.verify(), r.mustBeFree(), err)
	})
	return done, err
}

// mustBeFree checks that TryLock succeeds, now that all workers have returned.
func (r *round) mustBeFree() error {
	lock := viewOf(r.lock)
	l, ok := lock.(tryLocker)
	if !ok || r.failed.Load() != nil {
		return nil
	}
	if !l.TryLock() {
		broken := &BrokenError{
			Lock: r.Name,
			When: fmt.Sprintf("TryLock of the free lock, after round %d", r.number),
			Want: "true",
			Have: "false",
		}
		if l, ok := r.lock.(fmt.Stringer); ok {
			broken.Have += ", state: " + l.String()
		}
		return broken
	}
	lock.Unlock()
	return nil
}

// A lockWorker is a worker of a round that uses a lock.
type lockWorker struct {
	*worker
	round *round
	tally Tally
	now   act
}

func newLockWorker(r *round, w *worker) *lockWorker {
	l := &lockWorker{worker: w, round: r}
	w.pins = r.pins()
	w.hold, w.dawdle = 1, func() { l.dwell(l.now) }
	return l
}

func (w *lockWorker) loop() {
	w.round.loop(w.worker, &w.tally.Starts, w.do)
}

// do acquires the lock, holds it, and releases it.
func (w *lockWorker) do(a act) {
	w.now = a
	if a.reads && w.seq != nil {
		w.readAgain()
		return
	}
	a.reads = a.reads && w.rw != nil
	if a.reads {
		w.doing = waitsToRead
	} else {
		w.doing = waitsToWrite
	}
	acquired := w.acquire(a)
	if !acquired {
		w.doing = thinking
		return
	}
	if a.long() {
		w.tally.Long++
	}
	if a.reads {
		w.stayReading(a)
	} else {
		w.stayWriting(a)
	}
	w.doing = thinking
}

// acquire acquires the lock and reports whether it did. It waits by Lock or RLock if
// the lock lacks the method that a asks for.
func (w *lockWorker) acquire(a act) bool {
	switch a.way {
	case tries:
		if try := w.try(a.reads); try != nil {
			return w.noted(try(), &w.tally.Refused)
		}
	case waitsForAWhile:
		if a.reads {
			if l, ok := w.lock.(timeoutRLocker); ok {
				return w.noted(l.RLockTimeout(a.patience), &w.tally.TimedOut)
			}
		} else if l, ok := w.lock.(timeoutLocker); ok {
			return w.noted(l.LockTimeout(a.patience), &w.tally.TimedOut)
		}
	case waitsWithContext:
		if lock := w.withContext(a.reads); lock != nil {
			return w.waitsFor(w.round.shared.Load(), lock)
		}
	case hasNoTime:
		if lock := w.withContext(a.reads); lock != nil {
			return w.waitsFor(over, lock)
		}
	}
	if a.reads {
		w.rw.RLock()
	} else {
		w.lock.Lock()
	}
	return true
}

// over is a context that is done.
var over = func() context.Context {
	s := newSharedContext()
	s.cancel()
	return s
}()

// noted counts a failure, and returns ok.
func (w *lockWorker) noted(ok bool, otherwise *uint64) bool {
	if !ok {
		*otherwise++
	}
	return ok
}

// try returns the method that tries, or nil.
func (w *lockWorker) try(reads bool) func() bool {
	if reads {
		if l, ok := w.lock.(tryRLocker); ok {
			return l.TryRLock
		}
		return nil
	}
	if l, ok := w.lock.(tryLocker); ok {
		return l.TryLock
	}
	return nil
}

// withContext returns the method that waits with a context, or nil.
func (w *lockWorker) withContext(reads bool) func(context.Context) error {
	if reads {
		if l, ok := w.lock.(contextRLocker); ok {
			return l.RLockContext
		}
		return nil
	}
	if l, ok := w.lock.(contextLocker); ok {
		return l.LockContext
	}
	return nil
}

// waitsFor acquires the lock with a context. It checks that this fails only if the
// context is done.
func (w *lockWorker) waitsFor(ctx context.Context, lock func(context.Context) error) bool {
	err := lock(ctx)
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Cause(ctx))) {
		w.round.fail("waiting with a context", fmt.Sprintf("the lock, or the context's cause, %v", context.Cause(ctx)), err.Error())
	}
	return w.noted(err == nil, &w.tally.Cancelled)
}

// stayReading is a read section and its RUnlock.
func (w *lockWorker) stayReading(a act) {
	if a.tries {
		w.mustRefuse(triesToWrite, "TryLock of the lock held for reading", w.lock.Unlock)
	}
	w.doing = reading
	w.readInside()
	w.rw.RUnlock()
	w.read++
}

func (w *lockWorker) readInside() {
	n := w.section.enter()
	w.section.check(w.worker, n)
	w.stay()
	w.section.check(w.worker, n)
}

// stayWriting is a write section and its Unlock.
func (w *lockWorker) stayWriting(a act) {
	if a.tries {
		w.mustRefuse(triesToWrite, "TryLock of the held lock", w.lock.Unlock)
		if w.rw != nil {
			w.mustRefuse(triesToRead, "TryRLock of the lock held for writing", w.rw.RUnlock)
		}
	}
	w.doing = writing
	if w.openSection != nil {
		w.openSection.write(w.worker)
		w.written++
		w.lock.Unlock()
		return
	}
	n := w.section.enter()
	w.section.check(w.worker, n)
	w.section.beginWrite(n)
	w.stay()
	w.mustHaveWritten(n + 1)
	w.section.endWrite(w.worker, n)
	w.written++
	l, ok := w.lock.(downgrader)
	if !a.downgrade || !ok || w.rw == nil {
		w.lock.Unlock()
		return
	}
	l.Downgrade()
	w.tally.Downgrades++
	w.doing = reading
	w.mustHaveWritten(n + 1) // no other writer has written since
	w.readInside()
	w.rw.RUnlock()
}

// mustHaveWritten checks that the count is the one that the worker wrote.
func (w *lockWorker) mustHaveWritten(count uint64) {
	if n := w.section.enter(); n != count {
		w.sawTorn(n, ^count)
	}
}

// readAgain is a read that retries. The reader dawdles only in its first try: if it
// dawdled in each, it might never end.
func (w *lockWorker) readAgain() {
	for first := true; ; first = false {
		w.doing = beginning
		seq := w.seq.Begin()
		w.doing = looking
		n := w.openSection.count.Load()
		if first {
			w.stay()
		}
		mirror := w.openSection.mirror.Load()
		if !w.seq.Retry(seq) {
			w.openSection.check(w.worker, n, mirror)
			break
		}
		w.tally.Refused++
	}
	w.doing = thinking
	w.read++
}

// mustRefuse checks that a worker cannot acquire the lock that it holds itself. If it
// can, the round is over; it releases what it acquired if preemption would stay off
// otherwise.
func (w *lockWorker) mustRefuse(doing uint32, what string, release func()) {
	try := w.try(doing == triesToRead)
	if try == nil {
		return
	}
	w.doing = doing
	if !try() {
		return
	}
	w.round.fail(what, "false", "true")
	if w.pins {
		release()
	}
}
