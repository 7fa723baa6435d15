package catalog

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/lockbench/lockbench/blocking"
)

// Semaphores are locks that let in as many workers at once as they have permits.

// A permits is package blocking's semaphore.
type permits struct{ *blocking.Semaphore }

func newPermits(n int) sync.Locker { return permits{blocking.NewSemaphore(n)} }

func (l permits) Lock()         { l.Down() }
func (l permits) TryLock() bool { return l.TryDown() }
func (l permits) Unlock()       { l.Up() }

func (l permits) LockContext(ctx context.Context) error { return l.DownContext(ctx) }
func (l permits) LockTimeout(d time.Duration) bool      { return l.DownTimeout(d) }

// A chanSemaphore is a channel with room for its permits: sending acquires,
// receiving releases.
type chanSemaphore chan struct{}

func newChan(n int) sync.Locker { return make(chanSemaphore, n) }

func (l chanSemaphore) Lock()   { l <- struct{}{} }
func (l chanSemaphore) Unlock() { <-l }

func (l chanSemaphore) TryLock() bool {
	select {
	case l <- struct{}{}:
		return true
	default:
		return false
	}
}

// A weighted is a weighted semaphore, of which each worker acquires 1.
type weighted struct{ *semaphore.Weighted }

func newWeighted(n int) sync.Locker { return weighted{semaphore.NewWeighted(int64(n))} }

func (l weighted) Lock() {
	// Acquire fails only when its context ends.
	if err := l.Acquire(context.Background(), 1); err != nil {
		panic(err)
	}
}
func (l weighted) TryLock() bool { return l.TryAcquire(1) }
func (l weighted) Unlock()       { l.Release(1) }

func (l weighted) LockContext(ctx context.Context) error { return l.Acquire(ctx, 1) }
