package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

// loops lock and unlock n times. Each is a loop of its own, with the type of
// its lock known, so that what inlines for a user does so here.
var loops = []struct {
	lock string
	loop func(n int)
}{
	{"sync.Mutex", func(n int) {
		l := new(sync.Mutex)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"tas", func(n int) {
		l := new(spinlock.TAS)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"ttas", func(n int) {
		l := new(spinlock.TTAS)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"backoff", func(n int) {
		l := new(spinlock.Backoff)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"ticket", func(n int) {
		l := new(ticket.Lock)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"ticket-pb", func(n int) {
		l := new(ticket.Proportional)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"mcs", func(n int) {
		l := new(mcs.Lock)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"mcs.Queue", func(n int) {
		l, node := new(mcs.Queue), new(mcs.Node)
		for range n {
			l.Lock(node)
			l.Unlock(node)
		}
	}},
	{"clh", func(n int) {
		l := new(mcs.CLH)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"qspinlock", func(n int) {
		l := new(qspinlock.Lock)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"mutex", func(n int) {
		l := new(blocking.Mutex)
		for range n {
			l.Lock()
			l.Unlock()
		}
	}},
	{"qspinlock-pinned", func(n int) {
		l := new(qspinlock.Lock)
		for range n {
			l.LockPinned()
			l.UnlockPinned()
		}
	}},
}

// alone measures each loop in every round, in random order. A sample is about
// half a millisecond: short enough that the clock does not change within a
// round.
func alone(ctx context.Context, j *judge, rounds int) error {
	const sections = 50_000
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var samples []results.Sample
	for round := range rounds {
		for _, i := range rand.Perm(len(loops)) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			l := loops[i]
			began := primitives.Nanotime()
			l.loop(sections)
			took := primitives.Nanotime() - began
			s := results.Sample{
				Cell:     results.Cell{Lock: l.lock, Workers: 1, CPUs: runtime.GOMAXPROCS(0), Workload: "direct"},
				Round:    round + 1,
				Distance: results.Local,
				Ops:      sections,
				Values:   []results.Value{{Unit: "ns/op", Value: float64(took) / sections}},
			}
			samples = append(samples, s)
			if err := j.sample(s); err != nil {
				return err
			}
		}
	}
	j.title("Lock and Unlock when nobody contends, against sync.Mutex")
	var claims []claim
	for _, c := range []struct {
		lock  string
		limit float64
	}{
		{"tas", 0.70}, {"ttas", 0.70}, {"backoff", 0.70}, {"ticket", 0.70}, {"ticket-pb", 0.70}, {"qspinlock", 0.70},
		{"clh", 0.75}, {"mcs", 1.2}, {"mcs.Queue", 1.9}, {"qspinlock-pinned", 1.0}, {"mutex", 1.0},
	} {
		claims = append(claims, claim{lock: c.lock, unit: "ns/op", distance: results.Local, limit: c.limit})
	}
	j.claims(samples, claims)
	return nil
}
