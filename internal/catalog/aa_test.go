package catalog_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
)

// A relocker is a workload whose worker 1 locks the lock that it holds, in Write and in
// Read.
type relocker struct{ again func() }

func (d relocker) Write(worker int) {
	if worker == 1 {
		d.again()
	}
}
func (d relocker) Read(worker int) { d.Write(worker) }
func (d relocker) Verify() error   { return nil }

// TestAADeadlock makes a worker of every lock wait for itself in every mode, each in a
// process of its own, since that worker waits without end: it locks for writing a lock
// that it holds for writing or, as an upgrade, for reading.
func TestAADeadlock(t *testing.T) {
	if how := os.Getenv("LOCKBENCH_DEADLOCK"); how != "" {
		deadlock(t, how)
		return
	}
	for _, e := range catalog.Locks() {
		if e.Unlocked || e.Name == "busted" || e.Name == "chan" { // stacks do not say of which channel
			continue
		}
		for _, mode := range []harness.Mode{harness.Goroutine, harness.Thread, harness.Pinned} {
			s := harness.Scenario{Subject: e.Subject, Mode: mode, CPUs: 2, Workers: 2}
			pins := e.Pins || mode == harness.Pinned
			switch {
			case s.Validate() != nil: // no such lock, or no such mode
				continue
			case pins && !unpreemptible: // the worker's state is not known
				continue
			case e.Pins && mode != harness.Thread: // it is the mode of the lock without -pinned
				continue
			case mode == harness.Thread && testing.Short():
				continue
			}
			fresh := e.New
			if mode == harness.Pinned {
				fresh = e.Pinned
			}
			wantIn(t, e.Name, mode, 0, fresh(), "holds the lock, and locks it again in the workload's Write")
			_, reads := worker(fresh()).(harness.RWLocker)
			if !reads || mode == harness.Thread || e.Name == "sync.RWMutex" { // stacks do not say of which RWMutex
				continue
			}
			want := "holds the lock for reading, and locks it for writing in the workload's Read"
			if pins { // its stack cannot be taken there
				want = "holds the lock, and locks it again in the workload's Read"
			}
			wantIn(t, e.Name, mode, 100, fresh(), want)
		}
	}
}

// worker returns l as a worker sees it.
func worker(l sync.Locker) sync.Locker {
	if v, ok := l.(viewed); ok {
		return v.Worker()
	}
	return l
}

// wantIn asserts, in a test of its own, what the harness says about a deadlock of a
// lock like l: the cause, and the state if the lock knows it.
func wantIn(t *testing.T, name string, mode harness.Mode, reads int, l sync.Locker, cause string) {
	t.Run(fmt.Sprintf("%s/%v/reads=%d", name, mode, reads), func(t *testing.T) {
		t.Parallel()
		want := "\n\tcause: AA deadlock: worker 1 " + cause + "\n"
		if _, ok := l.(fmt.Stringer); ok {
			want += "\tstate: "
		}
		var said string
		// On a busy machine a worker may not run for as long as the watchdog waits.
		for patience := 100 * time.Millisecond; patience < 10*time.Second; patience *= 4 {
			cmd := exec.Command(os.Args[0], "-test.run=^TestAADeadlock$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("LOCKBENCH_DEADLOCK=%s %v %d %v", name, mode, reads, patience))
			out, err := cmd.CombinedOutput()
			said = fmt.Sprintf("%v, %s", err, out)
			if _, state, ok := strings.Cut(said, want); ok && !strings.HasPrefix(state, "unlocked") {
				return
			}
		}
		t.Errorf("%s\nwant %s", said, want)
	})
}

// deadlock runs a lock in a mode, with a share of reads, until it is stuck, prints the
// error of a watchdog with some patience, and exits.
func deadlock(t *testing.T, how string) {
	var name, mode, patience string
	s := harness.Scenario{CPUs: 2, Workers: 2, Duration: 50 * time.Millisecond}
	_, err := fmt.Sscan(how, &name, &mode, &s.Reads, &patience)
	if err == nil {
		s.Patience, err = time.ParseDuration(patience)
	}
	if err != nil {
		t.Fatal(err)
	}
	entries, err := catalog.Match(name)
	if err != nil {
		t.Fatal(err)
	}
	s.Subject = entries[0].Subject
	if err := s.Mode.UnmarshalText([]byte(mode)); err != nil {
		t.Fatal(err)
	}
	// The harness makes more locks than it uses. The search for the one in use locks
	// the free ones.
	var locks []sync.Locker
	keep := func(fresh func() sync.Locker) func() sync.Locker {
		return func() sync.Locker {
			locks = append(locks, fresh())
			return locks[len(locks)-1]
		}
	}
	s.New, s.Pinned = keep(s.New), keep(s.Pinned)
	s.Workload = harness.Workload{Name: "relocker", New: func(int, uint64) harness.Data {
		return relocker{func() {
			for _, l := range locks {
				l.Lock()
			}
		}}
	}}
	_, err = harness.Run(context.Background(), s)
	fmt.Println(err)
	os.Exit(1)
}
