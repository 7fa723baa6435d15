package blocking

import (
	"context"
	"errors"
	"math"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/spinlock"
)

// A waitList is a line of parked goroutines, the longest waiter first. The
// zero waitList is empty.
//
// A waiter wakes for one of two reasons, and lock decides between them:
//
//	granted   another goroutine took it out of the line (pop) and woke it: it
//	          has what it waited for
//	gave up   it took itself out of the line (in wait)
//
// I1: granted is false for the waiters in line, and becomes true once, when
// one is popped. So a waiter that wants to give up and finds granted true has
// lost the race: it takes what it was given, and a grant needs no answer. The
// lock's method then looks whether its patience has ended. If so it gives that
// back as a holder would, so that it goes to the next in line: see keep.
// I2: the goroutine that pops a waiter wakes it, once, after it has unlocked
// lock. So a granted waiter has exactly one wake-up coming, and consumes it
// before it is used again, even if it did not park for it.
// I3: a waiter is in line exactly from push to pop, or until it gives up.
type waitList struct {
	// lock is the kernel's wait_lock: it guards the list, and what the lock that
	// the list belongs to says. It is taken pinned: code under it must not block,
	// wake or panic.
	lock spinlock.TTAS

	first, last *waiter
}

// A waiter is one goroutine's place in a waitList.
type waiter struct {
	next, prev *waiter // guarded by the list's lock, as are the fields below
	granted    bool
	want       int64 // what it waits for, as the list's lock defines it

	turn primitives.Parker
}

// WaiterBytes is how many bytes each goroutine in line adds to a lock of this
// package, or to a Completion. They come from a pool.
const WaiterBytes = unsafe.Sizeof(waiter{})

// waiters has the waiters that are not in use: a waiter can be used for another
// wait once its own has ended, by I2.
var waiters primitives.Pool[waiter]

// newWaiter returns a waiter that is not in a line.
func newWaiter(want int64) *waiter {
	w := waiters.Get()
	w.granted, w.want = false, want
	return w
}

// push puts w last in line. The caller holds l.lock.
func (l *waitList) push(w *waiter) {
	w.prev = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

// pop takes the longest waiter out of the line and grants it what it waited
// for. It returns nil if the line is empty. The caller holds l.lock, and wakes
// the waiter once it has unlocked l.lock: with w.turn.Unpark, or with
// w.turn.Handoff to give it the CPU, too.
func (l *waitList) pop() *waiter {
	w := l.first
	if w != nil {
		l.remove(w)
		w.granted = true
	}
	return w
}

// remove takes w out of the line, wherever it stands. The caller holds l.lock.
func (l *waitList) remove(w *waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev = nil, nil
}

// wait parks w, which is in line, until w is granted what it waits for or p ends,
// and then frees w. If it returns an error, w has left the line, and wait has
// called left, if it is not nil, with l.lock held: the waiters behind w may now be
// granted something. The caller does not hold l.lock.
//
// left must not wake those waiters; its caller does so after wait has returned.
func (l *waitList) wait(w *waiter, p patience, left func()) error {
	err := p.park(&w.turn)
	if err != nil {
		l.lock.LockPinned()
		granted := w.granted
		if !granted {
			l.remove(w)
			if left != nil {
				left()
			}
		}
		l.lock.UnlockPinned()
		if granted { // after all, by I1
			w.turn.Park() // the wake-up that is coming, by I2
			err = nil
		}
	}
	waiters.Put(w)
	return err
}

// A patience says for how long a goroutine waits. The zero patience does not end.
type patience struct {
	ctx   context.Context // until it is done, if not nil
	until int64           // until then, in the time of primitives.Nanotime, if not 0
}

// within returns a patience that ends when ctx is done.
func within(ctx context.Context) patience {
	p := patience{ctx: ctx}
	if deadline, ok := ctx.Deadline(); ok {
		p.until = after(time.Until(deadline))
	}
	return p
}

// lasting returns a patience that ends after d.
func lasting(d time.Duration) patience { return patience{until: after(d)} }

// after returns the time when d has passed, or the end of time.
func after(d time.Duration) int64 {
	now := primitives.Nanotime()
	return now + min(int64(d), math.MaxInt64-now)
}

// errTimeout is what ends a wait that lasted for its timeout.
var errTimeout = errors.New("timeout")

// spun reports whether a waiter looks again: spin says that it has just spun, and
// p has not ended. It costs nothing if p has no end.
func (p patience) spun(spin bool) bool { return spin && !p.isOver() }

// isOver reports whether p has ended. It also looks at the clock, because a
// context may report late that its deadline has passed.
func (p patience) isOver() bool {
	if p.ctx != nil && p.ctx.Err() != nil {
		return true
	}
	return p.until != 0 && primitives.Nanotime() >= p.until
}

// ended returns the context's cause or errTimeout if p has ended.
func (p patience) ended() error {
	switch {
	case p.ctx != nil:
		return context.Cause(p.ctx)
	case p.until != 0 && primitives.Nanotime() >= p.until:
		return errTimeout
	}
	return nil
}

// keep is the last look of each wait that can end early, made by a goroutine that
// has acquired what it waited for. If p has ended, keep calls release, which gives
// that back, and returns why p ended.
//
// A context that ends starts a goroutine to wake the waiter, so a release that
// comes after it nearly always grants first. The look is after the acquisition,
// so it sees each end that came before the release.
func (p patience) keep(release func()) error {
	err := p.ended()
	if err != nil {
		release()
	}
	return err
}

// waitFor is the wait of the methods that take a duration, after a first try has
// failed. It reports whether wait acquired before d had passed. If wait acquired
// later, waitFor has called release.
func waitFor(d time.Duration, wait func(patience) error, release func()) bool {
	if d <= 0 {
		return false
	}
	p := lasting(d)
	return wait(p) == nil && p.keep(release) == nil
}

// park parks on turn until a wake-up comes, and consumes it, or until p ends. If p
// ended, park returns the context's cause or errTimeout.
func (p patience) park(turn *primitives.Parker) error {
	switch {
	case p.ctx != nil:
		return turn.ParkContext(p.ctx)
	case p.until != 0:
		left := time.Duration(p.until - primitives.Nanotime())
		if left <= 0 || !turn.ParkTimeout(left) {
			return errTimeout
		}
	default:
		turn.Park()
	}
	return nil
}
