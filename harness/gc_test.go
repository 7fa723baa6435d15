package harness

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
)

// A collected is a lock that notes the setting of the collector.
type collected struct {
	sync.Mutex
	seen map[GC]bool
}

func (l *collected) Lock() {
	l.Mutex.Lock()
	if l.seen != nil {
		l.seen[ProcessGC()] = true
	}
}

// The collector works as the scenario says while the workers run, and as before
// afterwards; if sections are pinned it is off.
func TestGC(t *testing.T) {
	before := ProcessGC()
	for _, test := range []struct {
		gc, want GC
		pinned   bool
		key      string
	}{
		{0, before, false, ""}, {GCOff, GCOff, false, "off"}, {50, 50, false, "50"}, {GCDefault, GCDefault, false, ""},
		{GCOff, GCOff, true, "off"}, {GCDefault, GCOff, true, ""},
	} {
		seen := make(map[GC]bool)
		s := quick(Subject{Name: "collected", New: func() sync.Locker { return &collected{seen: seen} }})
		s.GC = test.gc
		if test.pinned {
			s.Mode = Pinned
			s.Subject.New = func() sync.Locker { return new(collected) }
			s.Subject.Pinned = func() sync.Locker {
				seen[ProcessGC()] = true
				return new(pinnedSpinner)
			}
		}
		sample, err := Run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[GC]bool{test.want: true}; !reflect.DeepEqual(seen, want) {
			t.Errorf("gc %v: the process had %v, want %v", test.gc, seen, want)
		}
		if after := ProcessGC(); after != before {
			t.Fatalf("gc %v: the process has %v afterwards, want %v", test.gc, after, before)
		}
		_, cycles := sample.Value("gc-cycles/s")
		_, pauses := sample.Value("gc-pause-ns/op")
		if asked := test.gc != 0; cycles != asked || pauses != asked {
			t.Errorf("gc %v: gc-cycles/s %t, gc-pause-ns/op %t, want %t", test.gc, cycles, pauses, asked)
		}
		if sample.Cell.GC != test.key {
			t.Errorf("gc %v: key %q, want %q", test.gc, sample.Cell.GC, test.key)
		}
	}
}

// Pinned scenarios are left out if the collector is to have another setting than off.
func TestSweepGC(t *testing.T) {
	s := smallSweep()
	pins := subject[spinner]("pins")
	pins.Pins = true
	s.Subjects, s.GCs = []Subject{mutex, pins}, []GC{10, GCDefault, GCOff}
	if n := len(s.Scenarios()); n != (3+2)*4 {
		t.Errorf("%d scenarios, want %d", n, (3+2)*4)
	}
	if out := s.LeftOut(); len(out) != 1 || out[0].Locks[0] != "pins" || !strings.Contains(out[0].Why, "not 10") {
		t.Errorf("left out %v, want the lock that pins, at 10", out)
	}
	s.GCs = []GC{10, 10, -2}
	err := s.Validate()
	for _, want := range []string{"gc 10: given twice", "gc -2: must be off, or 1 to 10000", `lock "pins": is pinned`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, want %q", err, want)
		}
	}
}
