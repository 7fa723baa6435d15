package catalog

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A chanLock is a channel of capacity 1: sending acquires, receiving releases.
type chanLock chan struct{}

func newChanLock() sync.Locker { return make(chanLock, 1) }

func (l chanLock) Lock()   { l <- struct{}{} }
func (l chanLock) Unlock() { <-l }

func (l chanLock) TryLock() bool {
	select {
	case l <- struct{}{}:
		return true
	default:
		return false
	}
}

// A semaphoreLock is a weighted semaphore of weight 1.
type semaphoreLock struct{ *semaphore.Weighted }

func newSemaphoreLock() sync.Locker { return semaphoreLock{semaphore.NewWeighted(1)} }

func (l semaphoreLock) Lock() {
	// Acquire fails only when its context ends.
	if err := l.Acquire(context.Background(), 1); err != nil {
		panic(err)
	}
}
func (l semaphoreLock) TryLock() bool { return l.TryAcquire(1) }
func (l semaphoreLock) Unlock()       { l.Release(1) }

// A noLock does nothing, and says that it could.
type noLock struct{}

func (*noLock) Lock()         {}
func (*noLock) TryLock() bool { return true }
func (*noLock) Unlock()       {}
