//go:build virtual

package claims

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
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
		sameOnPage(t, Result{c.Name, c.Says, true, first})
		// What an earlier run left in pools of waiters may change a little.
		again, err := c.Try(context.Background())
		if err != nil || again.Verdict != first.Verdict {
			t.Errorf("%s: %+v, and then %+v, error %v", c.Name, first, again, err)
		}
		for i, b := range again.Bars {
			if was := first.Bars[i].Value; b.Value < 0.9*was || b.Value > 1.1*was {
				t.Errorf("%s: %s is %v, and then %v", c.Name, b.Name, was, b.Value)
			}
		}
	}
}

func TestSimulatedTwins(t *testing.T) {
	for name, try := range map[string]func() (Outcome, error){
		"unfair":     func() (Outcome, error) { return unfair(newTicket, newTicket) },
		"reload":     func() (Outcome, error) { return reload(newMCS, newTicket) },
		"starves":    func() (Outcome, error) { return starves(new(alone[rwlock.PhaseFair])) },
		"retries":    func() (Outcome, error) { return retries(new(rwReader)) },
		"readers-16": func() (Outcome, error) { return scales(newReaderPref, []func() shareable{newReaderPref}) },
		"preempted":  func() (Outcome, error) { return preempted(newOpen) },
	} {
		o, err := try()
		if err != nil || o.Verdict != DoesNotHold {
			t.Errorf("twin of %s: %+v, error %v: want that it does not hold", name, o, err)
		}
	}
}

// A rwReader is the twin: its readers keep writers out.
type rwReader struct{ alone[rwlock.Queued] }

func (s *rwReader) write(d time.Duration) {
	s.v.Lock()
	primitives.Busy(d)
	s.v.Unlock()
}

func (s *rwReader) read(d time.Duration) bool {
	s.v.RLock()
	primitives.Busy(d)
	s.v.RUnlock()
	return true
}

// newOpen returns the twin: it lets all in.
func newOpen() sync.Locker { return open{} }

type open struct{}

func (open) Lock()   {}
func (open) Unlock() {}
