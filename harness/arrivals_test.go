package harness

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

func TestArrivalsWord(t *testing.T) {
	for _, test := range []struct {
		Arrivals
		want string
		rate bool
	}{
		{Arrivals{}, "", false},
		{Arrivals{Load: .95}, "0.95", false},
		{Arrivals{Load: 1e-7}, "0.0000001", false},
		{Arrivals{Rate: 100_000}, "100k-per-s", true},
		{Arrivals{Rate: 2.5e6}, "2.5M-per-s", true},
		{Arrivals{Rate: 999}, "999-per-s", true},
	} {
		s := quick(mutex)
		s.Arrivals = test.Arrivals
		cell := s.Cell()
		if cell.Load != test.want {
			t.Errorf("%#v: %q, want %q", test.Arrivals, cell.Load, test.want)
		}
		back, err := results.ParseCell(cell.String())
		if err != nil || back != cell {
			t.Errorf("%#v: back from the file %v, %v, want %v", test.Arrivals, back, err, cell)
		}
		number, rate, ok := cell.Arrivals()
		if want := test.Load + test.Rate; ok == test.Closed() || rate != test.rate || math.Abs(number-want) > 1e-9*want {
			t.Errorf("%#v: the cell has %v, rate %t, %t", test.Arrivals, number, rate, ok)
		}
	}
}

func TestArrivalsThatMakeNoSense(t *testing.T) {
	for want, arrivals := range map[string][]Arrivals{
		"grows without end":         {{Load: 1}, {Load: 1.5}, {Load: math.Inf(1)}},
		"must be above 0 and below": {{Load: -1}, {Load: math.NaN()}},
		"must be above 0 and at":    {{Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Rate: 1e10}},
		"fewer than 100 arrivals":   {{Rate: 4999}},
		"want one of them":          {{Load: .5, Rate: 1e6}},
	} {
		for _, a := range arrivals {
			s := quick(mutex)
			s.Arrivals, s.Duration = a, 20*time.Millisecond
			if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: Validate = %v, want %q", a, err, want)
			}
		}
	}
	s := quick(mutex)
	s.Arrivals, s.Duration = Arrivals{Rate: 5000}, 20*time.Millisecond
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

// The arrivals of a worker are a Poisson process, by the seed.
func TestSchedule(t *testing.T) {
	s := quick(mutex)
	due := func(id int, seed uint64) (all []float64) {
		s.Seed = seed
		w := newWorker(&run{Scenario: s}, id, new(sync.Mutex))
		w.schedule.gap = 1000
		for range 10_000 {
			w.nextArrival()
			all = append(all, float64(w.schedule.due))
		}
		return all
	}
	one := due(0, 1)
	if !slices.Equal(one, due(0, 1)) {
		t.Error("another schedule with the same seed")
	}
	if slices.Equal(one, due(1, 1)) || slices.Equal(one, due(0, 2)) {
		t.Error("the same schedule for another worker, or with another seed")
	}
	// The standard deviation of exponential gaps is their mean, and 1/e of them are
	// longer than it.
	sum, squares, longer := 0.0, 0.0, 0
	for i, at := range one[1:] {
		gap := at - one[i]
		sum, squares = sum+gap, squares+gap*gap
		if gap > 1000 {
			longer++
		}
	}
	n := float64(len(one) - 1)
	mean := sum / n
	if sd := math.Sqrt(squares/n - mean*mean); math.Abs(mean-1000) > 50 || math.Abs(sd-1000) > 70 {
		t.Errorf("gaps of %.0f ns that deviate by %.0f, want 1000 for both", mean, sd)
	}
	if share := float64(longer) / n; math.Abs(share-1/math.E) > .025 {
		t.Errorf("%.3f of the gaps are above average, want %.3f", share, 1/math.E)
	}
}

// In an open loop everything that arrives counts, in all forms of section, in all
// modes, and what the lock protects is verified.
func TestOpenLoop(t *testing.T) {
	rcu := Subject{Name: "rcu", New: func() sync.Locker { return new(flavoured) }}
	pinned := subject[spinner]("spinner")
	pinned.Pinned = func() sync.Locker { return new(pinnedSpinner) }
	for _, l := range []Subject{pinned, rwmutex, subject[sequenced]("sequenced"), rcu} {
		everywhere(t, l, func(t *testing.T, s Scenario) {
			if s.Mode == Pinned && l.Pinned == nil {
				t.Skip("it cannot be pinned")
			}
			restoresCPUs(t)
			s.Reads, s.Duration, s.Arrivals = 50, 2*time.Millisecond, Arrivals{Rate: 100_000}
			if s.Workers == 2 {
				s.Arrivals = Arrivals{Load: .5}
			}
			var sample results.Sample
			var got, want float64
			for range 5 { // a machine that stands still for longer than the sample has fewer arrivals
				var err error
				if sample, err = Run(context.Background(), s); err != nil {
					t.Fatal(err)
				}
				if err := sample.Validate(); err != nil {
					t.Error(err)
				}
				if sample.Cell != s.Cell() {
					t.Errorf("sample of %v, want %v", sample.Cell, s.Cell())
				}
				rate := s.Arrivals.Rate
				if s.Arrivals.Load != 0 {
					capacity := value(t, sample, "capacity-ops/s")
					if capacity <= 0 {
						t.Errorf("capacity %v, want more than none: %v", capacity, sample)
					}
					rate = s.Arrivals.Load * capacity
				}
				want = rate * s.Duration.Seconds()
				got = value(t, sample, "offered-ops/s") * s.Duration.Seconds()
				if math.Abs(got-want) <= 1+6*math.Sqrt(want) {
					break
				}
			}
			if math.Abs(got-want) > 1+6*math.Sqrt(want) {
				t.Errorf("%.0f operations arrived, want about %.0f: %v", got, want, sample)
			}
			for _, unit := range []string{"served-ops/s", "saturated", "read-p50-ns", "write-max-ns", "B/op"} {
				if _, ok := sample.Value(unit); !ok && want > 50 {
					t.Errorf("no %s in %v", unit, sample)
				}
			}
			waited := int64(0)
			for _, w := range sample.Waits {
				waited += w.Operations()
				longest := value(t, sample, w.Role+"-max-ns")
				if q := float64(w.Quantile(1)); q < longest || q > 1.07*longest+1 {
					t.Errorf("%s: the longest wait is one of up to %v ns, want %v", w.Role, q, longest)
				}
			}
			if got := value(t, sample, "offered-ops/s") * s.Duration.Seconds(); math.Abs(float64(waited)-got) > .5 {
				t.Errorf("%d operations in the distributions, want all %.0f that arrived", waited, got)
			}
			for _, unit := range []string{"ns/op", "ops/s", "jain"} { // which mean nothing in an open loop
				if _, ok := sample.Value(unit); ok {
					t.Errorf("%s in %v", unit, sample)
				}
			}
		})
	}
}

// A heavy lock takes 10 µs to acquire, or longer, whatever the machine.
type heavy struct{ spinner }

func (l *heavy) Lock() {
	l.spinner.Lock()
	for began := time.Now(); time.Since(began) < 10*time.Microsecond; {
	}
}

// Operations that arrive twice as fast as they are served wait in a queue that grows to
// half of all that arrived, and all of them count: half of them have waited for at
// least a quarter of the window. In a closed loop none would have waited for more than
// 10 µs.
func TestOpenLoopCountsTheQueue(t *testing.T) {
	s := quick(subject[heavy]("heavy"))
	s.Workers, s.CPUs = 1, 1
	s.Duration, s.Warmup, s.Arrivals = 20*time.Millisecond, 100*time.Microsecond, Arrivals{Rate: 200_000}
	sample, err := Run(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if v := value(t, sample, "saturated"); v != 1 {
		t.Errorf("saturated = %v, want 1: %v", v, sample)
	}
	if got := value(t, sample, "offered-ops/s"); math.Abs(got-200_000) > 20_000 {
		t.Errorf("%v arrivals in a second, want 200000 although half of them were not served: %v", got, sample)
	}
	if got := value(t, sample, "served-ops/s"); got > 101_000 {
		t.Errorf("%v served in a second, want at most 100000: %v", got, sample)
	}
	if got, least := value(t, sample, "write-p50-ns"), float64(s.Duration/5); got < least {
		t.Errorf("half of the operations waited for %v ns or less, want at least %v: %v", got, least, sample)
	}
}

// All workers get the same load; with roles, the role that gets less done gets a lower
// one.
func TestLoadOfRoles(t *testing.T) {
	s := quick(rwmutex)
	s.Arrivals = Arrivals{Load: .5}
	reached := []float64{100, 300, 40}
	if got, want := s.asked(reached), []float64{220. / 3, 220. / 3, 220. / 3}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
	s.Readers, s.Writers = 2, 1
	if got, want := s.asked(reached), []float64{100, 100, 20}; !slices.Equal(got, want) {
		t.Errorf("2 readers and 1 writer are asked for %v, want %v", got, want)
	}
}

func TestSaturated(t *testing.T) {
	for _, test := range []struct {
		arrived, served uint64
		want            bool
	}{
		{0, 0, false},
		{1000, 1000, false},
		{1000, 1200, false}, // it served operations that were due before
		{1000, 900, false},  // by chance
		{1000, 800, true},
		{1_000_000, 990_000, false},
		{1_000_000, 980_000, true},
	} {
		if got := saturated(test.arrived, test.served); got != test.want {
			t.Errorf("saturated(%d, %d) = %t, want %t", test.arrived, test.served, got, test.want)
		}
	}
}

func TestOpenLoopFindsABrokenLock(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	s := quick(subject[worn]("worn"))
	s.Duration, s.Hold, s.Arrivals = 10*time.Millisecond, time.Microsecond, Arrivals{Rate: 1e6}
	wrong(t, s, "")
}

func TestSweepOfArrivals(t *testing.T) {
	s := smallSweep()
	s.Arrivals = []Arrivals{{Load: .5}, {Rate: 1e7}}
	cells := make(map[string]int)
	for _, c := range s.Scenarios() {
		cells[c.Cell().Load]++
	}
	if len(cells) != 2 || cells["0.5"] != 8 || cells["10M-per-s"] != 8 {
		t.Errorf("scenarios by load: %v, want 8 of each", cells)
	}
	if n := len(order(t, s)); n != 3*16 {
		t.Errorf("%d samples, want %d", n, 3*16)
	}
	s.Arrivals = append(s.Arrivals, Arrivals{Load: .5}, Arrivals{Load: 2})
	s.Counters = true
	err := s.Validate()
	for _, want := range []string{"counters true: must be false in an open loop", "arrivals 0.5: given twice", "load 2: must be below 1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, want %q", err, want)
		}
	}
}
