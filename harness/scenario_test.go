package harness

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

func TestScenarioValidate(t *testing.T) {
	if err := quick(mutex).Validate(); err != nil {
		t.Errorf("Validate of a good scenario: %v", err)
	}
	bad := Scenario{
		Subject:  Subject{Name: "a lock"},
		Reads:    101,
		Hold:     -1,
		Think:    -2,
		Mode:     Pinned,
		Duration: -3,
		Quota:    7,
		Arrivals: Arrivals{Load: 0.5},
		Counts:   func() []results.Value { return nil },
		Warmup:   -4,
		Patience: -5,
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("Validate of a bad scenario: no error")
	}
	want := []string{
		`lock "a lock": must be printable, without spaces and "/"`,
		`lock "a lock": New is nil, want a function that returns a lock`,
		`lock "a lock": cannot be held pinned, want another mode`,
		"CPUs 0: must be at least 1",
		"workers 0: must be at least 1",
		"reads 101: must be 0 to 100",
		"hold -1ns: must be at least 0s",
		"think -2ns: must be at least 0s",
		"duration -3ns: must be positive, or 0s for the default",
		"quota 7: must be 0 in an open loop",
		"counts set: must be nil on the host: they are an engine's",
		"warmup -4ns: must be positive, or 0s for the default",
		"patience -5ns: must be positive, or 0s for the default",
	}
	if got := err.Error(); got != strings.Join(want, "\n") {
		t.Errorf("Validate:\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if _, err := Run(context.Background(), bad); err == nil {
		t.Error("Run of a bad scenario: no error")
	}
}

func TestModeText(t *testing.T) {
	for _, want := range []Mode{Goroutine, Thread, Pinned} {
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Mode
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Errorf("UnmarshalText(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	var m Mode
	const want = `unknown mode "fiber" (known: goroutine, thread, pinned)`
	if err := m.UnmarshalText([]byte("fiber")); err == nil || err.Error() != want {
		t.Errorf("UnmarshalText(fiber): %v, want %s", err, want)
	}
}

func TestDefaults(t *testing.T) {
	for _, test := range []struct {
		workers          int
		duration, warmup time.Duration
	}{
		{2, 3 * time.Millisecond, 300 * time.Microsecond},
		{3, 100 * time.Millisecond, 10 * time.Millisecond},
	} {
		s := Scenario{CPUs: 2, Workers: test.workers}.withDefaults()
		if s.Duration != test.duration || s.Warmup != test.warmup || s.Patience != 10*time.Second {
			t.Errorf("%d workers on 2 CPUs: duration %v, warmup %v, patience %v, want %v, %v, 10s",
				test.workers, s.Duration, s.Warmup, s.Patience, test.duration, test.warmup)
		}
	}
}

func TestCell(t *testing.T) {
	s := quick(mutex)
	s.Think = 100 * time.Nanosecond
	const want = "Lock/lock=sync.Mutex/reads=0/workers=2/hold=0s/think=100ns/work=registers-2"
	if got := s.Cell().String(); got != want {
		t.Errorf("Cell = %s, want %s", got, want)
	}
	s.Mode = Thread
	if got := s.Cell().Mode; got != "thread" {
		t.Errorf("mode of Cell in Thread mode = %q, want thread", got)
	}
}
