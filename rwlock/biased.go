package rwlock

import (
	"sync"
	"time"
	"weak"

	"github.com/lockbench/lockbench/primitives"
)

// A Biased makes another lock read-scalable. While it is biased towards
// readers, they count themselves in as the readers of a [Distributed] do and do
// not touch the base lock; a writer takes the base lock, revokes the bias and
// waits for the readers. While it is not biased, all use the base lock, at the
// price of a load and an indirect call.
//
// It is biased at first. Each read under bias earns a credit and each
// revocation costs some. When the credit is spent, the lock goes without bias
// for a while (the inhibition); then a timer tries to bias it again. So a lock that is
// often written is its base lock except for a trial now and then, and one that is
// mostly read keeps its bias through writes.
//
// It follows BRAVO (Dice and Kogan, "BRAVO: biased locking for reader-writer locks",
// 2019), except for how an RUnlock knows what its RLock did. A reader of BRAVO remembers
// its slot in a table that all locks share. Here a reader has no token to remember a
// slot in, and a goroutine has no identity to find one by. So the slots are counts, one
// for each CPU, that belong to the lock; a count can take any goroutine's departure. And bias
// changes only while no reader is inside, so bias tells an RUnlock what its RLock
// did. The price is memory, 160 bytes for each CPU that read under bias, and that
// bias comes back only when the timer finds the lock free, or with the next
// writer.
//
// The zero Biased is unlocked, and its base is a [Queued]; [NewBiased] takes
// another base. A Biased must not be copied after first use. It notices an
// RUnlock too many as a Distributed does, or as its base does.
type Biased struct {
	// bias is the gate of readers:
	//
	//	biased    readers are counted; the gate is open
	//	revoking  readers are counted; the gate is shut, a writer waits for
	//	          them to leave
	//	revoked   no reader is inside; the gate is shut, a writer is
	//	unbiased  readers hold the base lock
	//
	// I3: only the holder of the base lock for writing writes bias, or touches
	// credit and seen.
	// I4: while bias is unbiased no reader is counted, except one that is being
	// turned away; otherwise no reader holds the base lock, except in settle.
	// A read section therefore sees one of unbiased and {biased, revoking}
	// from its beginning to its end.
	bias    primitives.Uint32
	due     primitives.Bool // the inhibition is over and the timer found l in use
	own     Queued          // the base lock if base is nil
	base    Lock
	readers counts // see there for I1 and I2

	credit int    // reads' earnings minus revocations' costs, beyond startCredit
	seen   uint64 // how many readers had arrived at the last revocation

	_ primitives.CacheLine
}

const (
	biased = iota
	revoking
	revoked
	unbiased
)

const (
	// pricePerCPU times the number of CPUs that have read is how many reads must
	// come between two writes for bias to pay: a revocation moves a cache line from
	// each of these CPUs and back, and each read under bias saves a part of such a
	// move.
	pricePerCPU = 4

	// startCredit allows a few writes at first, and maxCredit bursts of writes
	// later.
	startCredit = 64 * pricePerCPU
	maxCredit   = 512 * pricePerCPU

	// inhibition is long compared with a trial, which takes some microseconds.
	// It doubles each time the timer finds readers or writers inside.
	inhibition        = time.Millisecond
	longestInhibition = time.Second
)

// NewBiased returns an unlocked lock that is biased towards readers and
// otherwise is base, which must be unlocked and must not be used otherwise. If base is
// nil, it is a [Queued] of the lock's own.
func NewBiased(base Lock) *Biased {
	return &Biased{base: base}
}

// under returns the base lock.
func (l *Biased) under() Lock {
	if l.base == nil {
		return &l.own
	}
	return l.base
}

// RLock locks l for reading, waiting while a writer holds the lock, or as the base lock
// does.
func (l *Biased) RLock() {
	if l.arrive() || l.returns(false) {
		return
	}
	l.under().RLock()
	if l.settle() {
		l.under().RUnlock()
	}
}

// RLockPinned locks l for reading and disables preemption until
// [Biased.RUnlockPinned].
func (l *Biased) RLockPinned() {
	if primitives.Pin(); l.arrive() || l.returns(true) {
		return
	}
	l.under().RLockPinned()
	if l.settle() {
		l.under().RUnlockPinned()
	} else {
		primitives.Unpin() // the base lock has pinned us, too
	}
}

// TryRLock tries to lock l for reading without waiting and reports whether it
// succeeded.
func (l *Biased) TryRLock() bool {
	if l.arrive() {
		return true
	}
	if !l.under().TryRLock() {
		return false
	}
	if l.settle() {
		primitives.Pin() // the caller may be pinned, and RUnlock gives way
		l.under().RUnlockPinned()
	}
	return true
}

// TryRLockPinned is [Biased.TryRLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Biased) TryRLockPinned() bool { return pinnedIf(l.TryRLock) }

// arrive counts the caller in if the gate is open, and reports whether it did.
func (l *Biased) arrive() bool {
	return l.bias.Load() == biased && l.readers.enter(&l.bias, biased)
}

// returns stays away from a shut gate for a while, as a reader that a Distributed
// turned away does, and then calls arrive. It returns false at once if l is not
// biased.
func (l *Biased) returns(pinned bool) bool {
	if l.bias.Load() == unbiased {
		return false
	}
	l.readers.stayAway(&l.bias, biased, pinned)
	return l.arrive()
}

// settle is for a reader that holds the base lock. If l is biased, settle counts
// the reader in and returns true: the caller then releases the base lock. No
// writer can revoke in between, by I3.
func (l *Biased) settle() bool {
	if l.bias.Load() == unbiased {
		return false
	}
	l.readers.arrive()
	return true
}

// RUnlock ends a read section. It may run on another CPU than RLock did. It panics if a
// writer is inside; otherwise one too many is noticed by a later Lock or TryLock, or by
// the base lock.
func (l *Biased) RUnlock() {
	switch l.bias.Load() { // tells what RLock did, by I4
	case unbiased:
		l.under().RUnlock()
	case biased:
		l.readers.depart() // release: pairs with revoke
	case revoking:
		l.readers.depart() // release: pairs with revoke
		primitives.GiveWay()
	case revoked:
		l.noReader()
	}
}

// noReader panics for an RUnlock while a writer is inside.
func (l *Biased) noReader() {
	panic("rwlock: RUnlock of write-locked Biased: more RUnlocks than RLocks")
}

// RUnlockPinned ends a pinned read section and enables preemption again. One too many is
// noticed as by [Biased.RUnlock].
func (l *Biased) RUnlockPinned() {
	switch l.bias.Load() { // tells what RLockPinned did, by I4
	case unbiased:
		l.under().RUnlockPinned()
	case revoked:
		l.noReader()
	default:
		l.readers.depart() // release: pairs with revoke
		primitives.Unpin()
	}
}

// Lock locks l for writing. It panics if more readers have left than came.
func (l *Biased) Lock() {
	l.under().Lock()
	if !l.revoke(primitives.Spin{InLine: true}) {
		l.under().Unlock()
		panic(biasedNeverCame)
	}
}

// LockPinned locks l for writing and disables preemption until
// [Biased.UnlockPinned].
func (l *Biased) LockPinned() {
	l.under().LockPinned()
	if !l.revoke(primitives.Spin{InLine: true, Pinned: true}) {
		l.under().UnlockPinned() // first: no program survives a panic while pinned
		panic(biasedNeverCame)
	}
}

// revoke shuts the gate and waits for the readers that came through it. If more
// readers have left than came, it opens the gate again and returns false.
func (l *Biased) revoke(spin primitives.Spin) bool {
	if l.bias.Load() == unbiased { // by I4 no reader is counted
		return true
	}
	l.bias.Store(revoking)               // full: relies on SC, see counts
	arrived, ok := l.readers.drain(spin) // acquire: pairs with depart
	if !ok {
		l.bias.StoreRelease(biased)
		return false
	}
	l.bias.StoreRelease(revoked)
	earned := int(min(arrived-l.seen, maxCredit))
	l.credit = min(l.credit+earned, maxCredit-startCredit) - l.price()
	l.seen = arrived
	return true
}

// biasedNeverCame is the panic of a writer that finds an RUnlock too many.
const biasedNeverCame = "rwlock: RUnlock of unlocked Biased"

// price is what a revocation costs, in reads.
func (l *Biased) price() int { return pricePerCPU * max(1, int(l.readers.cpus.Load())) }

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded. It panics if more readers have left than came.
func (l *Biased) TryLock() bool { return orPanic(l.try()) }

// TryLockPinned is [Biased.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Biased) TryLockPinned() bool { return orPanic(pinnedTry(l.try)) }

// try is TryLock, except that it returns what is wrong if more readers have left
// than came. The caller may be pinned.
func (l *Biased) try() (got bool, wrong string) {
	// Look first: shutting the gate without success would send readers to the base.
	if _, inside := l.readers.sum(); inside > 0 || !l.under().TryLock() {
		return false, ""
	}
	if l.bias.Load() != biased {
		return true, ""
	}
	l.bias.Store(revoking) // full: relies on SC, see counts
	if _, inside := l.readers.sum(); inside > 0 {
		l.bias.StoreRelease(biased) // to readers inside this is the same, by I4
		quietly(l.under())
		return false, ""
	}
	// The only readers left to wait for were turned away by the gate, and are
	// pinned until they have counted themselves out. The caller may be pinned, too.
	primitives.Pin()
	ok := l.revoke(primitives.Spin{Pinned: true})
	primitives.Unpin()
	if !ok {
		quietly(l.under())
		return false, biasedNeverCame
	}
	return true, ""
}

// Unlock ends a write section. It panics if no writer is inside.
func (l *Biased) Unlock() {
	l.decide()
	l.under().Unlock() // release: to the waiters for the base lock
}

// UnlockPinned ends a pinned write section and enables preemption again. It panics if no
// writer is inside, which ends the program if preemption is off.
func (l *Biased) UnlockPinned() {
	l.decide()
	l.under().UnlockPinned() // release: to the waiters for the base lock
}

// decide ends a revocation: bias comes back at once, or later.
func (l *Biased) decide() {
	switch bias := l.bias.Load(); {
	case bias == biased || bias == revoking:
		panic("rwlock: Unlock of unlocked Biased")
	case bias == unbiased:
		if l.due.Load() {
			l.rebias()
		}
	case l.credit > -startCredit:
		l.bias.StoreRelease(biased) // release: pairs with arrive
	default:
		l.bias.StoreRelease(unbiased)
		l.tryBiasAfter(inhibition)
	}
}

// tryBiasAfter sets the timer. The timer does not keep l in memory, and so ends
// when l is garbage, even if l is still held then.
func (l *Biased) tryBiasAfter(wait time.Duration) {
	lock := weak.Make(l)
	primitives.After(wait, func() {
		if l := lock.Value(); l != nil {
			l.tryBias(wait)
		}
	})
}

// tryBias biases l if it is free. Otherwise it leaves that to the next writer,
// and tries again after twice the time, at most a second, for as long as l
// exists: there may be no other writer. It holds the base lock pinned, so that it
// cannot be preempted while pinned waiters spin.
func (l *Biased) tryBias(waited time.Duration) {
	if !l.under().TryLockPinned() {
		l.due.Store(true)
		l.tryBiasAfter(min(2*waited, longestInhibition))
		return
	}
	if l.bias.Load() == unbiased { // no writer was quicker
		l.rebias()
	}
	l.under().UnlockPinned()
}

// rebias ends an inhibition. The caller holds the base lock for writing.
func (l *Biased) rebias() {
	l.due.Store(false)
	l.credit = 0
	l.bias.StoreRelease(biased) // release: pairs with arrive
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *Biased) RLocker() sync.Locker { return reader{l} }

// String says how l is held, for diagnosis; while l is not biased that is the base
// lock's String. The number of readers is approximate while they come and go.
func (l *Biased) String() string {
	bias := l.bias.Load()
	if bias == unbiased {
		return l.under().String()
	}
	_, inside := l.readers.sum()
	s := State{Writer: bias == revoked, Waiting: bias == revoking, Readers: int(max(inside, 0))}
	return s.String() + ", biased"
}
