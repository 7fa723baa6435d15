package rcu

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// An Updater has the methods of a flavour of RCU for updaters; every flavour embeds
// one. See [Flavour] for what else they have in common. Any goroutine may call its
// methods at any time, except that Synchronize and Barrier must not be called in a
// read-side critical section.
//
// Read-side critical sections that begin after a call of [Updater.Synchronize] or
// [Updater.Call] see what happened before the call. What sections do that began
// before the call happens before Synchronize returns, or before the function that
// was given to Call begins.
type Updater struct {
	cfg      Config
	protocol protocol

	// seq counts grace periods: 2n while none is running and n are over, 2n+1
	// while one runs. Only the holder of turn changes it.
	seq  primitives.Uint64
	turn blocking.Mutex

	// group has the goroutines that wait for one grace period together, the latest
	// first. The goroutine that finds it empty is the group's leader: it waits for
	// turn, closes the group, and runs a grace period for all its members.
	//
	// I1: a group is closed before its grace period begins, so all that its
	// members did before they joined comes before the grace period.
	group primitives.Pointer[member]

	// hurry says why grace periods, the running one and later ones, are to be
	// expedited, whichever goroutine runs them:
	//
	//	bit 0      more callbacks wait than Config.HighWater
	//	bits 1-31  how many wait in SynchronizeExpedited
	hurry primitives.Uint32

	reporting primitives.Uint64 // the goroutine that reports a stall, or 0

	callbacks callbacks
	counters  counters
}

const (
	overWater = 1
	inHurry   = 2
)

// A protocol knows the readers of a flavour.
type protocol interface {
	// wait returns once all read-side critical sections are over that had begun
	// when it was called. It has one caller at a time.
	wait(g *grace)
	// reads returns where the section began that the caller is known to be in, or
	// nil. The place is known under Config.Trace.
	reads() *mark
	// holdups returns the readers for which wait waits at this moment, in order.
	// Only the goroutine that called wait calls it.
	holdups() []Holdup
}

// A Config says how a flavour treats updaters. The zero Config is good.
type Config struct {
	// Name names the flavour in reports.
	Name string

	// Batch is how many callbacks the callback goroutine waits for before it runs a
	// grace period for them. It waits at most five times, each time for Patience:
	// 0 means 30 and 10 ms.
	Batch    int
	Patience time.Duration

	// HighWater is the number of waiting callbacks above which grace periods are
	// expedited and Call slows its caller down, by twice as much for each further
	// HighWater of them: 0 means 10,000.
	//
	// That bounds their number, even if readers keep a grace period from ending.
	// When c callers have done nothing but Call for a time t, no more callbacks
	// wait than about
	//
	//	HighWater × (2 + log₂(1 + t × c / (HighWater × 100 µs))) + c
	//
	// For 64 callers and a HighWater of 10,000 that is 14 times HighWater after a
	// minute, and 20 times after an hour. It does not bound the calls of an
	// unbounded number of goroutines, one call each; of callbacks, which are not
	// delayed; and of sections of a Pinned, up to 20,000 calls a second on each CPU.
	HighWater int

	// StallAfter is the age at which a grace period is reported as stalled; it is
	// reported again each time three times StallAfter have passed, as in the kernel.
	// 0 means 21 s, a negative value never. Reports go to Logger, or slog's default,
	// and to OnStall. The goroutine that runs the grace period calls both, and
	// continues when they return: in them Synchronize, Barrier and Close panic.
	StallAfter time.Duration
	OnStall    func(Stall)
	Logger     *slog.Logger

	// Trace notes where each read-side critical section begins, and in which
	// goroutine. Reports show that, and misuse by readers panics at once, with the
	// stacks of both places. It makes readers many times slower: it is for
	// debugging.
	Trace bool
}

const (
	defaultBatch      = 30
	defaultPatience   = 10 * time.Millisecond
	defaultHighWater  = 10_000
	defaultStallAfter = 21 * time.Second
)

func (u *Updater) init(cfg Config, p protocol) {
	if cfg.Batch <= 0 {
		cfg.Batch = defaultBatch
	}
	if cfg.Patience <= 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.HighWater <= 0 {
		cfg.HighWater = defaultHighWater
	}
	cfg.Batch = min(cfg.Batch, cfg.HighWater)
	if cfg.StallAfter == 0 {
		cfg.StallAfter = defaultStallAfter
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	u.cfg, u.protocol = cfg, p
}

// A member is one of a group.
type member struct {
	next primitives.Cell[*member] // set before it joins
	over blocking.Completion
}

var members primitives.Pool[member]

// Synchronize waits for a grace period: until all read-side critical sections
// are over that had begun when it was called. Callers that come together share
// one. It does not wait for callbacks; see [Updater.Barrier].
//
// It panics if it is known to be called in such a section.
func (u *Updater) Synchronize() {
	u.guard("Synchronize")
	u.synchronize().report()
}

// SynchronizeExpedited is [Updater.Synchronize] that keeps a CPU busy and returns
// sooner: meanwhile all grace periods are expedited, whichever goroutine runs them.
// A running one may notice that up to a millisecond later.
func (u *Updater) SynchronizeExpedited() {
	u.guard("SynchronizeExpedited")
	u.hurry.Add(inHurry)
	found := u.synchronize()
	u.hurry.Add(^uint32(inHurry - 1)) // adds -inHurry
	found.report()
}

// unlocks counts the calls of ReadUnlock too many that a grace period found.
type unlocks uint64

// report panics if there are any. It is called last, so that it holds up no other
// goroutine. The caller need not be the one that made the mistake.
func (n unlocks) report() {
	if n > 0 {
		panic(fmt.Sprintf("rcu: %d ReadUnlocks too many since the last grace period (Config.Trace would tell whose)", n))
	}
}

func (u *Updater) synchronize() unlocks {
	me := members.Get()
	if !u.join(me) {
		me.over.Wait()
		members.Put(me)
		return 0
	}
	u.turn.Lock()
	group := u.group.Swap(nil) // I1
	found := u.gracePeriod()
	u.turn.Unlock()
	for m := group; m != nil; {
		next := m.next.Get() // before it wakes: it may then join another group
		if m != me {
			m.over.Complete() // release: pairs with Wait above
		}
		m = next
	}
	members.Put(me)
	return found
}

// join puts m in the group and reports whether it is the first there.
func (u *Updater) join(m *member) bool {
	for {
		last := u.group.Load()
		m.next.Set(last)
		if u.group.CompareAndSwap(last, m) { // full: what the caller did comes before the grace period
			return last == nil
		}
	}
}

// gracePeriod runs a grace period. The caller holds turn.
func (u *Updater) gracePeriod() unlocks {
	g := grace{updater: u, began: nanotime(), doze: firstDoze, stallAt: u.cfg.StallAfter}
	g.turned = g.began
	u.seq.Add(1)
	g.look()
	u.protocol.wait(&g)
	u.seq.Add(1)
	u.counters.over(time.Duration(nanotime() - g.began))
	return unlocks(g.unlocks)
}

// nanotime is the clock of grace periods.
var nanotime = primitives.Nanotime

// A Cookie names a future grace period; see [Updater.StartPoll].
type Cookie uint64

// StartPoll makes a grace period begin after now, and returns a cookie;
// [Updater.Poll] tells whether that grace period is over. StartPoll does not wait,
// and may be called in a read-side critical section; it panics after Close.
func (u *Updater) StartPoll() Cookie {
	u.mustBeMade("StartPoll")
	q := &u.callbacks
	c := (u.seq.Add(0) + 3) &^ 1 // full: what the caller did comes before it; not one that is running
	for {
		asked := q.polled.Load()
		if asked >= c && q.queue.Load() != &closed {
			return Cookie(c) // an earlier StartPoll has that one run, or a later one
		}
		if q.polled.CompareAndSwap(asked, max(asked, c)) {
			break
		}
	}
	if !u.enqueue(&callback{f: func() {}, own: true}, false) {
		panic("rcu: StartPoll after Close")
	}
	return Cookie(c)
}

// Poll reports whether the grace period of a cookie is over.
//
// It panics if no StartPoll of u can have returned the cookie.
func (u *Updater) Poll(c Cookie) bool {
	seq := u.seq.Load() // acquire
	if c == 0 || uint64(c) > seq+3 {
		panic("rcu: Poll of a Cookie that StartPoll has not returned")
	}
	return seq >= uint64(c)
}

// A grace is a running grace period.
type grace struct {
	updater   *Updater
	unlocks   uint64 // calls of ReadUnlock too many that it found
	expedited bool
	spin      primitives.Spin
	doze      time.Duration

	// Its times are those of nanotime.
	began   int64
	turned  int64         // a time after the latest turn; 0 until pause notes one
	stallAt time.Duration // the age at which to report it next; never if it is not positive
}

const (
	firstDoze = 20 * time.Microsecond
	lastDoze  = time.Millisecond
)

// pause is what a protocol calls while it waits for readers.
func (g *grace) pause() {
	if g.look(); g.expedited {
		g.spin.Once()
	} else {
		g.spin.Doze(g.doze)
		g.doze = min(2*g.doze, lastDoze)
	}
	now := nanotime()
	if g.turned == 0 {
		g.turned = now
	}
	if age := time.Duration(now - g.began); g.stallAt > 0 && age >= g.stallAt {
		g.updater.stall(g, now)
		for g.stallAt <= age { // one report, even if several are due
			g.stallAt += 3 * g.updater.cfg.StallAfter
		}
	}
}

// look expedites g if hurry says so.
func (g *grace) look() {
	if !g.expedited && g.updater.hurry.Load() != 0 {
		g.expedited = true
		g.updater.counters.expedited.Add(1)
	}
}

// again lets the next wait of the same grace period begin with spinning.
func (g *grace) again() { g.spin, g.doze = primitives.Spin{}, firstDoze }

// turn is [grace.again] before a wait for sections that may have begun since the
// last wait.
func (g *grace) turn() {
	g.again()
	g.turned = 0
}
