package property

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/locktest"
)

// A Promise is a property that not every lock has. [All] checks it only if it is
// given.
type Promise int

// UnlockPanics says that an Unlock too many panics: see [Misuse].
const UnlockPanics Promise = iota + 1

// All checks, on every schedule, the properties of any spinlock, and logs how many
// schedules there were. fresh returns a new lock. All checks its Lock and Unlock; its
// TryLock, if it is a [Lock]; and its LockPinned, TryLockPinned and UnlockPinned, if
// it has all three and a String. It also checks the given promises.
func All[L sync.Locker](t *testing.T, fresh func() L, promises ...Promise) {
	all(t, "", func() sync.Locker { return fresh() }, promises)
	if _, ok := any(fresh()).(locktest.Lock); ok {
		pinned := func() sync.Locker { return locktest.Pinned(any(fresh()).(locktest.Lock)) }
		all(t, "Pinned", pinned, promises)
		// Finds a waiter that gets in line before it is pinned: a pinned waiter behind
		// it keeps the CPU that it needs.
		Explore(t, "ExclusionPinned/1 CPU", check.Config{CPUs: 1}, Exclusion(pinned, 3, 1))
	}
}

func all(t *testing.T, form string, fresh func() sync.Locker, promises []Promise) {
	_, tries := fresh().(Lock)
	lock := func() Lock { return fresh().(Lock) }
	for _, size := range [][2]int{{2, 2}, {3, 1}} {
		workers, ops := size[0], size[1]
		Every(t, fmt.Sprintf("Exclusion%s/%dx%d", form, workers, ops), Exclusion(fresh, workers, ops))
		if tries {
			Every(t, fmt.Sprintf("TryLock%s/%dx%d", form, workers, ops), TryLock(lock, workers, ops))
		}
	}
	if tries {
		Every(t, "Tries"+form, Tries(lock, 3))
	}
	if slices.Contains(promises, UnlockPanics) {
		Every(t, "Misuse"+form, Misuse(fresh, 2))
	}
}

// Every runs body on every schedule, as a subtest.
func Every(t *testing.T, name string, body func(*check.Machine)) {
	Explore(t, name, check.Config{}, body)
}

// Bounded is [Every] for a body that has too many schedules: it takes those with at
// most so many preemptions. With LOCKBENCH_LONG=15m in the environment it then takes
// all schedules, or as many as that time allows.
func Bounded(t *testing.T, name string, preemptions int, body func(*check.Machine)) {
	Explore(t, name, check.Config{Mode: check.Bounded, Bound: preemptions}, body)
	if long := os.Getenv("LOCKBENCH_LONG"); long != "" {
		budget, err := time.ParseDuration(long)
		if err != nil {
			t.Fatalf("LOCKBENCH_LONG: %v", err)
		}
		Explore(t, name+"/every", check.Config{Budget: budget, Progress: os.Stderr}, body)
	}
}

// Explore runs body on the schedules that cfg says, as a subtest.
func Explore(t *testing.T, name string, cfg check.Config, body func(*check.Machine)) {
	t.Run(name, func(t *testing.T) { check.Explore(t, cfg, body) })
}
