package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
)

// TestRuns runs every lock and map under every workload that it can have, with writers
// only and with readers among them, for just long enough that workers meet. Only busted
// and busted-rcu lose an update, tear a read or use what a reader has, and they always
// do.
func TestRuns(t *testing.T) {
	workloads := append([]harness.Workload{{}}, harness.Workloads()...)
	runs := 0
	for i, e := range catalog.All() {
		for j, w := range workloads {
			if testing.Short() && (i+j)%4 != 0 && w.Permits == nil { // each lock and each workload in some
				continue
			}
			for _, reads := range []int{0, 90} {
				s := harness.Scenario{
					Subject: e.Subject, Workload: w, Reads: reads, CPUs: 2, Workers: 2, Seed: uint64(runs),
					Duration: 500 * time.Microsecond,
				}
				if s.Validate() != nil || racy && e.Name == "busted-rcu" {
					continue // it does not suit the workload; or the race detector fails the test first
				}
				runs++
				sample, err := harness.Run(context.Background(), s)
				broken := (*harness.BrokenError)(nil)
				// A reader and an updater may miss each other on a busy machine.
				for tries := 1; e.Name == "busted-rcu" && err == nil && tries < 10; tries++ {
					sample, err = harness.Run(context.Background(), s)
				}
				switch what := fmt.Sprintf("%s, workload %q, %d %% reads", e.Name, w.Name, reads); {
				case e.Name == "busted" || e.Name == "busted-rcu":
					if !errors.As(err, &broken) {
						t.Errorf("%s: Run = %v, want it broken", what, err)
					}
				case err != nil:
					t.Errorf("%s: %v", what, err)
				case sample.Ops == 0:
					t.Errorf("%s: no operations", what)
				}
			}
		}
	}
	if !testing.Short() && runs < 500 {
		t.Errorf("%d runs, want each of 56 locks and maps under all workloads that it can have", runs)
	}
	t.Logf("%d runs", runs)
}
