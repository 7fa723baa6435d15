package blocking

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Semaphore is a number of permits. Down takes one, waiting until one is
// free, and Up gives one back; others take and give several at a time. With
// one permit in all it is a binary semaphore.
//
// A permit has no owner: one goroutine may take it and another give it back.
// Only the sum counts: an Up of more permits than are out panics.
//
// It serves the waiters in line in the order of arrival. A request for many
// permits is not overtaken by smaller ones behind it, even if there are enough
// permits for those. (A goroutine that finds the line empty spins for a moment
// before it gets in line.) A request for more permits than there are in all
// would block the line; it waits aside until a [Semaphore.Resize] makes it
// possible, and is then served in its old place.
//
// The zero Semaphore has no permits: Down waits for a Resize. [NewSemaphore]
// makes one that has some. It has 32 bytes. A Semaphore must not be copied after first
// use. The kernel's (Linux kernel/locking/semaphore.c) has requests for one permit only.
//
// A call that gives permits back synchronizes before the return of each later
// call that takes them. A failed one synchronizes nothing.
type Semaphore struct {
	// word is three fields:
	//
	//	bits 0-30   size     how many permits there are in all
	//	bit  31     waiting  1 while the line is not empty
	//	bits 32-62  held     how many are out: more than size, if it shrank
	//
	// As (held, waiting, size):
	//
	//	h,0,s -> h+n,0,s  for h+n <= s: Down
	//	h,*,s -> h-n,*,s  for h >= n: Up
	//	h,*,s -> h,*,t    Resize
	//	h,0,s -> h,1,s    get in line
	//	h,1,s -> k,*,s    serve
	//
	// I1: while line's lock is free, waiting says whether line has a waiter.
	// I2: while waiting is set, only the holder of line's lock changes word. So
	// it may store; without waiting a change must be a CAS.
	// I3: while line's lock is free, too few permits are free for the first in
	// line (of the waiters that ask for at most size).
	//
	// waiting is the sign of the lower half, so that one comparison of the
	// halves, as signed numbers, tells Down that it can have a permit.
	word primitives.Uint64

	line waitList // want is how many permits
}

// MaxPermits is the most that a [Semaphore] can have.
const MaxPermits = math.MaxInt32

const (
	sizeMask         = MaxPermits
	semaphoreWaiting = 1 << 31
	permit           = 1 << 32
)

// NewSemaphore returns a semaphore with n permits, all of them free.
// It panics if n is negative or more than [MaxPermits].
func NewSemaphore(n int) *Semaphore {
	s := new(Semaphore)
	s.Resize(n)
	return s
}

// Down takes a permit, waiting until one is free.
func (s *Semaphore) Down() {
	w := s.word.Load()
	if int32(w>>32) >= int32(w) || !s.word.CompareAndSwap(w, w+permit) { // acquire: pairs with Up
		s.down(1, patience{}) // outlined so that Down inlines
	}
}

// DownContext takes a permit unless ctx is done first. In that case it returns
// the context's cause, wrapped, and takes nothing. If ctx ends before the Up that
// would let it through, it returns the cause; a permit that was given to it
// meanwhile goes to the next in line.
func (s *Semaphore) DownContext(ctx context.Context) error { return s.DownNContext(ctx, 1) }

// DownTimeout takes a permit unless that takes longer than d, and reports
// whether it did. If d is not positive, it is TryDown.
func (s *Semaphore) DownTimeout(d time.Duration) bool { return s.DownNTimeout(1, d) }

// TryDown takes a permit if one is free and no waiter is in line for it, and
// reports whether it did. If not, it synchronizes nothing.
func (s *Semaphore) TryDown() bool { return s.TryDownN(1) }

// Up gives a permit back, and lets the first in line through if there are now
// enough for it. It panics if no permit is out.
func (s *Semaphore) Up() {
	w := s.word.Load()
	if int32(w) < 0 || w < permit || !s.word.CompareAndSwap(w, w-permit) { // release: pairs with Down
		s.up(1) // outlined so that Up inlines
	}
}

// DownN takes n permits, waiting until all of them are free at once. It, and
// all that take n, panic if n is negative or more than [MaxPermits].
func (s *Semaphore) DownN(n int) {
	if !s.take(n) {
		s.down(n, patience{})
	}
}

// DownNContext takes n permits unless ctx is done first, as
// [Semaphore.DownContext] does.
func (s *Semaphore) DownNContext(ctx context.Context, n int) error {
	var err error
	if ctx.Err() != nil { // takes half the time of Cause
		err = context.Cause(ctx)
	}
	if err == nil && !s.take(n) {
		err = s.down(n, within(ctx))
	}
	if err == nil && ctx.Err() != nil {
		err = patience{ctx: ctx}.keep(func() { s.up(n) })
	}
	if err != nil {
		return fmt.Errorf("blocking: waiting for Semaphore: %w", err)
	}
	return nil
}

// DownNTimeout takes n permits unless that takes longer than d, and reports
// whether it did. If d is not positive, it is TryDownN.
func (s *Semaphore) DownNTimeout(n int, d time.Duration) bool {
	return s.TryDownN(n) || waitFor(d, func(p patience) error { return s.down(n, p) }, func() { s.up(n) })
}

// TryDownN takes n permits if they are free and no waiter is in line for them,
// and reports whether it did.
func (s *Semaphore) TryDownN(n int) bool {
	if s.take(n) {
		return true
	}
	if int32(s.word.Load()) >= 0 {
		return false
	}
	// There is a line, but each waiter in it may ask for more permits than there
	// are in all.
	s.line.lock.LockPinned()
	took := s.first() == nil && s.takePast(n)
	s.line.lock.UnlockPinned()
	return took
}

// UpN gives n permits back, and lets waiters through from the head of the line
// while there are enough permits. It panics if n is negative, or if fewer than n
// are out; it then gives nothing back.
func (s *Semaphore) UpN(n int) { s.up(n) }

// Resize gives the semaphore n permits in all. If that is more than before, it
// lets waiters through for which there are enough now. If it is fewer than are
// out, the surplus is not given out again once it comes back; Resize does not
// wait for that. It panics if n is negative or more than [MaxPermits].
func (s *Semaphore) Resize(n int) {
	count(n)
	s.line.lock.LockPinned()
	for {
		w := s.word.Load()
		if s.word.CompareAndSwap(w, w&^sizeMask|uint64(n)) { // release: pairs with Down
			break
		}
	}
	served := s.serve()
	s.line.lock.UnlockPinned()
	served.wake()
}

// count checks that n can be a number of permits.
func count(n int) {
	if n < 0 || n > MaxPermits {
		panic(fmt.Sprintf("blocking: %d permits of a Semaphore, want 0 to %d", n, MaxPermits))
	}
}

// take takes n permits if there are enough and the line is empty. It reports
// whether it did.
func (s *Semaphore) take(n int) bool {
	count(n)
	for {
		w := s.word.Load()
		if int64(w>>32)+int64(n) > int64(int32(w)) {
			return n == 0
		}
		if s.word.CompareAndSwap(w, w+uint64(n)*permit) { // acquire: pairs with Up
			return true
		}
	}
}

// takePast takes n permits if there are enough, even past a line. The caller
// holds line's lock.
func (s *Semaphore) takePast(n int) bool {
	for {
		w := s.word.Load()
		if int64(w>>32)+int64(n) > int64(w&sizeMask) {
			return false
		}
		if s.word.CompareAndSwap(w, w+uint64(n)*permit) { // acquire: pairs with Up
			return true
		}
	}
}

// down takes n permits when that was not possible at once. An error says why p
// ended.
func (s *Semaphore) down(n int, p patience) error {
	var spin primitives.Spin
	for int32(s.word.Load()) >= 0 && p.spun(spin.Try()) { // the line is empty
		if s.take(n) {
			return nil
		}
	}
	if err := p.ended(); err != nil {
		return err
	}
	// Without this a line would stay long when goroutines outnumber CPUs: the
	// served ones come back before the others have run.
	primitives.GiveWay()
	if s.take(n) {
		return nil
	}

	me := newWaiter(int64(n))
	s.line.lock.LockPinned()
	s.line.push(me)
	s.word.Or(semaphoreWaiting) // restores I1
	served := s.serve()         // me may be the first, and permits may have come back
	s.line.lock.UnlockPinned()
	served.wake()

	served = cohort{}
	err := s.line.wait(me, p, func() { served = s.serve() }) // those behind me
	served.wake()
	return err
}

// up gives n permits back.
func (s *Semaphore) up(n int) {
	count(n)
	for {
		w := s.word.Load()
		if int32(w) < 0 || w>>32 < uint64(n) {
			break
		}
		if s.word.CompareAndSwap(w, w-uint64(n)*permit) { // release: pairs with Down
			return
		}
	}

	s.line.lock.LockPinned()
	for {
		w := s.word.Load()
		if w>>32 < uint64(n) {
			s.line.lock.UnlockPinned()
			panic(fmt.Sprintf("blocking: Up of Semaphore by %d, with %d held", n, w>>32))
		}
		if s.word.CompareAndSwap(w, w-uint64(n)*permit) {
			break
		}
	}
	served := s.serve()
	s.line.lock.UnlockPinned()
	served.wake()
}

// first returns the first in line that asks for at most size, or nil. The caller
// holds line's lock.
func (s *Semaphore) first() *waiter {
	w := s.line.first
	for w != nil && w.want > int64(s.word.Load()&sizeMask) {
		w = w.next
	}
	return w
}

// serve gives permits to the waiters in line, in their order, while there are
// enough, and restores I1 and I3. The caller holds line's lock.
func (s *Semaphore) serve() (served cohort) {
	word := s.word.Load()
	if word&semaphoreWaiting == 0 {
		return // by I1
	}
	size, held := int64(word&sizeMask), int64(word>>32)
	for w := s.first(); w != nil && held+w.want <= size; w = s.first() {
		held += w.want
		served.grant(&s.line, w)
	}
	word = uint64(held)*permit | uint64(size)
	if s.line.first != nil {
		word |= semaphoreWaiting
	}
	s.word.StoreRelease(word) // by I2
	return served
}
