//go:build virtual

package ticket_test

import (
	"math"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/ticket"
)

func TestModelLock(t *testing.T) {
	property.All(t, func() property.Lock { return new(ticket.Lock) }, property.UnlockPanics)
	property.Every(t, "Exclusion/4x1", property.Exclusion(func() sync.Locker { return new(ticket.Lock) }, 4, 1))
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := ticket.NewAt(math.MaxUint32 - 1)
		return l, l.Next
	}, 2, 1, 0))
}

func TestModelProportional(t *testing.T) {
	property.All(t, func() property.Lock { return new(ticket.Proportional) }, property.UnlockPanics)
	property.Every(t, "FIFO", property.Overtaking(func() (sync.Locker, func() uint64) {
		l := ticket.NewProportionalAt(math.MaxUint32 - 1)
		return l, l.Next
	}, 2, 1, 0))
}

// Both counters pass zero in the middle of it.
func TestModelAcrossWrap(t *testing.T) {
	property.All(t, func() property.Lock { return ticket.NewAt(math.MaxUint32) }, property.UnlockPanics)
}
