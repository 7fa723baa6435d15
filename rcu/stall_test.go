package rcu_test

import (
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// holdsUp begins and ends a section, and calls f inside.
func holdsUp(h rcu.Handle, f func()) { read(h, f) }

// An overdue grace period is reported at the age StallAfter, and each time three
// times that have passed: neither less often nor more. The report has the readers
// that hold it up and no others. The clock is the test's.
func TestStallExactly(t *testing.T) {
	noGC(t)
	const after = 21 * time.Second
	want := map[string]string{
		"domain": "1 in sections begun on CPU", "domain, traced": "section 1",
		"pinned": "CPU ", "pinned, traced": "CPU ",
		"registered": "reader 1", "registered, traced": "reader 1",
		"qsbr": "reader 1, without a quiescent state", "qsbr, traced": "reader 1, without a quiescent state",
	}
	for _, name := range names {
		for _, traced := range []bool{false, true} {
			subject := name
			if traced {
				subject += ", traced"
			}
			t.Run(subject, func(t *testing.T) {
				var clock, looks primitives.Int64
				clock.Store(int64(time.Hour))
				defer rcu.SetClock(func() int64 {
					looks.Add(1)
					return clock.Load()
				})()
				var log strings.Builder // used, like stalls, by the goroutine that runs the grace period
				var stalls []rcu.Stall
				f := flavours[name](rcu.Config{
					Name: "demo", StallAfter: after, Trace: traced, Logger: slog.New(slog.NewTextHandler(&log, nil)),
					OnStall: func(s rcu.Stall) { stalls = append(stalls, s) },
				})
				var inside, leave primitives.Bool
				var group sync.WaitGroup
				group.Go(func() {
					h := reader(f)
					h.Online()
					holdsUp(h, func() {
						inside.Store(true)
						spinUntil(leave.Load)
					})
					h.Offline()
				})
				spinUntil(inside.Load)
				clock.Add(int64(time.Minute)) // it has been inside before
				began := clock.Load()
				group.Go(f.Synchronize)
				spinUntil(f.Running)
				// at sets the clock, and waits until the grace period has seen it.
				at := func(age time.Duration, reports uint64) {
					t.Helper()
					seen := func() {
						for n := looks.Load(); looks.Load() < n+4; {
							runtime.Gosched()
						}
					}
					seen()
					clock.Store(began + int64(age))
					seen()
					if n := f.Stats().Stalls; n != reports {
						t.Errorf("%d reports at an age of %v, want %d", n, age, reports)
					}
				}
				at(after-1, 0)
				at(after, 1)
				at(after*119/100, 1)
				later := reader(f)
				if name != "pinned" { // another pinned reader would need another CPU
					later.Online()
					later.ReadLock()
				}
				at(4*after-1, 1)
				at(4*after, 2)
				at(7*after-1, 2)
				at(30*after, 3) // four reports are due, and one comes
				at(31*after-1, 3)
				at(31*after, 4)
				if name != "pinned" {
					later.ReadUnlock()
					later.Offline()
				}
				leave.Store(true)
				group.Wait()

				if len(stalls) != 4 || strings.Count(log.String(), "a grace period is stalled") != 4 {
					t.Fatalf("%d stalls, want 4; log:\n%s", len(stalls), &log)
				}
				for i, s := range stalls {
					age := []time.Duration{after, 4 * after, 30 * after, 31 * after}[i]
					if s.Age != age || s.Name != "demo" || s.Period != 1 {
						t.Errorf("report %d: age %v, name %q, period %d; want %v, demo, 1", i, s.Age, s.Name, s.Period, age)
					}
					if (name == "pinned") == strings.Contains(s.Stacks, "TestStallExactly") {
						t.Errorf("report %d: stacks %.100q", i, s.Stacks)
					}
					if len(s.Holdups) != 1 || !strings.HasPrefix(s.Holdups[0].Reader, want[subject]) {
						t.Errorf("report %d: holdups %+v, want one, %q", i, s.Holdups, want[subject])
						continue
					}
					h := s.Holdups[0]
					if since := age + time.Minute; traced && (h.Since != since || h.AtLeast || !strings.Contains(h.Stack, "rcu_test.")) {
						t.Errorf("report %d: since %v, at least %v, stack %q; want %v, and where it began", i, h.Since, h.AtLeast, h.Stack, since)
					}
					if !traced && (h.Since > age || h.Since < age-after+1 || !h.AtLeast || h.Stack != "") {
						t.Errorf("report %d: since %v, at least %v, stack %q; want about %v, and no stack", i, h.Since, h.AtLeast, h.Stack, age)
					}
					if now := strings.Contains(h.Now, "rcu_test.holdsUp"); now != (traced && name != "pinned") {
						t.Errorf("report %d: the reader's present stack: %q", i, h.Now)
					}
				}
				if log := log.String(); !strings.Contains(log, `"look for"=`) || (name == "pinned") == strings.Contains(log, `stacks="goroutine `) {
					t.Errorf("log, want what to look for, and stacks:\n%s", log)
				}
			})
		}
	}
}

// A log has only a part of a long report's stacks and readers.
func TestStallLogIsBounded(t *testing.T) {
	const readers = 200
	var log strings.Builder
	var stall rcu.Stall
	stalled, deep := make(chan bool, 1), make(chan bool)
	q := rcu.NewQSBR(rcu.Config{
		StallAfter: time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		OnStall: func(s rcu.Stall) {
			stall = s
			select {
			case stalled <- true:
			default:
			}
		},
	})
	var group, waiters sync.WaitGroup
	var all []*rcu.QuiescentReader
	for range readers {
		all = append(all, q.Register())
		waiters.Go(func() { <-deep })
	}
	group.Go(q.Synchronize)
	<-stalled
	for _, r := range all {
		r.Unregister()
	}
	group.Wait()
	close(deep)
	waiters.Wait()
	if len(stall.Stacks) < 20_000 {
		t.Errorf("%d bytes of stacks in the report, want those of all goroutines", len(stall.Stacks))
	}
	first, _, _ := strings.Cut(log.String(), "\n")
	if n := len(first); n > 24_000 || !strings.Contains(first, "bytes more") || !strings.Contains(first, " holdups=") || strings.Contains(first, "holdup21.") {
		t.Errorf("%d bytes of log, want 16 KiB of stacks, 20 readers, and how many there are:\n%.500s", n, first)
	}
}

// TestStall25s holds a reader of each flavour for 25 s, and logs the report that
// comes after 21: it takes 100 s, so it is run only when asked for.
//
//	RCU_STALL_25S=1 go test -run TestStall25s -v ./rcu
func TestStall25s(t *testing.T) {
	if os.Getenv("RCU_STALL_25S") == "" {
		t.Skip("RCU_STALL_25S is not set")
	}
	noGC(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			f := flavours[name](rcu.Config{Trace: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			var inside primitives.Bool
			var group sync.WaitGroup
			group.Go(func() {
				h := reader(f)
				h.Online()
				holdsUp(h, func() {
					inside.Store(true)
					for began := primitives.Nanotime(); primitives.Nanotime()-began < int64(25*time.Second); {
					}
				})
				h.Offline()
			})
			spinUntil(inside.Load)
			f.Synchronize()
			group.Wait()
			f.Close()
			if n := f.Stats().Stalls; n != 1 {
				t.Errorf("%d reports, want 1", n)
			}
			t.Logf("\n%s", strings.ReplaceAll(log.String(), `\n`, "\n"))
		})
	}
}
