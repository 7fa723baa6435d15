package spinlock_test

import (
	"testing"

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

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*TAS).Lock", "(*TTAS).Lock", "(*Backoff).Lock", "(*flag).TryLock", "(*flag).Unlock")
}
