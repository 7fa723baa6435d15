package catalog

import (
	"runtime"
	"sync"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/lockbench/lockbench/primitives"
)

// An rbMutex is an xsync.RBMutex without tokens to carry.
//
// RLock returns a token that RUnlock wants back. One reader's token is as good
// as another's, so they wait in a slot of the CPU until some reader leaves:
// which costs a read two uncontended atomic operations more than a caller pays
// who keeps the token on its stack.
type rbMutex struct {
	*xsync.RBMutex
	slots primitives.PerCPU[primitives.Pointer[xsync.RToken]]

	mu    sync.Mutex
	spill []*xsync.RToken // guarded by mu: tokens whose slot was taken
}

func newRBMutex() sync.Locker { return &rbMutex{RBMutex: xsync.NewRBMutex()} }

// slow stands for the token of a reader that found no bias, which is nil.
var slow = new(xsync.RToken)

func (l *rbMutex) RLock() {
	token := l.RBMutex.RLock()
	if token == nil {
		token = slow
	}
	if !l.slot().CompareAndSwap(nil, token) {
		l.mu.Lock()
		l.spill = append(l.spill, token)
		l.mu.Unlock()
	}
}

func (l *rbMutex) RUnlock() {
	token := l.slot().Swap(nil)
	for token == nil {
		token = l.find()
	}
	if token == slow {
		token = nil
	}
	l.RBMutex.RUnlock(token)
}

// slot returns that of a CPU on which the caller was a moment ago. It is only
// likely, not certain, to be the same for a reader's RLock and RUnlock, nor
// does it need to be.
func (l *rbMutex) slot() *primitives.Pointer[xsync.RToken] {
	cpu := primitives.Pin()
	primitives.Unpin()
	return l.slots.At(cpu)
}

// find returns a token from somewhere else. There is one for every reader, so
// it finds none only if another reader takes it away, and leaves its own.
func (l *rbMutex) find() *xsync.RToken {
	for cpu := range max(runtime.NumCPU(), runtime.GOMAXPROCS(0)) {
		if token := l.slots.At(cpu).Swap(nil); token != nil {
			return token
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.spill)
	if n == 0 {
		return nil
	}
	token := l.spill[n-1]
	l.spill = l.spill[:n-1]
	return token
}
