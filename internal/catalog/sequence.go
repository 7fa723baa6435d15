package catalog

import (
	"sync"

	gvisor "gvisor.dev/gvisor/pkg/sync"

	"github.com/lockbench/lockbench/seqlock"
)

// A pinnedSeqlock is a seqlock.Lock whose writers are pinned. Its readers are
// not: they hold nothing that anybody waits for.
type pinnedSeqlock struct{ seqLock }

type seqLock = seqlock.Lock // a field called Lock would hide the method

func (l *pinnedSeqlock) Lock()         { l.LockPinned() }
func (l *pinnedSeqlock) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedSeqlock) Unlock()       { l.UnlockPinned() }

// A seqCount is gVisor's sequence counter, with the mutex that it wants beside
// it.
type seqCount struct {
	mu  sync.Mutex
	seq gvisor.SeqCount
}

func (l *seqCount) Lock() {
	l.mu.Lock()
	l.seq.BeginWrite()
}

func (l *seqCount) TryLock() bool {
	locked := l.mu.TryLock()
	if locked {
		l.seq.BeginWrite()
	}
	return locked
}

func (l *seqCount) Unlock() {
	l.seq.EndWrite()
	l.mu.Unlock()
}

func (l *seqCount) Begin() uint64         { return uint64(l.seq.BeginRead()) }
func (l *seqCount) Retry(seq uint64) bool { return !l.seq.ReadOk(gvisor.SeqCountEpoch(seq)) }
