package blocking

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Completion is something that others wait for: each Complete lets one of
// them go, CompleteAll all of them, now and later. The zero Completion has
// completed nothing. A Completion must not be copied after first use.
//
// The n'th call to [Completion.Complete] synchronizes before the return of
// the n'th Wait that it allows, and [Completion.CompleteAll] before the
// return of every Wait that follows it.
type Completion struct {
	// done is how many waits are allowed that nobody has made yet, or forever.
	// It changes under line.lock.
	//
	// I1: if anybody is in line, done is 0.
	// I2: forever stays. Complete counts to MaxCompletes at most, and a wait that
	// was granted too late gives one back, of which there can be no more at a
	// time than goroutines: so no count becomes forever.
	done primitives.Uint32
	line waitList
}

const forever = 1<<32 - 1

// MaxCompletes is how many calls to [Completion.Complete] can be ahead of the
// waits that they allow.
const MaxCompletes = math.MaxInt32

// Complete lets one goroutine go: the longest waiter or, if nobody waits, the
// next that would. It panics if [MaxCompletes] calls are ahead already.
func (c *Completion) Complete() {
	if !c.complete(MaxCompletes) {
		panic(fmt.Sprintf("blocking: Complete of Completion that is %d ahead", MaxCompletes))
	}
}

// complete is Complete, and reports whether fewer than most calls were ahead.
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

// giveBack lets another go in place of the caller, which a Complete let go too
// late.
func (c *Completion) giveBack() { c.complete(forever - 1) }

// CompleteAll lets everybody go, those that wait and those that will.
func (c *Completion) CompleteAll() {
	c.line.lock.LockPinned()
	c.done.StoreRelease(forever) // release: pairs with TryWait and Done
	c.line.lock.UnlockPinned()
	// By I1 nobody gets in line any more.
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

// TryWait is [Completion.Wait] if that returns at once, and reports whether it
// did.
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

// takeOne takes what Complete left for the next, and reports whether there
// was anything. The caller holds line.lock.
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

// Wait waits for a Complete that nobody else has waited for, or for
// CompleteAll.
func (c *Completion) Wait() { c.wait(patience{}) }

// WaitContext is [Completion.Wait] unless ctx is done first. It then returns
// the context's cause, wrapped, and no Complete was used up. If ctx ends before
// the Complete that would let it go, it returns the cause, and the Complete is
// for the next.
func (c *Completion) WaitContext(ctx context.Context) error {
	var err error
	if ctx.Err() != nil { // half of what Cause takes
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

// WaitTimeout is [Completion.Wait] unless that takes longer than d, and reports
// whether it did not. If it did, no Complete was used up.
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
