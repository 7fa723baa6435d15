//go:build virtual

package validation_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/reciprocating"
	"github.com/lockbench/lockbench/sim"
)

// A cost is what an acquisition and a release take, of all workers together, while they
// all want the lock.
type cost struct {
	ns    float64
	lines float64 // that another CPU had
	far   float64 // of these, those of another socket
}

// costOf runs n workers on n CPUs that begin together and take l again and again, for a
// section that adds 1 to a word on a line of its own, until all together have done so
// often enough. Between two sections a worker computes for up to 150 ns for each CPU, at
// most 4 µs, so that they do not always come in the same order and most of them wait. The
// lines are those of the whole run.
func costOf(t *testing.T, m *sim.Machine, n int, l locker) cost {
	t.Helper()
	sections := max(60*n, 3000)
	data := alone[primitives.Cell[int]]() // guarded by l
	ready := alone[primitives.Uint32]()
	var began, ended int64
	r, err := sim.Config{Machine: m, CPUs: n, Seed: seed}.Run(func() {
		for i := range n {
			think := rand.New(rand.NewPCG(1, uint64(i)))
			primitives.Go(func() {
				if ready.Add(1) == uint32(n) {
					began = primitives.Nanotime()
				}
				for spin := (primitives.Spin{}); ready.Load() < uint32(n); {
					spin.Once()
				}
				for ended == 0 {
					l.Lock()
					data.Set(data.Get() + 1)
					if data.Get() == sections {
						ended = primitives.Nanotime()
					}
					l.Unlock()
					primitives.Busy(time.Duration(think.IntN(min(150*n, 4000))))
				}
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ops := float64(data.Get())
	c := cost{ns: float64(ended-began) / float64(sections)}
	for d, lines := range r.Total().Lines {
		c.lines += float64(lines) / ops
		if sim.Distance(d) >= sim.Remote {
			c.far += float64(lines) / ops
		}
	}
	return c
}

// A pinned lock is taken pinned: its waiters spin. Others park after 20 µs, which they wait
// behind a hundred others.
type pinned struct{ pinnable }

type pinnable interface {
	LockPinned()
	UnlockPinned()
}

func (l pinned) Lock()   { l.LockPinned() }
func (l pinned) Unlock() { l.UnlockPinned() }

var queues = []struct {
	name string
	make func() locker
}{
	{"mcs", func() locker { return pinned{alone[mcs.Lock]()} }},
	{"clh", func() locker { return pinned{alone[mcs.CLH]()} }},
	{"cna", func() locker { return pinned{alone[mcs.CNA]()} }},
	{"reciprocating", func() locker { return pinned{alone[reciprocating.Lock]()} }},
}

// On machines with several sockets a CNA seldom goes to another, so that it takes less
// time than an MCS lock and a fraction of the lines of other sockets; within a socket they
// are alike. A reciprocating lock moves fewer lines than MCS and CLH, as its authors say.
func TestLargeMachines(t *testing.T) {
	for _, on := range []struct {
		machine string
		socket  int // CPUs of a socket
		cpus    []int
	}{
		{"xeon-8176-8s", 28, []int{2, 28, 56, 224}},
		{"milan-2s", 48, []int{2, 48, 96}},
	} {
		m := machine(t, on.machine)
		for _, n := range on.cpus {
			if testing.Short() && n > 56 {
				continue
			}
			of := make(map[string]cost)
			for _, q := range queues {
				c := costOf(t, m, n, q.make())
				of[q.name] = c
				t.Logf("%-13s %3d CPUs: %-13s %7.1f ns, %5.2f lines, %5.2f from another socket", on.machine, n, q.name, c.ns, c.lines, c.far)
			}
			fifo, cna := of["mcs"], of["cna"]
			if least := min(fifo.lines, of["clh"].lines); n >= on.socket && of["reciprocating"].lines > least {
				t.Errorf("%s, %d CPUs: %.2f lines with reciprocating, %.2f with mcs or clh: want fewer", on.machine, n, of["reciprocating"].lines, least)
			}
			if n <= on.socket {
				if cna.lines > 1.15*fifo.lines {
					t.Errorf("%s, %d CPUs: %.2f lines with cna, %.2f with mcs: want it the same in one socket", on.machine, n, cna.lines, fifo.lines)
				}
				continue
			}
			if cna.far > fifo.far/3 {
				t.Errorf("%s, %d CPUs: %.2f lines from other sockets with cna, %.2f with mcs: want at most a third", on.machine, n, cna.far, fifo.far)
			}
			if cna.ns > fifo.ns {
				t.Errorf("%s, %d CPUs: %.1f ns with cna, %.1f with mcs: want less", on.machine, n, cna.ns, fifo.ns)
			}
		}
	}
}
