package rwlock

import "unsafe"

// TallySize is the size of one CPU's counts, without padding.
const TallySize = unsafe.Sizeof(tally{})

// NewReaderPrefAt returns a ReaderPref that readers readers hold.
func NewReaderPrefAt(readers uint32) *ReaderPref {
	l := new(ReaderPref)
	l.word.word.Store(readers * oneReader)
	return l
}

// NewQueuedAt returns a Queued that readers readers hold.
func NewQueuedAt(readers uint32) *Queued {
	l := new(Queued)
	l.word.word.Store(readers * oneReader)
	return l
}

// MaxReaders is how many readers a ReaderPref or a Queued can have.
const MaxReaders = wrapped/oneReader - 1

// NewPhaseFairAt returns an unlocked PhaseFair whose counters stand at n.
func NewPhaseFairAt(n uint64) *PhaseFair {
	l := new(PhaseFair)
	l.in.Store(n)
	l.out.Store(n)
	return l
}

// WritersInLine returns 1 if a writer waits behind the one that is inside.
func (l *PhaseFair) WritersInLine() int { return inLine(l.writers.String()) }

// ReadersInLine returns how many readers wait for the writer that is inside.
func (l *PhaseFair) ReadersInLine() int { return int((l.in.Load() - l.out.Load()) / oneArrival) }

// FailTryLock is a TryLock whose first look missed a reader: it finds the reader
// only when it holds writers. The caller has made a reader hold l.
func (l *PhaseFair) FailTryLock() (failed bool) {
	l.writers.Lock()
	failed = !l.tryPhase()
	l.writers.Unlock()
	return failed
}

// Phase returns the phase of the last writer.
func (l *PhaseFair) Phase() uint64 { return l.turn.Load() & oddPhase }

// InLine returns how many of two goroutines are in the queue.
func (l *Queued) InLine() int {
	if l.queue.lock.String() == "unlocked" {
		return 0
	}
	return 1 + inLine(l.queue.lock.String())
}

// inLine returns 1 if the wait lock has a waiter.
func inLine(waitLock string) int {
	if waitLock == "locked, pending" {
		return 1
	}
	return 0
}

// NewDistributedAt returns an unlocked Distributed each of whose counters
// stands at n.
func NewDistributedAt(n uint64) *Distributed {
	l := new(Distributed)
	for cpu := range 4 {
		l.readers.grow(uint32(cpu))
		l.readers.on.At(cpu).arrived.Store(n)
		l.readers.on.At(cpu).departed.Store(n)
	}
	return l
}

// NewUnbiased returns a Biased without bias. The timer will not bring it back.
func NewUnbiased(base Lock) *Biased {
	l := &Biased{base: base}
	l.bias.Store(unbiased)
	return l
}

// Biased reports whether l is biased.
func (l *Biased) Biased() bool { return l.bias.Load() == biased }

// SetCredit sets the credit by which the next Unlock decides. The caller holds l.
func (l *Biased) SetCredit(n int) { l.credit = n - startCredit }

// LoseBias takes the bias away from the next Unlock on, and sets no timer. The
// caller holds l for writing.
func (l *Biased) LoseBias() { l.bias.StoreRelease(unbiased) }

// SetDue says whether the inhibition is over.
func (l *Biased) SetDue(due bool) { l.due.Store(due) }

// TimeOut does what the timer does when it first ends.
func (l *Biased) TimeOut() { l.tryBias(inhibition) }

// TryBias biases l if it is free.
func (l *Biased) TryBias() {
	if l.bias.Load() == unbiased && l.base.TryLockPinned() {
		if l.bias.Load() == unbiased {
			l.bias.StoreRelease(biased)
		}
		l.base.UnlockPinned()
	}
}

// ReadAhead counts n readers in that have no goroutine.
func (l *PhaseFair) ReadAhead(n uint64) { l.in.Add(n * oneArrival) }

// ReadAhead counts n readers in that have no goroutine, on CPU 0.
func (l *Distributed) ReadAhead(n uint64) *Distributed { l.readers.ahead(n); return l }

func (l *Biased) ReadAhead(n uint64) *Biased { l.readers.ahead(n); return l }

func (c *counts) ahead(n uint64) {
	c.grow(0)
	c.on.At(0).arrived.Add(n)
}
