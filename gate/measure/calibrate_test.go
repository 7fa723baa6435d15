package measure

import (
	"testing"
	"time"
)

// A benchmark that runs alone has a few slices, of which the fastest counts, in turns of
// one; a contended one has many, of which the median counts, in longer turns.
func TestSchedule(t *testing.T) {
	for _, of := range []struct {
		cpu                  int
		slice, wanted        time.Duration
		slices, warm, length int
	}{
		{1, 4 * time.Millisecond, 3 * time.Millisecond, 7, 1, 1},
		{1, 20 * time.Millisecond, 3 * time.Millisecond, 3, 1, 1},
		{1, time.Second, 3 * time.Millisecond, 1, 0, 1},
		{1, 60 * time.Millisecond, 50 * time.Millisecond, 7, 1, 1}, // as asked for
		{2, 2500 * time.Microsecond, 3 * time.Millisecond, 39, 1, 8},
		{2, 10 * time.Millisecond, 3 * time.Millisecond, 15, 1, 2},
		{2, time.Second, 3 * time.Millisecond, 1, 0, 1},
		{8, 0, 3 * time.Millisecond, 39, 1, 20_000_000}, // no clock is that fast, but nothing may divide by 0
	} {
		slices, warm, length := schedule(of.cpu, of.slice, of.wanted)
		if slices != of.slices || warm != of.warm || length != of.length {
			t.Errorf("%d CPUs, slices of %v for %v: %d slices, %d dropped, turns of %d; want %d, %d, %d",
				of.cpu, of.slice, of.wanted, slices, warm, length, of.slices, of.warm, of.length)
		}
	}
}
