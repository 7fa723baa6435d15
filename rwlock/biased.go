package rwlock

import (
	"sync"
	"time"
	"weak"

	"github.com/lockbench/lockbench/primitives"
)

// A Biased makes another lock read-scalable. While it is biased towards
// readers they count themselves in as those of a [Distributed] do and leave
// the base lock alone; a writer takes the base lock, revokes the bias and
// waits for them. While it is not, all use the base lock, at the price of a
// load and an indirect call.
//
// It is biased at first. Each read under bias earns a credit and each
// revocation costs some; when the credit is spent, the lock goes without bias
// for a while (the inhibition) before a timer gives it another chance. So a
// lock that is often written is its base lock but for a trial now and then,
// and one that is mostly read keeps its bias through writes.
//
// It follows BRAVO (Dice and Kogan, 2019), save for how an RUnlock knows what
// its RLock did. BRAVO keeps the slot, in a table that all locks share; here
// there is no token to keep it in, and a goroutine has no identity to find it
// by. So slots are counts of the lock's own, one for each CPU, and a count
// does not care whose it is; and bias changes only when nobody reads, so that
// what RLock did is what bias says. The price is memory, 160 bytes for each
// CPU that read under bias, and that bias comes back only when the timer finds
// nobody inside, or with the next writer.
//
// The zero Biased is unlocked, and its base is a [Queued]; [NewBiased] makes one
// of another. A Biased must not be copied after first use. An RUnlock too many is
// noticed as that of a Distributed is, or of the base.
type Biased struct {
	// bias is the gate of readers:
	//
	//	biased    readers are counted; the gate is open
	//	revoking  readers are counted; the gate is shut, a writer waits for
	//	          them to leave
	//	revoked   no reader is inside; the gate is shut, a writer is
	//	unbiased  readers hold the base lock
	//
	// I3: only who holds the base lock for writing writes bias, or touches
	// credit and seen.
	// I4: while bias is unbiased nobody is counted, save who is being turned
	// away; otherwise nobody holds the base lock for reading, save in settle.
	// A read section therefore sees one of unbiased and {biased, revoking}
	// from its beginning to its end.
	bias    primitives.Uint32
	due     primitives.Bool // the inhibition is over and the timer found l in use
	own     Queued          // the base lock if base is nil
	base    Lock
	readers counts // see there for I1 and I2

	credit int    // what reads have earned, less what revocations cost, beyond startCredit
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
	// pricePerCPU times the CPUs that have read is how many reads must come
	// between two writes for bias to pay: a revocation takes a trip of a line
	// from each of them and back, and each read under bias saves a part of one.
	pricePerCPU = 4

	// startCredit allows for a few writes at first. maxCredit, for bursts of
	// them in between.
	startCredit = 64 * pricePerCPU
	maxCredit   = 512 * pricePerCPU

	// inhibition is so long that a trial, of some microseconds, is nothing.
	// It doubles while readers or writers are inside whenever the timer looks.
	inhibition        = time.Millisecond
	longestInhibition = time.Second
)

// NewBiased returns an unlocked lock that is biased towards readers and
// otherwise is base. Nobody else may use base.
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

// RLock locks l for reading.
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

// arrive counts the caller in, if the gate is open, and reports whether it is.
func (l *Biased) arrive() bool {
	return l.bias.Load() == biased && l.readers.enter(&l.bias, biased)
}

// returns stays away from a gate that is shut, as those turned away from a
// Distributed do, and arrives if it then is open. It reports false, at once, if
// l is not biased.
func (l *Biased) returns(pinned bool) bool {
	if l.bias.Load() == unbiased {
		return false
	}
	l.readers.stayAway(&l.bias, biased, pinned)
	return l.arrive()
}

// settle counts a reader in that has the base lock and finds that l is biased,
// and reports whether it did: the caller then gives the base lock back. No
// writer can revoke in between, by I3.
func (l *Biased) settle() bool {
	if l.bias.Load() == unbiased {
		return false
	}
	l.readers.arrive()
	return true
}

// RUnlock ends a read section, on whatever CPU.
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

// noReader is for an RUnlock beside a writer.
func (l *Biased) noReader() {
	panic("rwlock: RUnlock of write-locked Biased: more RUnlocks than RLocks")
}

// RUnlockPinned ends a pinned read section and enables preemption again.
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

// Lock locks l for writing. It panics if a reader has left that never came.
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

// revoke shuts the gate and waits for the readers who came through it. It
// reports false, and the gate is open, if a reader has left that never came.
func (l *Biased) revoke(spin primitives.Spin) bool {
	if l.bias.Load() == unbiased { // by I4 nobody is counted
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

// biasedNeverCame is what a writer panics with that finds a reader too many gone.
const biasedNeverCame = "rwlock: RUnlock of unlocked Biased"

// price is what a revocation costs, in reads.
func (l *Biased) price() int { return pricePerCPU * max(1, int(l.readers.cpus.Load())) }

// TryLock tries to lock l for writing without waiting and reports whether it
// succeeded. It panics if a reader has left that never came.
func (l *Biased) TryLock() bool { return orPanic(l.try()) }

// TryLockPinned is [Biased.TryLock] for pinned sections: preemption is
// disabled if it succeeded.
func (l *Biased) TryLockPinned() bool { return orPanic(pinnedTry(l.try)) }

// try is TryLock, and says what is wrong if a reader has left that never came. The
// caller may be pinned.
func (l *Biased) try() (got bool, wrong string) {
	// Look first: a gate that shuts for nothing sends readers to the base.
	if _, inside := l.readers.sum(); inside > 0 || !l.under().TryLock() {
		return false, ""
	}
	if l.bias.Load() != biased {
		return true, ""
	}
	l.bias.Store(revoking) // full: relies on SC, see counts
	if _, inside := l.readers.sum(); inside > 0 {
		l.bias.StoreRelease(biased) // for readers it is all one, by I4
		quietly(l.under())
		return false, ""
	}
	// All that is left to wait for is a reader on its way out through the
	// gate that we shut, and it is pinned. We may be, too.
	if !l.revoke(primitives.Spin{Pinned: true}) {
		quietly(l.under())
		return false, biasedNeverCame
	}
	return true, ""
}

// Unlock ends a write section. It panics if nobody writes.
func (l *Biased) Unlock() {
	l.decide()
	l.under().Unlock() // release: to who waits for the base lock
}

// UnlockPinned ends a pinned write section and enables preemption again.
func (l *Biased) UnlockPinned() {
	l.decide()
	l.under().UnlockPinned() // release: to who waits for the base lock
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

// tryBiasAfter sets the timer. It does not keep l in memory, and so ends with
// it, though l be held for ever.
func (l *Biased) tryBiasAfter(wait time.Duration) {
	lock := weak.Make(l)
	primitives.After(wait, func() {
		if l := lock.Value(); l != nil {
			l.tryBias(wait)
		}
	})
}

// tryBias biases l if nobody is inside. Otherwise it leaves that to the next
// writer, and tries again when twice the time has passed, a second in the end,
// for as long as l exists: there may be no other writer.
// It is pinned, lest it be preempted among pinned waiters.
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

// rebias ends an inhibition. The caller has the base lock.
func (l *Biased) rebias() {
	l.due.Store(false)
	l.credit = 0
	l.bias.StoreRelease(biased) // release: pairs with arrive
}

// RLocker returns a Locker whose Lock and Unlock are l's RLock and RUnlock.
func (l *Biased) RLocker() sync.Locker { return reader{l} }

// String says who holds l, for diagnosis: the base lock says it while l is not
// biased. The number of readers is a guess while they come and go.
func (l *Biased) String() string {
	bias := l.bias.Load()
	if bias == unbiased {
		return l.under().String()
	}
	_, inside := l.readers.sum()
	s := State{Writer: bias == revoked, Waiting: bias == revoking, Readers: int(max(inside, 0))}
	return s.String() + ", biased"
}
