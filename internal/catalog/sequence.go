package catalog

import "github.com/lockbench/lockbench/seqlock"

// A pinnedSeqlock is a seqlock.Lock whose writers are pinned. Its readers are not,
// since no worker waits for them.
type pinnedSeqlock struct{ seqLock }

type seqLock = seqlock.Lock // a field called Lock would hide the method

func (l *pinnedSeqlock) Lock()         { l.LockPinned() }
func (l *pinnedSeqlock) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedSeqlock) Unlock()       { l.UnlockPinned() }
