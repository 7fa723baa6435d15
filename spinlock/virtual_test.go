//go:build virtual

package spinlock_test

import (
	"testing"

	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/spinlock"
)

func TestModelTAS(t *testing.T) {
	property.All(t, func() property.Lock { return new(spinlock.TAS) }, property.UnlockPanics)
}

func TestModelTTAS(t *testing.T) {
	property.All(t, func() property.Lock { return new(spinlock.TTAS) }, property.UnlockPanics)
}

func TestModelBackoff(t *testing.T) {
	property.All(t, func() property.Lock { return new(spinlock.Backoff) }, property.UnlockPanics)
}
