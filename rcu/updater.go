package rcu

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// An Updater is what a flavour of RCU offers to those who update; every flavour
// has one embedded. See [Flavour] for what they have in common beside it. Its methods may be called by any goroutine at any time, but
// for Synchronize and Barrier, which must not be called in a read-side critical
// section.
//
// What happened before a call of [Updater.Synchronize] or [Updater.Call] is seen
// by the read-side critical sections that begin after it; and what the sections
// did that began before it happens before Synchronize returns, or the function
// that was given to Call begins.
type Updater struct {
	cfg      Config
	protocol protocol

	// seq counts grace periods: 2n while none is running and n are over, 2n+1
	// while one runs. Who holds turn changes it.
	seq  primitives.Uint64
	turn blocking.Mutex

	// group has those who wait for one grace period together, the last to come
	// first. Who finds it empty is the group's leader: it waits for its turn,
	// closes the group, and runs a grace period for all of it.
	//
	// I1: a group is closed before its grace period begins, so all that its
	// members did before they joined comes before that.
	group primitives.Pointer[member]

	// hurry says who wants grace periods, the one that is running and those to
	// come, to be expedited, by whomever they are run:
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

// A protocol says who reads.
type protocol interface {
	// wait returns once all read-side critical sections are over that had begun
	// when it was called. One caller at a time.
	wait(g *grace)
	// reads returns where the section began that the caller is known to be in, or
	// nil. Where is known under Config.Trace.
	reads() *mark
	// holdups returns those for whom wait waits at this moment, in order. Its
	// caller is who called wait.
	holdups() []Holdup
}

// A Config says how a flavour treats those who update. The zero Config is good.
type Config struct {
	// Name is what reports call it.
	Name string

	// Batch is how many callbacks the callback goroutine waits for before it
	// runs a grace period for them, and Patience for how long it waits, five
	// times, for each of them to come: 0 means 30 and 10 ms.
	Batch    int
	Patience time.Duration

	// HighWater is the number of callbacks waiting above which grace periods are
	// expedited and Call slows its caller down, by twice as much for each
	// HighWater that more are waiting: 0 means 10,000.
	//
	// That bounds their number, though readers keep a grace period from ending.
	// When c callers that do nothing but Call have done so for a time t, no more
	// wait than about
	//
	//	HighWater × (2 + log₂(1 + t × c / (HighWater × 100 µs))) + c
	//
	// which for 64 callers and a HighWater of 10,000 is 14 times that after a
	// minute, and 20 times after an hour. Not bounded is what goroutines without
	// end give to Call, once each; what callbacks do, for they are not delayed; and
	// what is called in sections of a Pinned, up to 20,000 times a second on each
	// CPU.
	HighWater int

	// StallAfter is the age at which a grace period is reported as stalled; it
	// is so again whenever three times that have passed, as in the kernel. 0 means
	// 21 s, a negative value never. Reports go to Logger, or slog's default, and
	// to OnStall. The goroutine that runs the grace period calls both, and goes on when they
	// return: in them Synchronize, Barrier and Close panic.
	StallAfter time.Duration
	OnStall    func(Stall)
	Logger     *slog.Logger

	// Trace notes where each read-side critical section begins, and in which
	// goroutine: for the reports, and so that what readers do wrong panics at once,
	// with the stacks of both places. It makes readers many times slower: it is for
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
// It panics if it is called in such a section, where that can be known.
func (u *Updater) Synchronize() {
	u.guard("Synchronize")
	u.synchronize().report()
}

// SynchronizeExpedited is [Updater.Synchronize] that keeps a CPU busy, and is
// back the sooner for it: meanwhile all grace periods are expedited, whoever runs
// them. One that is running may notice a millisecond later.
func (u *Updater) SynchronizeExpedited() {
	u.guard("SynchronizeExpedited")
	u.hurry.Add(inHurry)
	found := u.synchronize()
	u.hurry.Add(^uint32(inHurry - 1)) // adds -inHurry
	found.report()
}

// unlocks counts what a grace period found: sections that were ended once too
// often.
type unlocks uint64

// report panics if there are any, when all is done: then it keeps no other from
// going on. The caller need not be whose fault it is.
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

// gracePeriod runs one. The caller has the turn.
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

// A Cookie names a grace period that is to come; see [Updater.StartPoll].
type Cookie uint64

// StartPoll sees to it that a grace period begins after now, and returns a
// cookie for [Updater.Poll] to tell whether it is over. It does not wait, and may
// be called in a read-side critical section; it panics after Close.
func (u *Updater) StartPoll() Cookie {
	u.mustBeMade("StartPoll")
	q := &u.callbacks
	c := (u.seq.Add(0) + 3) &^ 1 // full: what the caller did comes before it; not one that is running
	for {
		asked := q.polled.Load()
		if asked >= c && q.queue.Load() != &closed {
			return Cookie(c) // who asked for that one, or a later one, has it run
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

// A grace is a grace period as it runs.
type grace struct {
	updater   *Updater
	unlocks   uint64 // too many that it found
	expedited bool
	spin      primitives.Spin
	doze      time.Duration

	// Its times are those of nanotime.
	began   int64
	turned  int64         // no earlier than the latest turn; 0 if none was noted since
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
		for g.stallAt <= age { // once, though several are due
			g.stallAt += 3 * g.updater.cfg.StallAfter
		}
	}
}

// look looks whether anybody is in a hurry.
func (g *grace) look() {
	if !g.expedited && g.updater.hurry.Load() != 0 {
		g.expedited = true
		g.updater.counters.expedited.Add(1)
	}
}

// again lets the next wait of the same grace period begin with spinning.
func (g *grace) again() { g.spin, g.doze = primitives.Spin{}, firstDoze }

// turn is [grace.again] for a wait for sections that may have begun since the
// last.
func (g *grace) turn() {
	g.again()
	g.turned = 0
}
