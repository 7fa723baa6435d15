package main

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/rwlock"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

// writes lock and unlock.
var writes = []loop{
	{"sync.Mutex", func() func(int) {
		l := alone[sync.Mutex]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"tas", func() func(int) {
		l := alone[spinlock.TAS]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"ttas", func() func(int) {
		l := alone[spinlock.TTAS]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"backoff", func() func(int) {
		l := alone[spinlock.Backoff]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"ticket", func() func(int) {
		l := alone[ticket.Lock]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"ticket-pb", func() func(int) {
		l := alone[ticket.Proportional]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"mcs", func() func(int) {
		l := alone[mcs.Lock]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"mcs.Queue", func() func(int) {
		l, node := alone[mcs.Queue](), alone[mcs.Node]()
		return func(n int) {
			for range n {
				l.Lock(node)
				l.Unlock(node)
			}
		}
	}},
	{"clh", func() func(int) {
		l := alone[mcs.CLH]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"qspinlock", func() func(int) {
		l := alone[qspinlock.Lock]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"mutex", func() func(int) {
		l := alone[blocking.Mutex]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"qspinlock-pinned", func() func(int) {
		l := alone[qspinlock.Lock]()
		return func(n int) {
			for range n {
				l.LockPinned()
				l.UnlockPinned()
			}
		}
	}},
	{"semaphore", func() func(int) {
		s := blocking.NewSemaphore(1)
		return func(n int) {
			for range n {
				s.Down()
				s.Up()
			}
		}
	}},
	{"semaphore.Weighted", func() func(int) {
		s, ctx := semaphore.NewWeighted(1), context.Background()
		return func(n int) {
			for range n {
				s.Acquire(ctx, 1)
				s.Release(1)
			}
		}
	}},
}

// rwWrites lock and unlock for writing.
var rwWrites = []loop{
	{"sync.RWMutex", func() func(int) {
		l := alone[sync.RWMutex]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"rwsem", func() func(int) {
		l := alone[blocking.RWSem]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"rw-readerpref", func() func(int) {
		l := alone[rwlock.ReaderPref]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"rw-queued", func() func(int) {
		l := alone[rwlock.Queued]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"rw-phasefair", func() func(int) {
		l := alone[rwlock.PhaseFair]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"rw-distributed", func() func(int) {
		l := alone[rwlock.Distributed]()
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
	{"rw-biased", func() func(int) {
		l := rwlock.NewBiased(alone[rwlock.Queued]())
		return func(n int) {
			for range n {
				l.Lock()
				l.Unlock()
			}
		}
	}},
}

// uncontended measures the locks alone.
func uncontended(ctx context.Context, j *judge, rounds int) error {
	samples, err := inTurn(ctx, j, writes, rounds)
	if err != nil {
		return err
	}
	j.title("Lock and Unlock without contention, against sync.Mutex")
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
	claims = append(claims, claim{lock: "semaphore", against: "semaphore.Weighted", unit: "ns/op", distance: results.Local, limit: 0.5})
	j.claims(samples, claims)

	if samples, err = inTurn(ctx, j, rwWrites, rounds); err != nil {
		return err
	}
	j.title("Lock and Unlock for writing without contention, against sync.RWMutex")
	claims = nil
	for _, l := range rwWrites[1:] {
		claims = append(claims, claim{lock: l.lock, against: "sync.RWMutex", unit: "ns/op", distance: results.Local})
	}
	j.claims(samples, claims)
	return nil
}
