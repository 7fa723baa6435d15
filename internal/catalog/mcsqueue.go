package catalog

import (
	"sync"

	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

// A queueLock is an mcs.Queue. It needs a node for each acquisition, so each worker
// uses it through a view that has one. Without a view, it makes a node.
type queueLock struct {
	mcs.Queue
	holder *mcs.Node // the holder's; guarded by the lock
}

func (l *queueLock) Lock() {
	n := new(mcs.Node)
	l.Queue.Lock(n)
	l.holder = n
}

func (l *queueLock) TryLock() bool {
	n := new(mcs.Node)
	if !l.Queue.TryLock(n) {
		return false
	}
	l.holder = n
	return true
}

func (l *queueLock) Unlock() { l.Queue.Unlock(l.holder) }

// Worker returns a view for one worker.
func (l *queueLock) Worker() sync.Locker { return &queueWorker{queue: &l.Queue} }

// A queueWorker is a queueLock as one worker sees it.
type queueWorker struct {
	queue *mcs.Queue // a pointer, so that it is not next to the node, which others write
	_     [2]primitives.CacheLine
	node  mcs.Node
	_     [2]primitives.CacheLine
}

func (l *queueWorker) Lock()         { l.queue.Lock(&l.node) }
func (l *queueWorker) TryLock() bool { return l.queue.TryLock(&l.node) }
func (l *queueWorker) Unlock()       { l.queue.Unlock(&l.node) }

// The pinned forms.
type (
	pinnedQueue       struct{ queueLock }
	pinnedQueueWorker struct{ queueWorker }
)

func (l *pinnedQueue) Lock() {
	n := new(mcs.Node) // before preemption is off
	l.LockPinned(n)
	l.holder = n
}

func (l *pinnedQueue) TryLock() bool {
	n := new(mcs.Node)
	if !l.TryLockPinned(n) {
		return false
	}
	l.holder = n
	return true
}

func (l *pinnedQueue) Unlock() { l.UnlockPinned(l.holder) }

func (l *pinnedQueue) Worker() sync.Locker {
	return &pinnedQueueWorker{queueWorker{queue: &l.Queue}}
}

func (l *pinnedQueueWorker) Lock()         { l.queue.LockPinned(&l.node) }
func (l *pinnedQueueWorker) TryLock() bool { return l.queue.TryLockPinned(&l.node) }
func (l *pinnedQueueWorker) Unlock()       { l.queue.UnlockPinned(&l.node) }
