//go:build virtual

package harness

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

// A word is a lock of one word.
type word struct{ held primitives.Bool }

func (l *word) TryLock() bool { return l.held.CompareAndSwap(false, true) }
func (l *word) Unlock()       { l.held.StoreRelease(false) }
func (l *word) Lock() {
	for spin := (primitives.Spin{}); !l.TryLock(); {
		spin.Once()
	}
}

// A pinnedWord keeps preemption off while it is held.
type pinnedWord struct{ word }

func (l *pinnedWord) Unlock() {
	l.word.Unlock()
	primitives.Unpin()
}

func (l *pinnedWord) TryLock() bool {
	primitives.Pin()
	if !l.word.TryLock() {
		primitives.Unpin()
		return false
	}
	return true
}

func (l *pinnedWord) Lock() {
	primitives.Pin()
	for spin := (primitives.Spin{Pinned: true}); !l.word.TryLock(); {
		spin.Once()
	}
}

// A careless word lets in all, and a lost one is never released after some uses.
type (
	carelessWord struct{ word }
	lostWord     struct {
		word
		uses primitives.Uint32
	}
)

func (l *carelessWord) Lock()         {}
func (l *carelessWord) TryLock() bool { return false }

func (l *lostWord) Unlock() {
	if l.uses.Add(1) < 40 {
		l.word.Unlock()
	}
}

// simulated measures a scenario of four workers on four CPUs of a simulated machine. It
// returns how long that took there.
func simulated(t *testing.T, subject Subject, set func(*Scenario)) (sample results.Sample, took time.Duration, err error) {
	t.Helper()
	s := Scenario{
		Subject: subject, CPUs: 4, Workers: 4,
		Hold: 100 * time.Nanosecond, Think: 200 * time.Nanosecond,
		Duration: 200 * time.Microsecond, Warmup: 20 * time.Microsecond, Patience: 2 * time.Millisecond,
	}
	set(&s)
	machine, err := machines.Find("milan-2s")
	if err != nil {
		t.Fatal(err)
	}
	err = errors.New("Run did not return")
	_, hangs := sim.Config{Machine: &machine.Machine, CPUs: s.CPUs, Limit: 50 * time.Millisecond}.Run(func() {
		began := primitives.Nanotime()
		sample, err = Run(context.Background(), s)
		took = time.Duration(primitives.Nanotime() - began)
	})
	if stuck := (*StuckError)(nil); hangs != nil && !errors.As(err, &stuck) {
		t.Errorf("the simulation: %v", hangs)
	}
	return sample, took, err
}

// The harness runs from start to end under an engine that is not the model checker: on
// the machine and in the time of the simulator.
func TestSimulated(t *testing.T) {
	restoresCPUs(t)
	lock := subject[word]("word")
	lock.Pinned = subject[pinnedWord]("pinned").New
	for _, test := range []struct {
		name        string
		set         func(*Scenario)
		unit        string // of a time
		least, most float64
	}{
		{"alone", func(s *Scenario) { s.CPUs, s.Workers = 1, 1 }, "ns/op", 300, 1000},
		{"four", func(s *Scenario) {}, "ns/op", 100, 1500},
		{"twelve", func(s *Scenario) { s.Workers = 12 }, "ns/op", 100, 1500},
		{"reads", func(s *Scenario) { s.Reads = 50 }, "ns/op", 100, 1500},
		{"pinned", func(s *Scenario) { s.Mode = Pinned }, "ns/op", 100, 1500},
		{"latency", func(s *Scenario) { s.Latency = true }, "write-p99-ns", 100, 200_000},
		{"long", func(s *Scenario) { s.Hold = 2 * time.Microsecond }, "ns/op", 2000, 5000},
		{"workload", func(s *Scenario) { s.Workload = workloadNamed(t, "counter") }, "ns/op", 100, 1500},
		{"arrivals", func(s *Scenario) { s.Arrivals = Arrivals{Rate: 1e6} }, "write-p50-ns", 1, 5000},
	} {
		t.Run(test.name, func(t *testing.T) {
			sample, took, err := simulated(t, lock, test.set)
			if err != nil {
				t.Fatal(err)
			}
			if ns := value(t, sample, test.unit); ns < test.least || ns > test.most {
				t.Errorf("%v %s, want %v to %v", ns, test.unit, test.least, test.most)
			}
			if took < 200*time.Microsecond || took > 100*time.Millisecond {
				t.Errorf("it took %v of the simulated time", took)
			}
			for _, v := range sample.Values {
				if slices.Contains([]string{"cpu-ns/op", "B/op", "allocs/op"}, v.Unit) {
					t.Errorf("%v %s, of the process that runs the simulator", v.Value, v.Unit)
				}
			}
		})
	}
}

// A window can end after so many operations. It has what the engine counted in it, for an
// operation, and how steady it was.
func TestSimulatedQuota(t *testing.T) {
	restoresCPUs(t)
	const quota = 4000
	calls := 0
	sample, _, err := simulated(t, subject[word]("word"), func(s *Scenario) {
		s.Quota = quota
		s.Counts = func() []results.Value {
			calls++
			return []results.Value{{Unit: "lines/op", Value: float64(sim.Running().Operations)}}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls != 3 {
		t.Errorf("Counts was called %d times, want 3", calls)
	}
	if sample.Ops < quota || sample.Ops > quota*5/4 {
		t.Errorf("%d operations, want %d or a few more", sample.Ops, quota)
	}
	// The lock and its section are at least 7 steps, and those of a waiter.
	if n := value(t, sample, "lines/op"); n < 7 || n > 40 {
		t.Errorf("%v steps for an operation", n)
	}
	if drift := value(t, sample, "drift"); drift > 0.2 {
		t.Errorf("drift %v", drift)
	}
	if i := slices.IndexFunc(sample.Values, func(v results.Value) bool { return v.Unit == "overlap" }); i >= 0 {
		t.Error("it has an overlap, and no slices")
	}
}

// There too, a broken lock is found, and one that gets stuck is given up.
func TestSimulatedFaults(t *testing.T) {
	restoresCPUs(t)
	broken := (*BrokenError)(nil)
	if _, _, err := simulated(t, subject[carelessWord]("careless"), func(*Scenario) {}); !errors.As(err, &broken) {
		t.Errorf("Run of a lock that lets in all = %v, want a BrokenError", err)
	}
	stuck := (*StuckError)(nil)
	_, _, err := simulated(t, subject[lostWord]("lost"), func(*Scenario) {})
	if !errors.As(err, &stuck) || !strings.Contains(stuck.Cause, "has not released it") {
		t.Fatalf("Run of a lock that is not released = %v, want a StuckError that says so", err)
	}
	if stuck.For < 2*time.Millisecond || stuck.For > 100*time.Millisecond {
		t.Errorf("given up after %v, want 2ms or a little more", stuck.For)
	}
}
