package catalog

import (
	"sync"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/lockbench/lockbench/primitives"
)

// An rbMutex is an xsync.RBMutex. Its RLock returns a token that RUnlock needs, so each
// worker reads through a view that keeps it.
type rbMutex struct{ *xsync.RBMutex }

func newRBMutex() sync.Locker { return rbMutex{xsync.NewRBMutex()} }

// Worker returns a view for one worker.
func (l rbMutex) Worker() sync.Locker { return &rbWorker{RBMutex: l.RBMutex} }

// An rbWorker is an rbMutex as one worker sees it: it keeps the token as a caller of
// the xsync lock would on its stack.
type rbWorker struct {
	_ primitives.CacheLine
	*xsync.RBMutex
	token *xsync.RToken // of the read section that the worker is in
	_     primitives.CacheLine
}

func (l *rbWorker) RLock()   { l.token = l.RBMutex.RLock() }
func (l *rbWorker) RUnlock() { l.RBMutex.RUnlock(l.token) }

func (l *rbWorker) TryRLock() (ok bool) {
	ok, l.token = l.RBMutex.TryRLock()
	return ok
}
