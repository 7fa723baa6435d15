package harness

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick is a scenario that is over at once.
func quick(subject Subject) Scenario {
	return Scenario{
		Subject:  subject,
		CPUs:     2,
		Workers:  2,
		Duration: 200 * time.Microsecond,
		Warmup:   20 * time.Microsecond,
		Patience: 10 * time.Second,
	}
}

// subject makes a Subject of a lock whose zero value is unlocked.
func subject[T any, L interface {
	*T
	sync.Locker
}](name string) Subject {
	return Subject{Name: name, New: func() sync.Locker { return L(new(T)) }}
}

var (
	mutex   = subject[sync.Mutex]("sync.Mutex")
	rwmutex = subject[sync.RWMutex]("sync.RWMutex")
)

// A spinner is a correct lock that only ever spins, as its zero value does.
type spinner struct{ held atomic.Bool }

func (l *spinner) TryLock() bool { return l.held.CompareAndSwap(false, true) }
func (l *spinner) Unlock()       { l.held.Store(false) }
func (l *spinner) Lock() {
	for !l.TryLock() {
		runtime.Gosched()
	}
}

// restoresCPUs fails t if GOMAXPROCS has changed at its end.
func restoresCPUs(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() {
		if after := runtime.GOMAXPROCS(0); after != before {
			t.Errorf("GOMAXPROCS = %d afterwards, want %d", after, before)
			runtime.GOMAXPROCS(before)
		}
	})
}
