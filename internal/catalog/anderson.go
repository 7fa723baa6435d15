package catalog

import "github.com/lockbench/lockbench/anderson"

// pinnedAnderson is the pinned form: see pinned.go.
type pinnedAnderson struct{ andersonLock }

type andersonLock = anderson.Lock

func (l *pinnedAnderson) Lock()         { l.LockPinned() }
func (l *pinnedAnderson) TryLock() bool { return l.TryLockPinned() }
func (l *pinnedAnderson) Unlock()       { l.UnlockPinned() }
