package blocking

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// An RWSem is a reader-writer lock whose waiters spin for a moment and then
// park, like the kernel's rw_semaphore (Linux kernel/locking/rwsem.c), which guards each
// process's memory map. Up to [MaxReaders] readers can hold it, or one writer. It has 40
// bytes. The zero RWSem is unlocked. An RWSem must not be copied after first use.
//
// The waiters in line are served in the order of arrival, all readers up to the
// next writer at once. A goroutine that finds a line gets in line, so readers
// that keep coming cannot starve a writer. A reader must not acquire the lock
// that it holds again: a writer may have got in line in between.
// Only a writer that comes between a release and the releaser's look at the line
// can overtake the line, and only once before the first in line is served.
//
// It has no owner: one goroutine may lock it and another unlock it. To see where
// it was acquired, use [RWSem.NoteOwner].
//
// The n'th call to [RWSem.Unlock] synchronizes before the return of the m'th
// call to [RWSem.Lock], for n < m. For each call to [RWSem.RLock] there is an n
// such that the n'th call to Unlock, or the Downgrade of that writer,
// synchronizes before its return, and its RUnlock synchronizes before the
// return of the n+1'th call to Lock. A failed call synchronizes nothing.
type RWSem struct {
	// word is the kernel's count, bit by bit:
	//
	//	bit  0      writer    a writer holds the lock
	//	bit  1      waiting   the line is not empty
	//	bit  2      handoff   the first in line was overtaken, and will not be
	//	                      again
	//	bit  3      noting    each acquisition notes where it was made; see NoteOwner
	//	bits 8-62   readers   how many hold the lock, or are about to see that
	//	                      they cannot
	//	bit  62     full      there are more than MaxReaders of them
	//	bit  63     broken    more readers left than came
	//
	// As (readers, handoff, waiting, writer), * for any value; noting stays as it
	// is:
	//
	//	r,h,w,x -> r+1,h,w,x  RLock; the lock is held if h, w and x are 0
	//	r,h,w,x -> r-1,h,w,x  RUnlock, or an RLock that found it closed
	//	0,0,0,0 -> 0,0,0,1    Lock
	//	0,0,1,0 -> 0,1,1,1    Lock that overtakes those in line
	//	r,*,*,1 -> r,*,*,0    Unlock
	//	r,*,*,1 -> r+1,*,*,0  Downgrade
	//	*,0,0,* -> *,0,1,*    get in line
	//	0,*,1,0 -> 0,0,*,1    the writer that is first in line is served
	//	r,*,1,0 -> r+n,0,*,0  the n readers that are first in line are served
	//
	// I1: a reader that counts itself while a writer holds the lock, or before,
	// holds the lock once that writer is gone: no other writer comes in before the
	// reader has left.
	// I2: while line's lock is free, waiting says whether line has a waiter, and
	// handoff is set only if it has.
	// I3: if a waiter is in line that could have the lock, then the goroutine that
	// left last is on its way to line's lock to serve it.
	// I4: a reader that finds full set, its own count among them, counts out again
	// and panics. So readers never reach broken: that takes 2⁵⁴ more counts, and
	// each reader that has not counted out yet is a goroutine.
	word primitives.Uint64

	// owner is where the lock was last acquired while noting was set.
	owner primitives.Pointer[string]

	line waitList // want is forReading or forWriting
}

const (
	rwWriter  = 1 << 0
	rwWaiting = 1 << 1
	rwHandoff = 1 << 2
	rwNoting  = 1 << 3
	rwReader  = 1 << 8
	rwFull    = 1 << 62
	rwBroken  = 1 << 63

	rwReaderGone = 1<<64 - rwReader // adds -rwReader
	rwWriterGone = 1<<64 - rwWriter

	rwReaders = rwBroken - rwReader                                  // mask
	rwClosed  = rwWriter | rwWaiting | rwHandoff | rwFull | rwBroken // to readers
)

// MaxReaders is how many readers can hold an [RWSem]. One more RLock panics, and
// changes nothing.
const MaxReaders = rwFull/rwReader - 1

const (
	forReading = iota
	forWriting
)

// RLock locks s for reading, waiting until no writer holds it or waits for it. Like
// each form of it that waits, it panics if [MaxReaders] readers hold s.
func (s *RWSem) RLock() {
	if s.word.Add(rwReader)&(rwClosed|rwNoting) != 0 { // acquire: pairs with Unlock and Downgrade
		s.rlock(patience{}) // outlined so that RLock inlines
	}
}

// TryRLock tries to lock s for reading without waiting and reports whether it
// succeeded. It fails if a waiter is in line.
func (s *RWSem) TryRLock() bool {
	for {
		w := s.word.Load()
		if w&rwClosed != 0 || w&rwReaders == MaxReaders*rwReader {
			return false
		}
		if s.word.CompareAndSwap(w, w+rwReader) { // acquire: pairs with Unlock and Downgrade
			s.note(w)
			return true
		}
	}
}

// RLockContext locks s for reading unless ctx is done first. In that case it
// returns the context's cause, wrapped, and s is not acquired. If ctx ends before
// the release that would let it in, it returns the cause; if s was granted to it
// meanwhile, it releases s.
func (s *RWSem) RLockContext(ctx context.Context) error {
	var err error
	if ctx.Err() != nil { // takes half the time of Cause
		err = context.Cause(ctx)
	}
	if err == nil && !s.TryRLock() {
		err = s.arrive(within(ctx))
	}
	if err == nil && ctx.Err() != nil {
		err = patience{ctx: ctx}.keep(s.RUnlock)
	}
	if err != nil {
		return fmt.Errorf("blocking: waiting to read under RWSem: %w", err)
	}
	return nil
}

// RLockTimeout locks s for reading unless that takes longer than d, and
// reports whether it succeeded. If d is not positive, it is TryRLock.
func (s *RWSem) RLockTimeout(d time.Duration) bool {
	return s.TryRLock() || waitFor(d, s.arrive, s.RUnlock)
}

// RUnlock undoes one RLock. It panics if no reader holds s.
func (s *RWSem) RUnlock() {
	if s.word.Add(rwReaderGone)&(rwWaiting|rwBroken) != 0 { // release: pairs with Lock
		s.runlock() // outlined so that RUnlock inlines
	}
}

// Lock locks s for writing, waiting until no reader and no other writer holds it.
func (s *RWSem) Lock() {
	if !s.word.CompareAndSwap(0, rwWriter) { // acquire: pairs with Unlock and RUnlock
		s.lock(patience{}) // outlined so that Lock inlines
	}
}

// TryLock tries to lock s for writing without waiting and reports whether it
// succeeded. It fails if a waiter is in line.
func (s *RWSem) TryLock() bool {
	return s.word.CompareAndSwap(0, rwWriter) || // acquire: pairs with Unlock and RUnlock
		s.steal(rwNoting)
}

// LockContext locks s for writing unless ctx is done first, as
// [RWSem.RLockContext] does. When it gives up, the waiters that it held up go on.
func (s *RWSem) LockContext(ctx context.Context) error {
	var err error
	if ctx.Err() != nil { // takes half the time of Cause
		err = context.Cause(ctx)
	}
	if err == nil && !s.TryLock() {
		err = s.lock(within(ctx))
	}
	if err == nil && ctx.Err() != nil {
		err = patience{ctx: ctx}.keep(s.Unlock)
	}
	if err != nil {
		return fmt.Errorf("blocking: waiting to write under RWSem: %w", err)
	}
	return nil
}

// LockTimeout locks s for writing unless that takes longer than d, and reports
// whether it succeeded. If d is not positive, it is TryLock.
func (s *RWSem) LockTimeout(d time.Duration) bool {
	return s.TryLock() || waitFor(d, s.lock, s.Unlock)
}

// Unlock unlocks s for writing. It panics if no writer holds s.
func (s *RWSem) Unlock() {
	if !s.word.CompareAndSwap(rwWriter, 0) { // release: pairs with Lock and RLock
		s.unlock() // outlined so that Unlock inlines
	}
}

// Downgrade turns the writer that holds s into a reader, with no other writer
// in between. Readers at the head of the line come in, too. It panics if no
// writer holds s.
func (s *RWSem) Downgrade() {
	if s.word.Load()&rwWriter == 0 {
		panic("blocking: Downgrade of RWSem that no writer holds")
	}
	if s.word.Add(rwReader-rwWriter)&rwWaiting != 0 { // release: pairs with RLock
		s.pass()
	}
}

// RLocker returns a Locker whose Lock and Unlock are s's RLock and RUnlock.
func (s *RWSem) RLocker() sync.Locker { return (*rwSemReader)(s) }

type rwSemReader RWSem

func (r *rwSemReader) Lock()   { (*RWSem)(r).RLock() }
func (r *rwSemReader) Unlock() { (*RWSem)(r).RUnlock() }

// arrive locks s for a reader that has found it closed. An error says why p ended.
func (s *RWSem) arrive(p patience) error {
	s.word.Add(rwReader)
	return s.rlock(p)
}

// rlock is arrive for a reader that has counted itself.
func (s *RWSem) rlock(p patience) error {
	var spin primitives.Spin
	for {
		w := s.word.Load()
		if w&rwClosed == 0 {
			s.note(w)
			return nil // by I1; acquire: pairs with Unlock and Downgrade
		}
		if w&(rwFull|rwBroken) == rwFull {
			s.RUnlock()
			panic(fmt.Sprintf("blocking: RLock of RWSem with %d readers", int64(MaxReaders)))
		}
		if w&rwWaiting != 0 || !p.spun(spin.Try()) {
			break
		}
	}
	s.RUnlock() // the reader counts itself out
	if err := p.ended(); err != nil {
		return err
	}
	primitives.GiveWay()
	if s.TryRLock() {
		return nil
	}
	return s.wait(forReading, p)
}

// runlock is the rest of RUnlock if waiters are in line or the word is broken.
func (s *RWSem) runlock() {
	w := s.word.Load()
	for ; w&rwBroken != 0; w = s.word.Load() {
		// If another goroutine undoes it, or a reader comes, the RUnlock too many was
		// that goroutine's, or is that reader's: an Add would count in a reader that
		// does not exist.
		if s.word.CompareAndSwap(w, w+rwReader) {
			s.pass() // for the goroutines that found the word broken and served no waiter
			panic("blocking: RUnlock of RWSem that no reader holds")
		}
	}
	if w&(rwReaders|rwWriter) == 0 {
		s.pass()
	}
}

// lock locks s for a writer that found it held, or a line. An error says why p
// ended.
func (s *RWSem) lock(p patience) error {
	var spin primitives.Spin
	for {
		if s.steal(rwNoting | rwWaiting) {
			return nil
		}
		if s.word.Load()&rwHandoff != 0 || !p.spun(spin.Try()) {
			break
		}
	}
	if err := p.ended(); err != nil {
		return err
	}
	primitives.GiveWay()
	if s.steal(rwNoting | rwWaiting) {
		return nil
	}
	return s.wait(forWriting, p)
}

// steal locks s for a writer if no other bits than the allowed ones are set.
// If waiting is allowed the writer may overtake the line; it is then the last
// that does so before the first in line is served.
func (s *RWSem) steal(allowed uint64) bool {
	w := s.word.Load()
	taken := w | rwWriter
	if w&rwWaiting != 0 {
		taken |= rwHandoff
	}
	if w&^allowed != 0 || !s.word.CompareAndSwap(w, taken) { // acquire: pairs with Unlock and RUnlock
		return false
	}
	s.note(w)
	return true
}

// unlock unlocks s for a writer that is not alone with it.
func (s *RWSem) unlock() {
	if s.word.Load()&rwWriter == 0 {
		panic("blocking: Unlock of RWSem that no writer holds")
	}
	if s.word.Add(rwWriterGone)&rwWaiting != 0 { // release: pairs with Lock and RLock
		s.pass()
	}
}

// wait gets in line and waits until it is served. Its callers call GiveWay first:
// without that a line would stay long when goroutines outnumber CPUs, because the
// served ones come back before the others have run.
func (s *RWSem) wait(what int64, p patience) error {
	me := newWaiter(what)
	s.line.lock.LockPinned()
	s.line.push(me)
	s.word.Or(rwWaiting)
	served := s.serve() // the lock may have been released meanwhile
	s.line.lock.UnlockPinned()
	served.wake()

	served = cohort{}
	err := s.line.wait(me, p, func() { served = s.serve() }) // those behind me
	served.wake()
	if err == nil {
		s.note(s.word.Load())
	}
	return err
}

// pass serves the waiters in line.
func (s *RWSem) pass() {
	s.line.lock.LockPinned()
	served := s.serve()
	s.line.lock.UnlockPinned()
	served.wake()
}

// serve gives the lock to the first in line if that waiter can have it. If it is
// a reader, all readers before the next writer get the lock. serve restores I2.
// The caller holds line's lock.
func (s *RWSem) serve() (served cohort) {
	first := s.line.first
	if first == nil {
		s.word.And(^uint64(rwWaiting | rwHandoff))
		return
	}
	blockers, add, next := uint64(rwWriter|rwReaders), uint64(rwWriter), first.next
	if first.want == forReading {
		blockers, add = rwWriter|rwBroken, rwReader
		for ; next != nil && next.want == forReading; next = next.next {
			add += rwReader
		}
	}
	sub := uint64(0)
	if next == nil {
		sub = rwWaiting // all are served
	}
	for {
		w := s.word.Load()
		if w&blockers != 0 {
			return // the holder sees waiting when it leaves, or calls pass before it panics
		}
		if s.word.CompareAndSwap(w, (w+add)&^(sub|rwHandoff)) { // acquire: pairs with Unlock and RUnlock
			break
		}
	}
	for s.line.first != next {
		served.grant(&s.line, s.line.first)
	}
	return served
}
