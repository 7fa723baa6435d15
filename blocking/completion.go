package blocking

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Completion is an event that goroutines wait for: each Complete lets one of
// them go on, CompleteAll lets all of them go on, now and later. That cannot be undone.
// The zero Completion has completed nothing, and has 32 bytes. A Completion must not be
// copied after first use.
//
// It is the kernel's (Linux kernel/sched/completion.c), without reinit_completion.
//
// The n'th call to [Completion.Complete] synchronizes before the return of
// the n'th Wait that it allows, and [Completion.CompleteAll] before the
// return of every Wait that follows it.
type Completion struct {
	// done is how many waits are allowed and not made yet, or forever.
	// It changes under line.lock.
	//
	// I1: a waiter gets in line only while done is 0, and Complete counts only while
	// none is in line. So done is 0 while a waiter is in line, or forever: then
	// CompleteAll is waking the line.
	// I2: forever stays. Complete counts to MaxCompletes at most. Each wait that
	// was granted too late gives one back, and at any time there are at most as
	// many such waits as goroutines: so no count becomes forever.
	done primitives.Uint32
	line waitList
}

const forever = 1<<32 - 1

// MaxCompletes is how many calls to [Completion.Complete] can be ahead of the
// waits that they allow.
const MaxCompletes = math.MaxInt32

// Complete lets one goroutine go on: the longest waiter or, if there is none, the
// next that comes. It panics if [MaxCompletes] calls are ahead already.
func (c *Completion) Complete() {
	if !c.complete(MaxCompletes) {
		panic(fmt.Sprintf("blocking: Complete of Completion that is %d ahead", MaxCompletes))
	}
}

// complete is Complete, except that it reports whether fewer than most calls were
// ahead.
func (c *Completion) complete(most uint32) bool {
	c.line.lock.LockPinned()
	next, done := c.line.pop(), c.done.Load()
	if next == nil && done < most {
		c.done.StoreRelease(done + 1) // release: pairs with TryWait
	}
	c.line.lock.UnlockPinned()
	if next != nil {
		next.turn.Unpark() // release: pairs with wait
	}
	return next != nil || done < most || done == forever
}

// giveBack lets another waiter go on in place of the caller, which a Complete let
// go too late.
func (c *Completion) giveBack() { c.complete(forever - 1) }

// CompleteAll lets all goroutines go on, those that wait now and those that come
// later.
func (c *Completion) CompleteAll() {
	c.line.lock.LockPinned()
	c.done.StoreRelease(forever) // release: pairs with TryWait and Done
	c.line.lock.UnlockPinned()
	// By I1 no waiter gets in line any more.
	for {
		c.line.lock.LockPinned()
		next := c.line.pop()
		c.line.lock.UnlockPinned()
		if next == nil {
			return
		}
		next.turn.Unpark() // release: pairs with wait
	}
}

// Done reports whether a Wait would return at once.
func (c *Completion) Done() bool { return c.done.Load() != 0 } // acquire

// TryWait is [Completion.Wait] if that would return at once, and returns true.
// Otherwise it returns false.
func (c *Completion) TryWait() bool {
	switch c.done.Load() { // acquire: pairs with Complete and CompleteAll
	case 0:
		return false
	case forever:
		return true
	}
	c.line.lock.LockPinned()
	defer c.line.lock.UnlockPinned()
	return c.takeOne()
}

// takeOne uses up a Complete that no wait has used, and reports whether there was
// one. The caller holds line.lock.
func (c *Completion) takeOne() bool {
	switch done := c.done.Load(); done {
	case 0:
		return false
	case forever:
	default:
		c.done.StoreRelease(done - 1)
	}
	return true
}

// Wait waits for a Complete that no other wait has used, or for CompleteAll.
func (c *Completion) Wait() { c.wait(patience{}) }

// WaitContext is [Completion.Wait] unless ctx is done first. In that case it
// returns the context's cause, wrapped, and uses up no Complete. If ctx ends
// before the Complete that would let it go, it returns the cause, and the Complete
// is for the next waiter.
func (c *Completion) WaitContext(ctx context.Context) error {
	var err error
	if ctx.Err() != nil { // takes half the time of Cause
		err = context.Cause(ctx)
	}
	if err == nil {
		err = c.wait(within(ctx))
	}
	if err == nil && ctx.Err() != nil {
		err = patience{ctx: ctx}.keep(c.giveBack)
	}
	if err != nil {
		return fmt.Errorf("blocking: waiting for Completion: %w", err)
	}
	return nil
}

// WaitTimeout is [Completion.Wait], but gives up after d. It reports whether it
// waited to the end; if not, it has used up no Complete. If d is not positive, it is
// TryWait.
func (c *Completion) WaitTimeout(d time.Duration) bool {
	return c.TryWait() || waitFor(d, c.wait, c.giveBack)
}

func (c *Completion) wait(p patience) error {
	if c.done.Load() == forever { // acquire: pairs with CompleteAll
		return nil
	}
	w := newWaiter(0)
	c.line.lock.LockPinned()
	if c.takeOne() {
		c.line.lock.UnlockPinned()
		waiters.Put(w)
		return nil
	}
	c.line.push(w)
	c.line.lock.UnlockPinned()
	return c.line.wait(w, p, nil)
}

// String says whether a Wait would return at once, for diagnosis.
func (c *Completion) String() string {
	switch done := c.done.Load(); done {
	case 0:
		return "not done"
	case forever:
		return "done, for all"
	default:
		return fmt.Sprintf("done, for %d", done)
	}
}
