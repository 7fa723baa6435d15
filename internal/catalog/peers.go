package catalog

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// A noLock does nothing, and its TryLock always succeeds.
type noLock struct{}

func (*noLock) Lock()         {}
func (*noLock) TryLock() bool { return true }
func (*noLock) Unlock()       {}

// A swapAlone does not exclude either, and costs one locked instruction.
type swapAlone struct{ word primitives.Uint32 }

func (s *swapAlone) Lock() { s.word.Swap(1) }
func (*swapAlone) Unlock() {}

func newNoSemaphore(int) sync.Locker { return new(noLock) }
