//go:build virtual

package sim_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

// observed runs a body that has everything in it: lines that are read and written near
// and far, waits, parked workers, and more workers than CPUs.
func observed(t *testing.T, observe func(sim.Event)) *sim.Report {
	t.Helper()
	var s struct {
		_    primitives.CacheLine
		word primitives.Uint32
		_    primitives.CacheLine
		flag primitives.Uint32
		_    primitives.CacheLine
		gate primitives.Parker
		_    primitives.CacheLine
	}
	m := *machine(t, "milan-2s")
	m.Slice = 2000
	place := []int{0, 1, 2, 3, 8, 9, 48, 49}
	c := sim.Config{Machine: &m, Place: place, Seed: 3, Observe: observe}
	r, err := c.Run(func() {
		for i := range 20 {
			primitives.Go(func() {
				for n := range 30 {
					s.word.Add(1)
					s.flag.Load()
					if n%10 == i%10 {
						s.flag.StoreRelease(uint32(n))
					}
					primitives.Busy(100 * time.Nanosecond)
				}
				if i == 7 {
					s.gate.Park()
				}
				for spin := (primitives.Spin{}); i == 8 && s.word.Load() < 600; {
					spin.Once()
				}
				if i == 8 {
					primitives.Sleep(10 * time.Microsecond)
					s.gate.Unpark()
				}
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What an observer is told adds up to the report, and the report is the same without it.
func TestObserve(t *testing.T) {
	var all []sim.Event
	r := observed(t, func(e sim.Event) { all = append(all, e) })
	sums := make([]sim.Counts, len(r.CPUs))
	kinds := make(map[sim.EventKind]int)
	spun := make([]int64, len(r.CPUs))
	for _, e := range all {
		kinds[e.Kind]++
		if e.Begin > e.Served || e.Served > e.End || e.End > 1000*int64(r.Time)+1000 {
			t.Errorf("%v at %d, %d, %d: want them in order, and within %v", e.Kind, e.Begin, e.Served, e.End, r.Time)
		}
		switch c := &sums[e.CPU]; e.Kind {
		case sim.LineCame:
			if e.From >= 0 {
				c.Lines[e.Distance]++
			}
			if e.From == e.CPU || e.Line%64 != 0 {
				t.Errorf("%+v: want it from another CPU, and the address of a line", e)
			}
		case sim.CopyLost:
			sums[e.From].Invalidated++
		case sim.Switched:
			c.Switches++
		case sim.Spun:
			spun[e.CPU] += e.End - e.Begin
		}
	}
	for i := range sums {
		want := r.CPUs[i]
		want.Operations = 0
		sums[i].Spin = time.Duration(spun[i] / 1000)
		if sums[i] != want {
			t.Errorf("CPU %d: %+v, want %+v", i, sums[i], want)
		}
	}
	for kind, least := range map[sim.EventKind]int{
		sim.LineCame: 100, sim.CopyLost: 100, sim.Spun: 1, sim.Parked: 2, sim.Woke: 1, sim.Switched: 21, sim.Preempted: 1, sim.Ended: 21,
	} {
		if kinds[kind] < least {
			t.Errorf("%v: %d times, want %d at least", kind, kinds[kind], least)
		}
	}
	if without := observed(t, nil); without.Time != r.Time || !slices.Equal(without.CPUs, r.CPUs) {
		t.Errorf("unobserved it takes %v, observed %v", without.Time, r.Time)
	}
}

// A wake-up names both workers, and marks and what is between them are in order.
func TestMark(t *testing.T) {
	sim.Mark("outside of a run")
	var gate primitives.Parker
	var got []string
	var woke []sim.Event
	c := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2, Observe: func(e sim.Event) {
		switch e.Kind {
		case sim.Marked:
			got = append(got, e.Name)
		case sim.Woke:
			got = append(got, "wakes")
			woke = append(woke, e)
		}
	}}
	run(t, c, func() {
		primitives.Go(func() {
			sim.Mark("begins")
			gate.Park()
			sim.Mark("goes on")
		})
		primitives.Busy(100 * time.Microsecond)
		sim.Mark("will wake")
		gate.Unpark()
	})
	if want := []string{"begins", "will wake", "wakes", "goes on"}; !slices.Equal(got, want) {
		t.Errorf("marks %q, want %q", got, want)
	}
	if len(woke) != 1 || woke[0].Worker != 0 || woke[0].Woken != 1 || woke[0].CPU != 0 {
		t.Errorf("%+v: want worker 0 on CPU 0 to wake worker 1", woke)
	}
	run(t, sim.Config{Machine: machine(t, "graviton2"), CPUs: 1}, func() { sim.Mark("not observed") })
}
