//go:build virtual

package spinlock_test

import (
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/model"
	"github.com/lockbench/lockbench/spinlock"
)

func TestModelTAS(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(spinlock.TAS) })
}

func TestModelTTAS(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(spinlock.TTAS) })
}

func TestModelBackoff(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(spinlock.Backoff) })
}
