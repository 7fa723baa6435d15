//go:build virtual

package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

// A ticketLock is a lock of two words on one line, and a flagLock of one. They are written
// here because the locks of this repository may change.
type ticketLock struct {
	_           primitives.CacheLine
	next, owner primitives.Uint32
	_           primitives.CacheLine
}

func (l *ticketLock) Lock() {
	ticket := l.next.Add(1) - 1
	for spin := (primitives.Spin{InLine: true}); l.owner.Load() != ticket; {
		spin.Once()
	}
}

func (l *ticketLock) Unlock() { l.owner.StoreRelease(l.owner.Load() + 1) }

type flagLock struct {
	_    primitives.CacheLine
	word primitives.Uint32
	_    primitives.CacheLine
}

func (l *flagLock) Lock() {
	for spin := (primitives.Spin{}); l.word.Swap(1) != 0; {
		spin.Once()
	}
}

func (l *flagLock) Unlock() { l.word.StoreRelease(0) }

// counted returns what n workers do that each lock and unlock a few times, with a section of
// a line and a park now and then.
func counted(t *testing.T, name string, cpus, n int, lock, unlock func()) string {
	var data struct {
		_ primitives.CacheLine
		v primitives.Cell[int]
		_ primitives.CacheLine
	}
	r := run(t, sim.Config{Machine: machine(t, name), CPUs: cpus, Seed: 7}, func() {
		for range n {
			primitives.Go(func() {
				for i := range 20 {
					lock()
					data.v.Set(data.v.Get() + 1)
					unlock()
					if i%8 == 7 {
						primitives.Sleep(time.Microsecond)
					}
				}
			})
		}
	})
	if data.v.Get() != 20*n {
		t.Errorf("%s: %d sections, want %d", name, data.v.Get(), 20*n)
	}
	total := r.Total()
	return fmt.Sprintf("%v %d %v %d %d %v", r.Time, total.Operations, total.Lines, total.Invalidated, total.Switches, total.Spin)
}

// What a run does depends on its seed alone: not on the host, nor on the time at which it
// runs, nor on how the simulator is written. A change of the model changes these figures.
func TestSameOnAnyHost(t *testing.T) {
	for _, test := range []struct {
		machine string
		cpus, n int
		ticket  string
		flag    string
	}{
		{"xeon-8176-8s", 60, 60,
			"1.187832ms 44691 [0 0 29331 0 8318 0] 37626 379 23.64ms",
			"2.15722ms 43099 [0 0 37981 0 2596 0] 706 217 7.37945ms"},
		{"milan-2s", 192, 200,
			"7.301321ms 305453 [0 5734 58164 125550 32760 0] 222155 68059 423.234875ms",
			"5.225454ms 230307 [0 102137 98037 15231 6366 0] 2302 3523 41.5596ms"},
		{"skylake-client", 4, 9,
			"18.319µs 1289 [0 0 224 0 0 0] 217 79 27.4µs",
			"14.007µs 758 [0 0 97 0 0 0] 20 37 2.65µs"},
	} {
		ticket, flag := new(ticketLock), new(flagLock)
		if got := counted(t, test.machine, test.cpus, test.n, ticket.Lock, ticket.Unlock); got != test.ticket {
			t.Errorf("%s: ticket: %s, want %s", test.machine, got, test.ticket)
		}
		if got := counted(t, test.machine, test.cpus, test.n, flag.Lock, flag.Unlock); got != test.flag {
			t.Errorf("%s: flag: %s, want %s", test.machine, got, test.flag)
		}
	}
}
