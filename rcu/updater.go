package rcu

import (
	"log/slog"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// An Updater is what a flavour of RCU offers to those who update; every flavour
// has one embedded. Its methods may be called by any goroutine at any time, but
// for Synchronize and Barrier, which must not be called in a read-side critical
// section.
//
// What happened before a call of [Updater.Synchronize] or [Updater.Call] is seen
// by the read-side critical sections that begin after it; and what the sections
// did that began before it happens before Synchronize returns, or the function
// that was given to Call begins.
type Updater struct {
	cfg     Config
	flavour flavour

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

	callbacks callbacks
	counters  counters
}

// A flavour says who reads.
type flavour interface {
	// wait returns once all read-side critical sections are over that had begun
	// when it was called. One caller at a time.
	wait(g *grace)
	// reads reports whether the caller is known to be in a section.
	reads() bool
	// holdups returns those who are in a section.
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

	// HighWater is the number of callbacks waiting above which Call slows its
	// caller down and grace periods are expedited: 0 means 10,000.
	HighWater int

	// StallAfter is the age at which a grace period is reported as stalled, and
	// again at three times, nine times that; 0 means 21 s, a negative value
	// never. Reports go to Logger, or slog's default, and to OnStall.
	StallAfter time.Duration
	OnStall    func(Stall)
	Logger     *slog.Logger

	// Trace notes where each read-side critical section begins, for the
	// reports: for debugging, it makes readers many times slower.
	Trace bool
}

const (
	defaultBatch      = 30
	defaultPatience   = 10 * time.Millisecond
	defaultHighWater  = 10_000
	defaultStallAfter = 21 * time.Second
)

func (u *Updater) init(cfg Config, f flavour) {
	if cfg.Batch <= 0 {
		cfg.Batch = defaultBatch
	}
	if cfg.Patience <= 0 {
		cfg.Patience = defaultPatience
	}
	if cfg.HighWater <= 0 {
		cfg.HighWater = defaultHighWater
	}
	if cfg.StallAfter == 0 {
		cfg.StallAfter = defaultStallAfter
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	u.cfg, u.flavour = cfg, f
}

// A member is one of a group.
type member struct {
	next *member // set before it joins
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
	u.synchronize(false)
}

// SynchronizeExpedited is [Updater.Synchronize] that keeps its CPU busy, and is
// back the sooner for it.
func (u *Updater) SynchronizeExpedited() {
	u.guard("SynchronizeExpedited")
	u.synchronize(true)
}

// guard panics if the caller would wait for itself.
func (u *Updater) guard(method string) {
	if u.flavour.reads() {
		panic("rcu: " + method + " in a read-side critical section waits for itself")
	}
}

func (u *Updater) synchronize(expedited bool) {
	me := members.Get()
	if !u.join(me) {
		me.over.Wait()
		members.Put(me)
		return
	}
	u.turn.Lock()
	group := u.group.Swap(nil) // I1
	u.gracePeriod(expedited)
	u.turn.Unlock()
	for m := group; m != nil; {
		next := m.next // before it wakes: it may then join another group
		if m != me {
			m.over.Complete() // release: pairs with Wait above
		}
		m = next
	}
	members.Put(me)
}

// join puts m in the group and reports whether it is the first there.
func (u *Updater) join(m *member) bool {
	for {
		last := u.group.Load()
		m.next = last
		if u.group.CompareAndSwap(last, m) { // full: what the caller did comes before the grace period
			return last == nil
		}
	}
}

// gracePeriod runs one. The caller has the turn.
func (u *Updater) gracePeriod(expedited bool) {
	g := grace{updater: u, expedited: expedited, began: primitives.Nanotime(), doze: firstDoze}
	g.stallAfter = u.cfg.StallAfter
	u.seq.Add(1)
	u.flavour.wait(&g)
	u.seq.Add(1)
	u.counters.over(time.Duration(primitives.Nanotime() - g.began))
}

// A Cookie names a grace period that is to come; see [Updater.StartPoll].
type Cookie uint64

// StartPoll sees to it that a grace period begins after now, and returns a
// cookie for [Updater.Poll] to tell whether it is over. It does not wait.
func (u *Updater) StartPoll() Cookie {
	c := Cookie(u.seq.Add(0)+3) &^ 1 // full: what the caller did comes before it; not one that is running
	u.Call(func() {})
	return c
}

// Poll reports whether the grace period of a cookie is over.
func (u *Updater) Poll(c Cookie) bool { return u.seq.Load() >= uint64(c) } // acquire

// A grace is a grace period as it runs.
type grace struct {
	updater    *Updater
	expedited  bool
	began      int64
	stallAfter time.Duration
	spin       primitives.Spin
	doze       time.Duration
}

const (
	firstDoze = 20 * time.Microsecond
	lastDoze  = time.Millisecond
)

// pause is what a flavour calls while it waits for readers.
func (g *grace) pause() {
	if g.expedited {
		g.spin.Once()
	} else {
		g.spin.Doze(g.doze)
		g.doze = min(2*g.doze, lastDoze)
	}
	if g.stallAfter > 0 {
		if age := time.Duration(primitives.Nanotime() - g.began); age >= g.stallAfter {
			g.updater.stall(age)
			g.stallAfter *= 3
		}
	}
}

// again lets the next wait of the same grace period begin with spinning.
func (g *grace) again() { g.spin, g.doze = primitives.Spin{}, firstDoze }
