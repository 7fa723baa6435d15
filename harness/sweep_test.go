package harness

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

func smallSweep() Sweep {
	return Sweep{
		Subjects:      []Subject{mutex, rwmutex},
		CPUs:          []int{1, 2},
		WorkersPerCPU: []int{1},
		Reads:         []int{0, 50},
		Hold:          []time.Duration{0},
		Think:         []time.Duration{0},
		Duration:      50 * time.Microsecond,
		Warmup:        10 * time.Microsecond,
		Count:         3,
		Seed:          1,
	}
}

// order runs s and returns its cells in the order in which they were measured.
func order(t *testing.T, s Sweep) []results.Cell {
	t.Helper()
	var cells []results.Cell
	err := s.Run(context.Background(), func(p Progress) error {
		cells = append(cells, p.Sample.Cell)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

func TestSweepRounds(t *testing.T) {
	s := smallSweep()
	n := len(s.Scenarios())
	if n != 8 {
		t.Fatalf("%d scenarios, want 8", n)
	}

	cells := order(t, s)
	if len(cells) != 3*n {
		t.Fatalf("%d samples, want %d", len(cells), 3*n)
	}
	for round := range 3 {
		seen := make(map[results.Cell]bool)
		for _, c := range cells[round*n : (round+1)*n] {
			seen[c] = true
		}
		if len(seen) != n {
			t.Errorf("round %d measured %d cells, want all %d", round+1, len(seen), n)
		}
	}
	if slices.Equal(cells[:n], cells[n:2*n]) {
		t.Error("two rounds went in the same order")
	}
	if !slices.Equal(order(t, s), cells) {
		t.Error("another run with the same seed went in another order")
	}
	s.Seed++
	if slices.Equal(order(t, s), cells) {
		t.Error("another run with another seed went in the same order")
	}
}

func TestSweepProgress(t *testing.T) {
	s := smallSweep()
	s.Done = map[results.Cell]int{
		s.Scenarios()[0].Cell(): 2,
		s.Scenarios()[1].Cell(): 99, // more than Count: the cell is complete
		{Lock: "another"}:       1,  // not of this sweep
	}
	done := 2 + 3
	err := s.Run(context.Background(), func(p Progress) error {
		done++
		if p.Done != done || p.Total != 24 {
			t.Errorf("progress %d of %d, want %d of 24", p.Done, p.Total, done)
		}
		return nil
	})
	if err != nil || done != 24 {
		t.Errorf("done %d of 24, error %v", done, err)
	}
}

// Scenarios in addition to the product are measured as often as the others, and once if
// the product has them; what More asks for comes after all of them.
func TestSweepExtraAndMore(t *testing.T) {
	s := smallSweep()
	s.Extra = []Scenario{
		{Subject: mutex, CPUs: 1, Workers: 1, Reads: 100},
		{Subject: mutex, CPUs: 1, Workers: 1, Reads: 50},
	}
	all := s.Scenarios()
	if len(all) != 9 || all[8].Reads != 100 || all[8].Duration != s.Duration {
		t.Fatalf("%d scenarios, the last with %d %% reads for %v; want 9, 100 %% and %v", len(all), all[8].Reads, all[8].Duration, s.Duration)
	}
	var asked []int
	s.More = func(round int, scenarios []Scenario) []Scenario {
		asked = append(asked, round)
		return scenarios[:max(0, 5-round)]
	}
	s.Done = map[results.Cell]int{all[0].Cell(): 4} // three rounds, and the first of More
	cells := order(t, s)
	if want := []int{3, 4, 5}; !slices.Equal(asked, want) {
		t.Errorf("asked for more in rounds %v, want %v", asked, want)
	}
	// Three rounds of nine, without the three of one cell that exist already; then two
	// cells, without the one that exists; then one.
	if got, want := len(cells), 3*9-3+1+1; got != want {
		t.Fatalf("%d samples, want %d", got, want)
	}
	if got, want := cells[len(cells)-2:], []results.Cell{all[1].Cell(), all[0].Cell()}; !slices.Equal(got, want) {
		t.Errorf("the last are %v, want %v", got, want)
	}

	s.Extra[0].Reads = 101
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "reads 101") {
		t.Errorf("Validate = %v, want it to refuse 101 %% reads", err)
	}
}

// A sweep that is interrupted at any sample and resumed measures every cell as often in
// every round as one that is not interrupted.
func TestSweepResume(t *testing.T) {
	whole := order(t, smallSweep())
	for stop := range len(whole) {
		var samples []results.Sample
		interrupted := errors.New("interrupted")
		s := smallSweep()
		err := s.Run(context.Background(), func(p Progress) error {
			samples = append(samples, p.Sample)
			if len(samples) == stop+1 {
				return interrupted
			}
			return nil
		})
		if !errors.Is(err, interrupted) {
			t.Fatalf("Run = %v, want %v", err, interrupted)
		}

		s.Done = (&results.File{Samples: samples}).Done()
		err = s.Run(context.Background(), func(p Progress) error {
			samples = append(samples, p.Sample)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var cells []results.Cell
		for i, s := range samples {
			cells = append(cells, s.Cell)
			if want := i/8 + 1; s.Round != want {
				t.Errorf("stopped after %d: sample %d is of round %d, want %d", stop+1, i, s.Round, want)
			}
		}
		if !slices.Equal(cells, whole) {
			t.Errorf("stopped after %d: measured %v, want %v", stop+1, cells, whole)
		}
	}
}

func TestSweepCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	n := 0
	err := smallSweep().Run(ctx, func(Progress) error {
		if n++; n == 5 {
			cancel(cause)
		}
		return nil
	})
	if !errors.Is(err, cause) || n != 5 {
		t.Errorf("cancelled at sample 5: %d samples, error %v; want 5, %v", n, err, cause)
	}
}

func TestSweepValidate(t *testing.T) {
	err := Sweep{
		Subjects:      []Subject{mutex, rwmutex, mutex},
		CPUs:          []int{0, 2, 2},
		WorkersPerCPU: []int{-1},
		Reads:         []int{101, -1},
		Hold:          []time.Duration{-1},
		Modes:         []Mode{Pinned, Pinned},
		Duration:      -1,
	}.Validate()
	want := []string{
		`lock "sync.Mutex": cannot be held pinned, want another mode`,
		`lock "sync.RWMutex": cannot be held pinned, want another mode`,
		"mode pinned: given twice",
		"lock sync.Mutex: given twice",
		"CPUs 0: must be at least 1",
		"CPUs 2: given twice",
		"workers -1: must be at least 1",
		"reads 101: must be 0 to 100",
		"reads -1: must be 0 to 100",
		"hold -1ns: must be at least 0s",
		"think: want at least one",
		"duration -1ns: must be positive, or 0s for the default",
		"count 0: must be at least 1",
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("Validate:\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
}

// A lock that cannot be in one mode is left out there, and reported as left out; one
// that cannot be in any is refused.
func TestSweepModes(t *testing.T) {
	s := smallSweep()
	pinnable := subject[spinner]("spinner")
	pinnable.Pinned = func() sync.Locker { return new(pinnedSpinner) }
	s.Subjects, s.CPUs, s.Reads, s.Count = []Subject{mutex, pinnable}, []int{1}, []int{0}, 1
	s.Modes = []Mode{Goroutine, Pinned}
	var have []string
	for _, c := range order(t, s) {
		have = append(have, c.Lock+" "+c.Mode)
	}
	slices.Sort(have)
	if want := []string{"spinner ", "spinner pinned", "sync.Mutex "}; !slices.Equal(have, want) {
		t.Errorf("measured %q, want %q", have, want)
	}
	want := []LeftOut{{"cannot be held pinned, want another mode", []string{"sync.Mutex"}}}
	if got := s.LeftOut(); !reflect.DeepEqual(got, want) {
		t.Errorf("left out %q, want %q", got, want)
	}
	s.Modes = []Mode{Pinned}
	if err := s.Validate(); err == nil || err.Error() != `lock "sync.Mutex": cannot be held pinned, want another mode` {
		t.Errorf("Validate of a mode that a lock cannot be in = %v", err)
	}
}

// Faults of a sweep are reported before anything is measured.
func TestSweepRunValidates(t *testing.T) {
	s := smallSweep()
	s.Reads = append(s.Reads, 200)
	err := s.Run(context.Background(), func(Progress) error {
		t.Error("measured a sample of a bad sweep")
		return nil
	})
	if err == nil {
		t.Error("Run of a bad sweep: no error")
	}
}

// Shards have every scenario once, and all locks of a situation.
func TestShards(t *testing.T) {
	whole := Sweep{
		Subjects: []Subject{mutex, rwmutex},
		CPUs:     []int{1, 2}, WorkersPerCPU: []int{1, 2}, Reads: []int{0, 50, 100}, Hold: []time.Duration{0}, Think: []time.Duration{0}, Count: 1,
	}
	all := whole.Scenarios()
	for _, n := range []int{1, 2, 5, 20} {
		seen := make(map[results.Cell]int)
		situations := make(map[results.Cell]int)
		for i := range n {
			s := whole
			s.Shard, s.Shards = i+1, n
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			for _, c := range s.Scenarios() {
				seen[c.Cell()]++
				in := c.Cell().Scenario()
				if was, ok := situations[in]; ok && was != i {
					t.Errorf("%d shards: %v is in two", n, in)
				}
				situations[in] = i
			}
		}
		if len(seen) != len(all) {
			t.Errorf("%d shards have %d scenarios, want %d", n, len(seen), len(all))
		}
		for cell, times := range seen {
			if times != 1 {
				t.Errorf("%d shards have %v %d times", n, cell, times)
			}
		}
	}
	for _, s := range [][2]int{{0, 2}, {3, 2}, {1, 0}, {-1, 2}, {0, -1}} {
		bad := whole
		bad.Shard, bad.Shards = s[0], s[1]
		if bad.Validate() == nil {
			t.Errorf("shard %d of %d is no error", s[0], s[1])
		}
	}
}
