//go:build virtual

package anderson_test

import (
	"math"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/anderson"
	"github.com/lockbench/lockbench/check/property"
)

func TestModelLock(t *testing.T) {
	property.All(t, func() property.Lock { return new(anderson.Lock) }, property.UnlockPanics)
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := anderson.NewAt(anderson.Slots, math.MaxUint32-1)
		return l, l.Next
	}, 2, 1, 0))
}

// Of three workers one has to share a slot with the holder, or with a waiter, and the
// tickets pass zero in the middle of it.
func TestModelTwoSlots(t *testing.T) {
	two := func() *anderson.Lock { return anderson.NewAt(2, math.MaxUint32) }
	property.All(t, func() property.Lock { return two() }, property.UnlockPanics)
	property.Every(t, "Exclusion/4x1", property.Exclusion(func() sync.Locker { return two() }, 4, 1))
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := two()
		return l, l.Next
	}, 3, 0, 0))
}
