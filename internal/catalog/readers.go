package catalog

import "github.com/lockbench/lockbench/rwlock"

// The pinned form of each reader-writer lock: preemption is off while reading,
// too.
type (
	pinnedReaderPref  struct{ rwlock.ReaderPref }
	pinnedQueued      struct{ rwlock.Queued }
	pinnedPhaseFair   struct{ rwlock.PhaseFair }
	pinnedDistributed struct{ rwlock.Distributed }
	pinnedBiased      struct{ rwlock.Biased }
)

func (l *pinnedReaderPref) Lock()          { l.LockPinned() }
func (l *pinnedReaderPref) TryLock() bool  { return l.TryLockPinned() }
func (l *pinnedReaderPref) Unlock()        { l.UnlockPinned() }
func (l *pinnedReaderPref) RLock()         { l.RLockPinned() }
func (l *pinnedReaderPref) TryRLock() bool { return l.TryRLockPinned() }
func (l *pinnedReaderPref) RUnlock()       { l.RUnlockPinned() }

func (l *pinnedQueued) Lock()          { l.LockPinned() }
func (l *pinnedQueued) TryLock() bool  { return l.TryLockPinned() }
func (l *pinnedQueued) Unlock()        { l.UnlockPinned() }
func (l *pinnedQueued) RLock()         { l.RLockPinned() }
func (l *pinnedQueued) TryRLock() bool { return l.TryRLockPinned() }
func (l *pinnedQueued) RUnlock()       { l.RUnlockPinned() }

func (l *pinnedPhaseFair) Lock()          { l.LockPinned() }
func (l *pinnedPhaseFair) TryLock() bool  { return l.TryLockPinned() }
func (l *pinnedPhaseFair) Unlock()        { l.UnlockPinned() }
func (l *pinnedPhaseFair) RLock()         { l.RLockPinned() }
func (l *pinnedPhaseFair) TryRLock() bool { return l.TryRLockPinned() }
func (l *pinnedPhaseFair) RUnlock()       { l.RUnlockPinned() }

func (l *pinnedDistributed) Lock()          { l.LockPinned() }
func (l *pinnedDistributed) TryLock() bool  { return l.TryLockPinned() }
func (l *pinnedDistributed) Unlock()        { l.UnlockPinned() }
func (l *pinnedDistributed) RLock()         { l.RLockPinned() }
func (l *pinnedDistributed) TryRLock() bool { return l.TryRLockPinned() }
func (l *pinnedDistributed) RUnlock()       { l.RUnlockPinned() }

func (l *pinnedBiased) Lock()          { l.LockPinned() }
func (l *pinnedBiased) TryLock() bool  { return l.TryLockPinned() }
func (l *pinnedBiased) Unlock()        { l.UnlockPinned() }
func (l *pinnedBiased) RLock()         { l.RLockPinned() }
func (l *pinnedBiased) TryRLock() bool { return l.TryRLockPinned() }
func (l *pinnedBiased) RUnlock()       { l.RUnlockPinned() }
