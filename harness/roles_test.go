package harness

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/results"
)

// A register is a lock that notes for which operations its views were used.
type register struct {
	sync.RWMutex
	views []*entry
}

type entry struct {
	lock          *register
	reads, writes int
}

func (l *register) Worker() sync.Locker {
	l.views = append(l.views, &entry{lock: l})
	return l.views[len(l.views)-1]
}

func (e *entry) Lock()    { e.lock.RWMutex.Lock(); e.writes++ }
func (e *entry) Unlock()  { e.lock.RWMutex.Unlock() }
func (e *entry) RLock()   { e.lock.RWMutex.RLock(); e.reads++ }
func (e *entry) RUnlock() { e.lock.RWMutex.RUnlock() }

// Readers only read and writers only write, with every form of section, and the
// operations of the roles add up to those of all.
func TestRoles(t *testing.T) {
	for _, w := range []Workload{{}, Workloads()[0]} {
		for _, roles := range [][2]int{{3, 1}, {1, 4}, {2, 0}, {0, 2}} {
			var used []*register
			s := quick(Subject{Name: "register", New: func() sync.Locker {
				used = append(used, new(register))
				return used[len(used)-1]
			}})
			s.Workload, s.Latency = w, true
			s.Workers, s.Readers, s.Writers = 0, roles[0], roles[1]
			s.Duration, s.Warmup = 2*time.Millisecond, time.Millisecond
			sample, err := Run(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			n := roles[0] + roles[1]
			// The preflight has 1 worker, and then 3.
			i := slices.IndexFunc(used, func(l *register) bool { return len(l.views) == n })
			if i < 0 {
				t.Fatalf("%v: no lock with %d views", roles, n)
			}
			for id, v := range used[i].views {
				if reader := id < roles[0]; reader && v.writes > 0 || !reader && v.reads > 0 {
					t.Errorf("%v: worker %d read %d times and wrote %d times", roles, id, v.reads, v.writes)
				}
			}
			if sample.Workers != n || sample.Readers != roles[0] || sample.Writers != roles[1] || sample.Reads != 0 {
				t.Errorf("%v: sample of %v", roles, sample.Cell)
			}
			if err := sample.Validate(); err != nil {
				t.Error(err)
			}
			sum := 0.0
			for i, role := range []string{"read", "write"} {
				rate, ok := sample.Value(role + "-ops/s")
				_, paced := sample.Value(role + "-ns/op")
				if want := roles[i] > 0; ok != want || paced != want {
					t.Errorf("%v: %s-ops/s %t, %s-ns/op %t, want both %t", roles, role, ok, role, paced, want)
				}
				if _, timed := sample.Value(role + "-p50-ns"); timed && roles[i] == 0 {
					t.Errorf("%v: times of a role that no worker has: %v", roles, sample)
				}
				sum += rate
			}
			if all := value(t, sample, "ops/s"); sum < .999*all || sum > 1.001*all {
				t.Errorf("%v: the roles did %v in a second, all workers %v", roles, sum, all)
			}
		}
	}
}

// A role that did nothing in the window has waited for all of it.
func TestStarvedRole(t *testing.T) {
	s := quick(rwmutex)
	s.Workers, s.Readers, s.Writers = 0, 1, 1
	r := newRun(s.withDefaults(), new(sync.RWMutex), 2)
	r.workers[0].ops = 10
	r.opened.wall, r.closed.wall = 1000, 2000
	sample := r.sample(pingpong.Trip{}, pingpong.Trip{}, usage{})
	for unit, want := range map[string]float64{"read-ns/op": 100, "write-ns/op": 1000, "read-ops/s": 1e7, "write-ops/s": 0} {
		if got := value(t, sample, unit); got != want {
			t.Errorf("%v %s, want %v", got, unit, want)
		}
	}
}

// RCU's readers and updaters, and those of a lock whose readers retry, keep to their
// roles too: otherwise the count would differ from the number of updates.
func TestRolesOfReadersThatExcludeNone(t *testing.T) {
	for _, subject := range []Subject{newFlavour(ReclaimSync, sound), subject[sequenced]("sequenced")} {
		s := quick(subject)
		s.Workers, s.Readers, s.Writers, s.Latency = 0, 2, 1, true
		sample, err := Run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if value(t, sample, "read-ops/s") == 0 && value(t, sample, "write-ops/s") == 0 {
			t.Errorf("%s: neither role did anything: %v", subject.Name, sample)
		}
		s.Writers = 0
		if sample, err = Run(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		for _, v := range sample.Values {
			if strings.HasPrefix(v.Unit, "write-") || strings.HasPrefix(v.Unit, "gp-") || v.Unit == "max-run" {
				t.Errorf("%s: %s without writers", subject.Name, v.Unit)
			}
		}
	}
}

func TestSweepRoles(t *testing.T) {
	s := smallSweep()
	s.WorkersPerCPU, s.Reads = nil, nil
	s.CPUs, s.Readers, s.Writers, s.Count = []int{2}, []int{0, 1, 3}, []int{1, 2}, 1
	seen := make(map[results.Cell]bool)
	for _, c := range order(t, s) {
		c.Lock = ""
		seen[c] = true
		if c.Workers != c.Readers+c.Writers {
			t.Errorf("%d workers, %d of them readers and %d writers", c.Workers, c.Readers, c.Writers)
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d pairs of readers and writers, want 6: %v", len(seen), seen)
	}
	s.Reads, s.Readers, s.Writers = []int{0}, []int{0, 1, 1}, []int{0, -1}
	want := "readers 1: given twice\nwriters -1: must be at least 0\n" +
		"readers and writers: want no workers per CPU and no shares of reads beside them\n" +
		"readers 0 and writers 0: want at least one worker"
	if err := s.Validate(); err == nil || err.Error() != want {
		t.Errorf("Validate:\n%v\nwant\n%s", err, want)
	}
}
