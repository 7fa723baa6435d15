package spinlock_test

import (
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/spinlock"
)

func TestTAS(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(spinlock.TAS) })
}

func TestTTAS(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(spinlock.TTAS) })
}

func TestBackoff(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(spinlock.Backoff) })
}

// What a Backoff has learned changes how it waits, and not what it promises.
func TestBackoffLearns(t *testing.T) {
	for _, c := range []struct {
		look time.Duration
		far  bool
	}{{30 * time.Nanosecond, false}, {180 * time.Nanosecond, true}} {
		var l spinlock.Backoff
		l.Learn(c.look)
		if got := l.Far(); got != c.far {
			t.Errorf("after a look of %v: far = %v, want %v", c.look, got, c.far)
		}
		locktest.Exclusion(t, &l)
		l.Learn(c.look)
		locktest.Exclusion(t, locktest.Pinned(&l))
	}
}

func TestSizes(t *testing.T) {
	for name, sizes := range map[string][2]uintptr{
		"TAS":     {unsafe.Sizeof(spinlock.TAS{}), 4},
		"TTAS":    {unsafe.Sizeof(spinlock.TTAS{}), 4},
		"Backoff": {unsafe.Sizeof(spinlock.Backoff{}), 8},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("a %s has %d bytes, want %d", name, sizes[0], sizes[1])
		}
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*TAS).Lock", "(*TTAS).Lock", "(*Backoff).Lock", "(*flag).TryLock", "(*flag).Unlock")
}
