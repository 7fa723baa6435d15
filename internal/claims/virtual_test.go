//go:build virtual

package claims

import (
	"context"
	"reflect"
	"testing"

	"github.com/lockbench/lockbench/rwlock"
)

// The simulated claims have the verdicts of docs/claims.md, each time the same; and their
// twins the opposite.
func TestSimulated(t *testing.T) {
	for _, c := range simulated() {
		first, err := c.Try(context.Background())
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		t.Logf("%s: %s. %s", c.Name, first.Verdict, first.Saw)
		if first.Verdict != Holds {
			t.Errorf("%s: %s: %s", c.Name, first.Verdict, first.Saw)
		}
		if again, err := c.Try(context.Background()); err != nil || !reflect.DeepEqual(again, first) {
			t.Errorf("%s: %+v, and then %+v, error %v", c.Name, first, again, err)
		}
	}
}

func TestSimulatedTwins(t *testing.T) {
	for name, try := range map[string]func() (Outcome, error){
		"reload":     func() (Outcome, error) { return reload(newMCS, newTicket) },
		"starves":    func() (Outcome, error) { return starves(new(alone[rwlock.PhaseFair])) },
		"retries":    func() (Outcome, error) { return retries(new(rwReader)) },
		"readers-16": func() (Outcome, error) { return scales(newRCU, newRCU) },
		"preempted":  func() (Outcome, error) { return preempted(newOpen) },
	} {
		o, err := try()
		if err != nil || o.Verdict != DoesNotHold {
			t.Errorf("twin of %s: %+v, error %v: want that it does not hold", name, o, err)
		}
	}
}
