//go:build virtual

package ticket_test

import (
	"math"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/internal/model"
	"github.com/lockbench/lockbench/ticket"
)

func TestModelLock(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(ticket.Lock) })
	model.Every(t, "Exclusion/4x1", model.Exclusion(func() sync.Locker { return new(ticket.Lock) }, 4, 1))
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := ticket.NewAt(math.MaxUint32 - 1)
		return l, l.Next
	}, 2, 1, 0))
}

func TestModelProportional(t *testing.T) {
	model.All(t, func() locktest.Lock { return new(ticket.Proportional) })
	model.Every(t, "FIFO", model.Overtaking(func() (sync.Locker, func() uint64) {
		l := ticket.NewProportionalAt(math.MaxUint32 - 1)
		return l, l.Next
	}, 2, 1, 0))
}

// Both counters pass zero in the middle of it.
func TestModelAcrossWrap(t *testing.T) {
	model.All(t, func() locktest.Lock { return ticket.NewAt(math.MaxUint32) })
}
