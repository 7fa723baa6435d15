//go:build virtual

package check

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/engine"
	"github.com/lockbench/lockbench/primitives"
)

// misused runs a body that must fail as misuse. The message must have want, and the
// place must be in this file.
func misused(t *testing.T, name, want string, body func(m *Machine)) {
	t.Helper()
	r, err := Run(Config{}, body)
	switch f := r.Failure; {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case f == nil || f.Kind != Misuse || !strings.Contains(f.Message, want):
		t.Errorf("%s: %v %v; want a misuse that says %q", name, r, f, want)
	case r.Ended || !slices.ContainsFunc(f.Stack, func(c Call) bool { return strings.HasSuffix(c.File, "watch_test.go") }):
		t.Errorf("%s: ended = %v, calls %v; want a search that was given up, and a place in this file", name, r.Ended, f.Stack)
	}
}

// A worker that the host blocks, or that loops without a step, is misuse and
// ends the search.
func TestStuckWorkers(t *testing.T) {
	defer func(every time.Duration, blocked, running int) {
		lookEvery, looksBlocked, looksRunning = every, blocked, running
	}(lookEvery, looksBlocked, looksRunning)
	lookEvery, looksBlocked, looksRunning = 10*time.Millisecond, 5, 20

	misused(t, "a sync.Mutex around a step", "(sync.Mutex.Lock)", func(m *Machine) {
		var mu sync.Mutex
		var word primitives.Uint32
		for range 2 {
			m.Go(func() {
				mu.Lock()
				word.Add(1)
				mu.Unlock()
			})
		}
	})
	misused(t, "a channel", "(chan ", func(m *Machine) {
		c := make(chan int)
		var word primitives.Uint32
		m.GoNamed("receives", func() { word.Add(1); <-c })
		m.Go(func() { word.Add(1); c <- 1 })
	})
	misused(t, "a select", "(select", func(m *Machine) {
		m.Go(func() { select {} })
	})
	stop := make(chan struct{})
	misused(t, "a loop without steps", "a loop that takes no steps", func(m *Machine) {
		m.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	})
	close(stop)

	// A body that is slow, or waits for a goroutine of the host that makes progress, is
	// no misuse.
	r, err := Run(Config{}, func(m *Machine) {
		c := make(chan int)
		go func() {
			for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
			}
			close(c)
		}()
		<-c
		var word primitives.Uint32
		word.Add(1)
	})
	if err != nil || r.Failure != nil {
		t.Errorf("a worker that is helped: %v %v\n%v", err, r, r.Failure)
	}
}

// A goroutine that a go statement starts is not a worker, and must not take steps.
func TestGoStatement(t *testing.T) {
	if !engine.TellsApart {
		t.Skip("goroutines are told apart on amd64 and arm64 alone, and not under purego")
	}
	const want = "a goroutine takes steps that the machine did not start"
	var word primitives.Uint32
	misused(t, "beside the workers", want, func(m *Machine) {
		go word.Add(1)
		m.Go(func() { word.Add(1) })
	})
	misused(t, "that a worker waits for", want, func(m *Machine) {
		var wg sync.WaitGroup
		m.Go(func() {
			wg.Go(func() { word.Add(1) })
			wg.Wait()
		})
	})
	misused(t, "that locks", want, func(m *Machine) {
		var l tas
		done := make(chan bool)
		go func() { defer close(done); l.Lock(); l.Unlock() }()
		<-done
	})
}

// The steps of other goroutines of the program take place on the host.
func TestBesideSearch(t *testing.T) {
	if !engine.TellsApart {
		t.Skip("goroutines are told apart on amd64 and arm64 alone, and not under purego")
	}
	var word primitives.Uint64
	var l tas
	stop, done := make(chan struct{}), make(chan struct{})
	n := 0 // guarded by l
	for range 2 {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				l.Lock()
				n++
				l.Unlock()
				word.Add(1)
			}
		}()
	}
	for word.Load() == 0 {
		runtime.Gosched()
	}
	r, err := Run(Config{}, func(m *Machine) {
		var n primitives.Uint32
		for range 5 {
			m.Go(func() { n.Add(1) })
		}
	})
	close(stop)
	<-done
	<-done
	if err != nil || r.Failure != nil || r.Schedules != 120 {
		t.Errorf("a search while others run: %v %v, want 120 schedules", err, r)
	}
	if uint64(n) != word.Load() {
		t.Errorf("during a search %d of %d sections were counted", n, word.Load())
	}
}
