package catalog

import "sync"

// A noLock does nothing, and says that it could.
type noLock struct{}

func (*noLock) Lock()         {}
func (*noLock) TryLock() bool { return true }
func (*noLock) Unlock()       {}

func newNoSemaphore(int) sync.Locker { return new(noLock) }
