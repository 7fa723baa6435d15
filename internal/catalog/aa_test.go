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

// A relocker is a workload whose writers lock what they hold.
type relocker struct{ again func(worker int) }

func (d relocker) Write(worker int) { d.again(worker) }
func (d relocker) Read(int)         {}
func (d relocker) Verify() error    { return nil }

// TestAADeadlock has a worker of every lock wait for itself, each in a process
// of its own, which that worker never leaves.
func TestAADeadlock(t *testing.T) {
	if name := os.Getenv("LOCKBENCH_DEADLOCK"); name != "" {
		deadlock(t, name)
		return
	}
	for _, e := range catalog.All() {
		if e.Unlocked || e.Name == "busted" || e.Name == "chan" { // stacks do not say of which channel
			continue
		}
		if e.Pins && !unpreemptible {
			continue // nobody knows where it is
		}
		if e.Name == "seqlock-pinned" {
			continue // who waits yields: if pinned, as here, that ends the process
		}
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestAADeadlock$")
			cmd.Env = append(os.Environ(), "LOCKBENCH_DEADLOCK="+e.Name)
			out, err := cmd.CombinedOutput()
			const want = "\n\tcause: AA deadlock: worker 1 holds the lock, and locks it again in the workload's Write\n"
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("%v, %s\nwant %s", err, out, want)
			}
		})
	}
}

// deadlock prints how a run of the lock with this name gets stuck, and exits.
func deadlock(t *testing.T, name string) {
	entries, err := catalog.Match(name)
	if err != nil {
		t.Fatal(err)
	}
	// The harness makes more locks than it uses. Those that are free are locked
	// on the way.
	var locks []sync.Locker
	s := harness.Scenario{Subject: entries[0].Subject, CPUs: 2, Workers: 2, Duration: time.Second, Patience: 100 * time.Millisecond}
	fresh := s.New
	s.New = func() sync.Locker {
		locks = append(locks, fresh())
		return locks[len(locks)-1]
	}
	s.Workload = harness.Workload{Name: "relocker", New: func(int, uint64) harness.Data {
		return relocker{func(worker int) {
			if worker == 1 {
				for _, l := range locks {
					l.Lock()
				}
			}
		}}
	}}
	_, err = harness.Run(context.Background(), s)
	fmt.Println(err)
	os.Exit(1)
}
