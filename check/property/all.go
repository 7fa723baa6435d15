package property

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/locktest"
)

// All runs, on every schedule, what holds for any spinlock, and logs how many
// schedules there were. fresh returns a new lock. If it has LockPinned,
// TryLockPinned and UnlockPinned, too, and a String, those are checked likewise.
func All(t *testing.T, fresh func() Lock) {
	type form struct {
		name  string
		fresh func() Lock
	}
	forms := []form{{"", fresh}}
	if _, ok := fresh().(locktest.Lock); ok {
		forms = append(forms, form{"Pinned", func() Lock { return locktest.Pinned(fresh().(locktest.Lock)) }})
	}
	for _, form := range forms {
		name, fresh := form.name, form.fresh
		for _, size := range [][2]int{{2, 2}, {3, 1}} {
			workers, ops := size[0], size[1]
			Every(t, fmt.Sprintf("Exclusion%s/%dx%d", name, workers, ops), Exclusion(func() sync.Locker { return fresh() }, workers, ops))
			Every(t, fmt.Sprintf("TryLock%s/%dx%d", name, workers, ops), TryLock(fresh, workers, ops))
		}
		Every(t, "Tries"+name, Tries(fresh, 3))
		Every(t, "Misuse"+name, Misuse(fresh, 2))
	}
}

// Every runs body on every schedule as a test of its own, and logs the report.
func Every(t *testing.T, name string, body func(*check.Machine)) {
	Explore(t, name, check.Config{}, body)
}

// Bounded is [Every] for a body that has too many schedules: it takes those with at
// most so many preemptions. With LOCKBENCH_LONG=15m in the environment it takes
// them all then, or as many as there is time for.
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

// Explore runs body on the schedules that cfg says as a test of its own, and
// logs the report.
func Explore(t *testing.T, name string, cfg check.Config, body func(*check.Machine)) {
	t.Run(name, func(t *testing.T) { t.Log(check.Explore(t, cfg, body)) })
}
