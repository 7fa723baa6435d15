package harness

import (
	"sync"

	"github.com/lockbench/lockbench/primitives"
)

// With [Serialized] work a fence comes directly before each acquisition and directly
// after each release: then no part of a Lock and Unlock overlaps what the worker does
// between two such pairs, and subtraction gives the cost of a pair. There is no fence
// inside, so a critical section can still overlap its pair.

// fence puts fences around the operations of the lock.
func (a *access) fence() {
	a.lock = fencedLock{a.lock}
	if a.rw != nil {
		a.rw = fencedRW{a.lock, a.rw}
	}
	if a.seq != nil {
		a.seq = fencedSeq{a.lock, a.seq}
	}
	if a.rcu != nil {
		a.rcu = fencedRCU{a.rcu}
	}
}

type fencedLock struct{ lock sync.Locker }

func (f fencedLock) Lock() {
	primitives.Serialize()
	f.lock.Lock()
}

func (f fencedLock) Unlock() {
	f.lock.Unlock()
	primitives.Serialize()
}

type fencedRW struct {
	sync.Locker // a fencedLock
	rw          RWLocker
}

func (f fencedRW) RLock() {
	primitives.Serialize()
	f.rw.RLock()
}

func (f fencedRW) RUnlock() {
	f.rw.RUnlock()
	primitives.Serialize()
}

type fencedSeq struct {
	sync.Locker // a fencedLock
	seq         SeqLocker
}

func (f fencedSeq) Begin() uint64 {
	primitives.Serialize()
	return f.seq.Begin()
}

func (f fencedSeq) Retry(seq uint64) bool {
	again := f.seq.Retry(seq)
	primitives.Serialize()
	return again
}

// A fencedRCU has fences around sections of updaters, and of readers.
type fencedRCU struct{ RCULocker }

func (f fencedRCU) Lock() {
	primitives.Serialize()
	f.RCULocker.Lock()
}

func (f fencedRCU) Unlock() {
	f.RCULocker.Unlock()
	primitives.Serialize()
}

func (f fencedRCU) ReadLock() {
	primitives.Serialize()
	f.RCULocker.ReadLock()
}

func (f fencedRCU) ReadUnlock() {
	f.RCULocker.ReadUnlock()
	primitives.Serialize()
}
